/**
 * What an answer that was abandoned for its length tells about itself.
 */

export interface Oversized {
  /** Items that had begun: more than one where the server pays no heed to the page size. */
  readonly items: number;
  /** The beginning, as text. */
  readonly head: string;
}

const HEAD_BYTES = 64 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** How deep an item stands: in a list, in the answer's object. */
const ITEM_DEPTH = 2;

/** Walks over the bytes of `{"runs": [{...}, ...` without parsing them; stops at a second item. */
export function inspectOversized(chunks: readonly Uint8Array[]): Oversized {
  let depth = 0;
  let inList = false;
  let inText = false;
  let escaped = false;
  let items = 0;
  for (const chunk of chunks) {
    for (const byte of chunk) {
      if (escaped) escaped = false;
      else if (inText) {
        if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
      } else if (byte === QUOTE) inText = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (depth === ITEM_DEPTH - 1) inList = byte === OPEN_LIST;
        if (depth === ITEM_DEPTH && inList && byte === OPEN_OBJECT) items += 1;
        if (items > 1) return { items, head: headOf(chunks) };
        depth += 1;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
    }
  }
  return { items, head: headOf(chunks) };
}

function headOf(chunks: readonly Uint8Array[]): string {
  const head: Uint8Array[] = [];
  let length = 0;
  for (const chunk of chunks) {
    if (length >= HEAD_BYTES) break;
    head.push(chunk.subarray(0, HEAD_BYTES - length));
    length += chunk.length;
  }
  return Buffer.concat(head).toString('utf8');
}

/** The first text under each of the keys, in this order; absent where one is not there. */
export function textsIn(head: string, keys: readonly string[]): string[] | undefined {
  const texts: string[] = [];
  for (const key of keys) {
    const match = new RegExp(`"${key}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(head);
    if (match?.[1] === undefined) return undefined;
    texts.push(unescape(match[1]));
  }
  return texts;
}

/** A JSON text; as it stands where its escapes are wrong. */
function unescape(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}
