/**
 * The dead-letter file: what could not be read, mapped or delivered, with the reason, for people
 * and for a later try.
 */

import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, PipelineError } from '../core/errors.js';
import type { Rejection } from './contracts.js';
import { formatEntry } from './dead-letter-entry.js';
import { isAt } from './dead-letter-rewrite.js';

export interface DeadLetterOptions {
  /** The file; lines are added to what it holds. */
  readonly path: string;
  readonly runId: string;
  /** Counts only. */
  readonly dryRun?: boolean;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

export interface DeadLetter {
  readonly path: string;
  /** How many were added. */
  readonly count: number;
  /** Takes it down as it is now; held in memory until the next flush. Never throws. */
  add(rejection: Rejection): void;
  /**
   * Resolves when all that was added before the call is on the disk. Calls may overlap.
   *
   * @throws PipelineError `DEAD_LETTER_FAILED`; what was added stays, and is tried again next time
   */
  flush(): Promise<void>;
  /** Flushes and lets go of the file. */
  close(): Promise<void>;
}

/**
 * Opens a dead-letter file: NDJSON, a rejection a line, as
 * `{time, runId, kind, code, message, identity, sink?, attempts?, origin?, content}`. The file is made by
 * the first rejection; later runs add to it. Numbers that JSON has no form for (NaN, infinities,
 * BigInt) are texts in `content`, and what can't be written at all is named there.
 *
 * @example
 * const deadLetter = openDeadLetter({ path: 'dead-letter.ndjson', runId: 'mlflow-1' });
 * deadLetter.add(rejection);
 * await deadLetter.flush();
 */
export function openDeadLetter(options: DeadLetterOptions): DeadLetter {
  return new DeadLetterFile(options);
}

class DeadLetterFile implements DeadLetter {
  readonly path: string;
  readonly #runId: string;
  readonly #dryRun: boolean;
  readonly #now: () => number;
  #count = 0;
  readonly #lines: string[] = [];
  #handle: FileHandle | undefined;
  /** The file ends in the middle of a line: whoever reads it can skip that, but not a mixture. */
  #cut = false;
  #queue: Promise<void> = Promise.resolve();

  constructor({ path, runId, dryRun = false, now = Date.now }: DeadLetterOptions) {
    this.path = path;
    this.#runId = runId;
    this.#dryRun = dryRun;
    this.#now = now;
  }

  get count(): number {
    return this.#count;
  }

  add(rejection: Rejection): void {
    this.#count += 1;
    if (this.#dryRun) return;
    const time = new Date(this.#now()).toISOString();
    this.#lines.push(formatEntry({ time, runId: this.#runId, ...rejection }));
  }

  flush(): Promise<void> {
    // Also with nothing to write: what an earlier call is writing was added before this one.
    const done = this.#queue.then(() => this.#write());
    this.#queue = done.catch(() => undefined); // whoever called is told
    return done;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      const handle = this.#handle;
      this.#handle = undefined;
      await handle?.close();
    }
  }

  async #write(): Promise<void> {
    if (this.#lines.length === 0) return;
    try {
      await this.#letGoIfMoved();
      if (this.#handle === undefined) {
        this.#handle = await open(this.path, 'a+');
        this.#cut = await endsInMidLine(this.#handle);
      }
      for (let line = this.#lines[0]; line !== undefined; line = this.#lines[0]) {
        const start = this.#cut ? '\n' : '';
        this.#cut = true;
        // A line at a time: the lines of runs that share the file stay whole.
        await this.#handle.appendFile(`${start}${line}\n`);
        this.#cut = false;
        this.#lines.shift();
      }
      await this.#handle.datasync();
    } catch (error) {
      throw new PipelineError(
        `can't write the dead-letter file ${this.path}: ${messageOf(error)}; make room or make it ` +
          'writable, or name another in the option deadLetter.path',
        { code: 'DEAD_LETTER_FAILED', category: 'unavailable', cause: error },
      );
    }
  }

  /** A replay puts another file in its place: what is added then belongs there. */
  async #letGoIfMoved(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined || (await isAt(handle, this.path))) return;
    this.#handle = undefined;
    this.#cut = false;
    await handle.close();
  }
}

/** Whether a run that was killed, or a full disk, left a line without its end. */
async function endsInMidLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString('latin1') !== '\n';
}
