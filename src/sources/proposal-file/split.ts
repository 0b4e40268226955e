/**
 * Finds where each value of a long JSON text begins and ends, so that one at a time can be parsed
 * and a bad one does not spoil the others. What stands between its ends is not looked at further:
 * that is up to `JSON.parse`.
 */

/** The text of one value and where it stands. */
export interface Piece {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  /** Longer than allowed: `text` is only its start. */
  readonly tooLong: boolean;
}

/** Text that ends or goes on where it must not: nothing behind this place can be told apart. */
export class BrokenTextError extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
    this.name = 'BrokenTextError';
  }
}

export interface Splitter {
  /** Gives the values that end in these bytes. */
  push(bytes: Buffer): Iterable<Piece>;
  /** Gives the last one, if it needs no end. @throws BrokenTextError where more had to come */
  end(): Iterable<Piece>;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** 1 for the bytes that mean something outside texts. */
const MEANS = new Uint8Array(256);
for (const byte of [NEWLINE, QUOTE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT]) {
  MEANS[byte] = 1;
}

/** A value a line; blank lines are passed over. */
export class LineSplitter implements Splitter {
  readonly #rest: Collected;
  #line = 1;

  constructor(maxBytes: number) {
    this.#rest = new Collected(maxBytes);
  }

  *push(bytes: Buffer): Iterable<Piece> {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.#rest.add(bytes.subarray(start, end));
      yield* this.#take();
      this.#line += 1;
      start = end + 1;
    }
    this.#rest.add(bytes.subarray(start));
  }

  *end(): Iterable<Piece> {
    yield* this.#take();
  }

  *#take(): Iterable<Piece> {
    const { text, tooLong } = this.#rest.take();
    if (text.trim() !== '') yield { text, line: this.#line, tooLong };
  }
}

/** Where in the text the splitter stands. */
type Place = 'before the list' | 'before a value' | 'in a value' | 'after the list';

/**
 * The values of one list `[…]`, whatever their layout; or, where the text does not begin with a
 * list, values one after the other.
 */
export class ListSplitter implements Splitter {
  readonly #value: Collected;
  #place: Place = 'before the list';
  #isList = false;
  /** The brackets that are open inside the value, as the bytes that will close them. */
  readonly #open: number[] = [];
  #inText = false;
  #escaped = false;
  #line = 1;
  #valueLine = 1;

  constructor(maxBytes: number) {
    this.#value = new Collected(maxBytes);
  }

  *push(bytes: Buffer): Iterable<Piece> {
    let index = 0;
    while (index < bytes.length) {
      if (this.#place === 'in a value') {
        const start = index;
        index = this.#endOfValue(bytes, start);
        this.#value.add(bytes.subarray(start, index));
        if (this.#isBetween()) yield this.#take();
      } else {
        const byte = bytes[index] ?? 0;
        if (byte === NEWLINE) this.#line += 1;
        if (this.#between(byte)) {
          this.#place = 'in a value';
          this.#valueLine = this.#line;
        } else index += 1;
      }
    }
  }

  *end(): Iterable<Piece> {
    if (this.#place === 'in a value' && !this.#isList && this.#open.length === 0 && !this.#inText) {
      yield this.#take();
    }
    if (this.#place === 'in a value') {
      throw new BrokenTextError(
        `it is cut off in the value that begins in line ${this.#valueLine}`,
        this.#line,
      );
    }
    if (this.#isList && this.#place === 'before a value') {
      throw new BrokenTextError('it is cut off: the end of the list, ], is missing', this.#line);
    }
  }

  /**
   * Where the value ends that the bytes from there on belong to; if it does, the place is no longer
   * in it. Every byte of a file passes here, most of them those of texts.
   */
  #endOfValue(bytes: Buffer, from: number): number {
    const { length } = bytes;
    let index = from;
    while (index < length) {
      if (this.#inText) {
        index = this.#endOfText(bytes, index);
        continue;
      }
      while (index < length && (MEANS[bytes[index] ?? 0] ?? 0) === 0) index += 1;
      if (index === length) break;
      const end = this.#step(bytes[index] ?? 0);
      if (end !== 'ended before') index += 1;
      if (end !== 'goes on') {
        this.#place = 'before a value';
        break;
      }
    }
    return index;
  }

  #endOfText(bytes: Buffer, from: number): number {
    const { length } = bytes;
    let index = from;
    if (this.#escaped) {
      this.#escaped = false;
      index += 1;
    }
    for (; index < length; index += 1) {
      const byte = bytes[index];
      if (byte === QUOTE) {
        this.#inText = false;
        return index + 1;
      }
      if (byte === NEWLINE) this.#line += 1;
      else if (byte === BACKSLASH) {
        index += 1;
        this.#escaped = index === length;
      }
    }
    return length;
  }

  #step(byte: number): 'goes on' | 'ends here' | 'ended before' {
    const open = this.#open;
    switch (byte) {
      case NEWLINE:
        this.#line += 1;
        return 'goes on';
      case QUOTE:
        this.#inText = true;
        return 'goes on';
      case OPEN_OBJECT:
        open.push(CLOSE_OBJECT);
        return 'goes on';
      case OPEN_LIST:
        open.push(CLOSE_LIST);
        return 'goes on';
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        if (open.length === 0) return 'ended before';
        if (open.pop() !== byte) throw this.#unopened(byte);
        // In a list only a comma or its end closes a value: what is wrong behind it is part of it.
        return open.length === 0 && !this.#isList ? 'ends here' : 'goes on';
      case COMMA:
        return open.length === 0 ? 'ended before' : 'goes on';
      default:
        return 'goes on';
    }
  }

  #unopened(byte: number): BrokenTextError {
    const where = this.#isBetween() ? '' : `, in the value that begins in line ${this.#valueLine}`;
    return new BrokenTextError(
      `${String.fromCharCode(byte)} closes what was not opened by it${where}`,
      this.#line,
    );
  }

  #isBetween(): boolean {
    return this.#place !== 'in a value';
  }

  /** Whether a value begins with this byte. @throws BrokenTextError for a bracket too many */
  #between(byte: number): boolean {
    if (byte <= 0x20) return false;
    switch (this.#place) {
      case 'before the list':
        this.#isList = byte === OPEN_LIST;
        this.#place = 'before a value';
        if (this.#isList) return false;
        break;
      case 'before a value':
        if (byte === COMMA) return false;
        if (byte === CLOSE_LIST && this.#isList) {
          this.#place = 'after the list';
          return false;
        }
        break;
      case 'after the list':
        throw new BrokenTextError('something stands behind the end of the list, ]', this.#line);
      case 'in a value':
        return false;
    }
    // A value that began with one would end before it, and the next one begin with it again.
    if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) throw this.#unopened(byte);
    return true;
  }

  #take(): Piece {
    this.#place = 'before a value';
    this.#open.length = 0;
    const { text, tooLong } = this.#value.take();
    return { text, line: this.#valueLine, tooLong };
  }
}

/** Bytes of one value that come in several chunks. */
class Collected {
  readonly #parts: Buffer[] = [];
  #length = 0;
  #tooLong = false;

  constructor(private readonly maxBytes: number) {}

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const room = this.maxBytes - this.#length;
    if (bytes.length > room) this.#tooLong = true;
    if (room > 0) this.#parts.push(bytes.length > room ? bytes.subarray(0, room) : bytes);
    this.#length += bytes.length;
  }

  take(): { readonly text: string; readonly tooLong: boolean } {
    const [first] = this.#parts;
    const bytes =
      this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    const taken = { text: bytes.toString('utf8'), tooLong: this.#tooLong };
    this.#parts.length = 0;
    this.#length = 0;
    this.#tooLong = false;
    return taken;
  }
}
