/**
 * A dead-letter file that is read line by line while its next state is written beside it.
 */

import { open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { isGzip } from '../core/gzip.js';
import { messageOf, PipelineError } from '../core/errors.js';

const CHUNK_BYTES = 256 * 1024;
/** Of large lines, fewer are given at a time. */
const LARGEST_PAGE_BYTES = 8 * 1024 * 1024;
const LINE_END = Buffer.from('\n');

/**
 * Until `finish`, the file stays as it was: whatever ends the process before loses nothing. Lines
 * that others add to it in the meantime are read as well, and are kept at the latest by `finish`.
 *
 * Lines are bytes, not text: what is no UTF-8 would come back as something else, and the file may be
 * the only copy.
 */
export class DeadLetterRewrite {
  readonly #path: string;
  readonly #side: string;
  readonly #source: FileHandle;
  readonly #target: FileHandle;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  #kept = 0;
  #changed = false;

  private constructor(path: string, side: string, source: FileHandle, target: FileHandle) {
    this.#path = path;
    this.#side = side;
    this.#source = source;
    this.#target = target;
  }

  /**
   * @throws PipelineError `DEAD_LETTER_UNREADABLE` (usage), also where it is compressed,
   *   `DEAD_LETTER_FAILED`, `REPLAY_UNDER_WAY` where another process replays the same file
   */
  static async open(path: string): Promise<DeadLetterRewrite> {
    let source: FileHandle | undefined;
    try {
      source = await open(path, 'r');
      if (!(await source.stat()).isFile()) throw new Error('it is no ordinary file');
      await refuseGzip(source, path);
    } catch (error) {
      await source?.close();
      throw new PipelineError(`can't read the dead-letter file ${path}: ${reasonOf(error)}`, {
        code: 'DEAD_LETTER_UNREADABLE',
        category: 'usage',
        cause: error,
      });
    }
    try {
      await refuseOthers(path);
      const side = `${path}.${pid}.replay`;
      const { mode } = await source.stat();
      const target = await open(side, 'w', mode & 0o777);
      try {
        // Once more: another may have begun in the same moment, and now each sees the other.
        await refuseOthers(path);
      } catch (error) {
        await target.close();
        await unlink(side);
        throw error;
      }
      return new DeadLetterRewrite(path, side, source, target);
    } catch (error) {
      await source.close();
      throw failed(path, error);
    }
  }

  /** How many lines are kept so far. */
  get kept(): number {
    return this.#kept;
  }

  /** The next lines, at most so many; none at the end. A last line may lack its end. */
  async lines(count: number): Promise<Buffer[]> {
    const lines: Buffer[] = [];
    let bytes = 0;
    while (lines.length < count && bytes < LARGEST_PAGE_BYTES) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        bytes += end;
        lines.push(this.#rest.subarray(0, end));
        this.#rest = this.#rest.subarray(end + 1);
        continue;
      }
      if (await this.#more()) continue;
      if (this.#rest.length > 0) lines.push(this.#rest);
      this.#rest = Buffer.alloc(0);
      break;
    }
    return lines;
  }

  /** What stays in the file of the lines `given`, which are the next ones that `lines` gave. */
  async keep(kept: readonly Buffer[], given: readonly Buffer[]): Promise<void> {
    this.#changed ||= !areSame(kept, given);
    const lines = kept.filter(isNotEmpty);
    if (lines.length === 0) return;
    try {
      await this.#target.appendFile(joined(lines));
    } catch (error) {
      throw failed(this.#path, error);
    }
    this.#kept += lines.length;
  }

  /**
   * Keeps what was not read yet and puts the new state in the file's place; without a line left,
   * the file is removed. Where every line is as it was, so is the file: it is left alone.
   *
   * @throws PipelineError `DEAD_LETTER_FAILED`; the file is as it was
   */
  async finish(): Promise<void> {
    try {
      await this.#keepRest();
      if (!this.#changed) {
        await unlink(this.#side);
        return;
      }
      await this.#target.datasync();
      if (this.#kept === 0) {
        await unlink(this.#path);
        await unlink(this.#side);
      } else await rename(this.#side, this.#path);
      // Whoever had the file open may have added to it since; it has another name now, or none.
      await this.#keepLate();
    } catch (error) {
      await unlink(this.#side).catch(() => undefined);
      throw error instanceof PipelineError ? error : failed(this.#path, error);
    } finally {
      await this.#close();
    }
  }

  async #keepRest(): Promise<void> {
    for (;;) {
      const lines = await this.lines(1_000);
      if (lines.length === 0) return;
      await this.keep(lines, lines);
    }
  }

  async #keepLate(): Promise<void> {
    let file: FileHandle | undefined;
    try {
      for (;;) {
        const lines = await this.lines(Infinity);
        if (lines.length === 0) break;
        const late = lines.filter(isNotEmpty);
        if (late.length === 0) continue;
        file ??= await open(this.#path, 'a');
        await file.appendFile(joined(late));
      }
      await file?.datasync();
    } finally {
      await file?.close();
    }
  }

  async #more(): Promise<boolean> {
    const { buffer, bytesRead } = await this.#source.read(
      Buffer.allocUnsafe(CHUNK_BYTES),
      0,
      CHUNK_BYTES,
      this.#offset,
    );
    this.#offset += bytesRead;
    if (bytesRead > 0) this.#rest = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
    return bytesRead > 0;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([this.#source.close(), this.#target.close()]);
  }
}

function isNotEmpty(line: Buffer): boolean {
  return line.length > 0;
}

function areSame(kept: readonly Buffer[], given: readonly Buffer[]): boolean {
  return kept.length === given.length && given.every((line, index) => kept[index]?.equals(line));
}

function joined(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line, LINE_END]));
}

/** It holds no line that could be sent, and what is meant is clear. */
async function refuseGzip(source: FileHandle, path: string): Promise<void> {
  const { buffer } = await source.read(Buffer.alloc(2), 0, 2, 0);
  if (!isGzip(buffer)) return;
  throw new Error(
    `it is compressed with gzip. Unpack it first (gunzip -c ${path} > unpacked.ndjson) and replay ` +
      'what comes out',
  );
}

/** Two at a time would each bring back what the other had taken out. */
async function refuseOthers(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(folder)) {
    const other = name.startsWith(prefix)
      ? /^(\d{1,9})\.replay$/.exec(name.slice(prefix.length))?.[1]
      : undefined;
    if (other === undefined) continue;
    if (Number(other) === pid) continue; // opened with 'w', it is made anew
    if (isAlive(Number(other))) {
      throw new PipelineError(
        `${path} is being replayed by another process (${other}): wait for its end. If there is no ` +
          `such replay, remove ${join(folder, name)}`,
        { code: 'REPLAY_UNDER_WAY', category: 'usage' },
      );
    }
    await unlink(join(folder, name)).catch(() => undefined);
  }
}

function isAlive(process: number): boolean {
  try {
    kill(process, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Whether a file is still the one by that name. */
export async function isAt(handle: FileHandle, path: string): Promise<boolean> {
  try {
    const [own, there] = await Promise.all([handle.stat(), stat(path)]);
    return own.ino === there.ino && own.dev === there.dev;
  } catch {
    return false;
  }
}

function failed(path: string, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  return new PipelineError(
    `can't write beside the dead-letter file ${path}: ${messageOf(error)}. The file is as it was`,
    { code: 'DEAD_LETTER_FAILED', category: 'unavailable', cause: error },
  );
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' ? 'it does not exist' : messageOf(error);
}
