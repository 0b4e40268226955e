/**
 * From batches of proposals to text on an output: what the file sink and standard output share.
 */

import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { messageOf, PipelineError } from '../core/errors.js';
import type { Proposal } from '../datahub/proposal.js';
import { withoutLineBreaks } from '../datahub/proposal-json.js';
import type { Refusal } from '../stream/contracts.js';

/** Where bytes go. Calls never overlap. */
export interface Output {
  /** Resolves when the bytes were handed to the operating system. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Makes what was written since the last call stay, as surely as the output can: what it was is
   * confirmed when this resolves.
   *
   * @param written - how many proposals are on the output now
   */
  commit?(written: number): Promise<void>;
  /** Takes back what was written since the last commit. Absent where nothing can be taken back. */
  rollback?(): Promise<void>;
}

/** What stands around and between the proposals. */
export interface Framing {
  readonly first: string;
  readonly between: string;
  readonly after: string;
  readonly end: string;
  /** Instead of all of it, where there is no proposal. */
  readonly empty: string;
}

/** A proposal a line: nothing in it looks like the end of one, see `withoutLineBreaks`. */
export const LINES: Framing = { first: '', between: '', after: '\n', end: '', empty: '' };

/** One array, a proposal a line inside it. */
export const ARRAY: Framing = {
  first: '[\n',
  between: ',\n',
  after: '',
  end: '\n]\n',
  empty: '[]\n',
};

/** In UTF-16 units: long enough to make calls rare, short enough to be nothing in memory. */
const CHUNK_LENGTH = 256 * 1024;

/** As long: Node's own 16 KiB would make many small writes. */
const GZIP_CHUNK_BYTES = 256 * 1024;

export interface ProposalWriterOptions {
  readonly output: Output;
  readonly framing: Framing;
  /**
   * With gzip, each batch becomes a member of its own: the members of a gzip file are read as one,
   * and a batch is on the output when its write resolves, not waiting in a compressor.
   */
  readonly gzip?: boolean;
  readonly toJson: (proposal: Proposal) => string;
  /** Ends a batch between two chunks of it. */
  readonly signal: AbortSignal;
  /** How many proposals are on the output already. Default 0. */
  readonly written?: number;
}

/** A batch on its way. */
interface Batch {
  readonly refusals: Refusal[];
  /** How many of it are on the output, or as good as. */
  count: number;
  brokenOff: boolean;
}

/**
 * Writes batches one after the other, in the order of the calls, in chunks: a batch is never held
 * as text or as bytes as a whole. A proposal that has no JSON is refused and the others are written.
 * After the first failure of the output every write fails with that error.
 */
export class ProposalWriter {
  readonly #options: ProposalWriterOptions;
  #queue: Promise<unknown> = Promise.resolve();
  #written: number;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ProposalWriterOptions) {
    this.#options = options;
    this.#written = options.written ?? 0;
  }

  /** How many proposals are on the output. */
  get written(): number {
    return this.#written;
  }

  write(proposals: readonly Proposal[]): Promise<readonly Refusal[]> {
    return this.#next(() => this.#writeBatch(proposals));
  }

  /**
   * Writes what closes the framing, behind the writes that are on their way. Also after a failure:
   * what was written before it stays whole.
   */
  finish(): Promise<void> {
    return this.#next(async () => {
      const { framing, gzip } = this.#options;
      const nothing = this.#written === 0;
      const text = nothing ? framing.empty : framing.end;
      // No bytes at all are an empty text, but no gzip file.
      if (text !== '' || (gzip === true && nothing)) await this.#put([text]);
    });
  }

  /** Resolves when no write is on its way any more, whatever became of them. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  /** @throws whatever a write failed with, if one did */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #next<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined); // whoever called is told
    return result;
  }

  async #writeBatch(proposals: readonly Proposal[]): Promise<readonly Refusal[]> {
    const { output, signal } = this.#options;
    const batch: Batch = { refusals: [], count: 0, brokenOff: false };
    this.throwIfFailed();
    const texts = this.#textsOf(proposals, batch);
    const first = texts.next();
    // Nothing of it can be written, and an empty gzip member would be something.
    if (first.done === true) return batch.refusals;
    try {
      await this.#put(startingWith(first.value, texts));
      if (batch.brokenOff) throw brokenOff(signal);
      await output.commit?.(this.#written + batch.count);
    } catch (error) {
      if (!batch.brokenOff) this.#failure = { error };
      if (output.rollback === undefined) this.#written += batch.count;
      else await output.rollback();
      throw error;
    }
    this.#written += batch.count;
    return batch.refusals;
  }

  /** The batch as text, a chunk at a time: the next is made when the one before it is written. */
  *#textsOf(proposals: readonly Proposal[], batch: Batch): Generator<string, void> {
    const { framing, toJson, signal } = this.#options;
    let text = '';
    for (const proposal of proposals) {
      if (text.length >= CHUNK_LENGTH) {
        yield withoutLineBreaks(text);
        text = '';
        if (signal.aborted) {
          batch.brokenOff = true;
          return;
        }
      }
      let json: string;
      try {
        json = toJson(proposal);
      } catch (error) {
        batch.refusals.push(withoutJson(proposal, error));
        continue;
      }
      text += (this.#written + batch.count === 0 ? framing.first : framing.between) + json;
      text += framing.after;
      batch.count += 1;
    }
    if (text !== '') yield withoutLineBreaks(text);
  }

  async #put(texts: Iterable<string>): Promise<void> {
    const { output, gzip } = this.#options;
    if (gzip !== true) {
      for (const text of texts) await output.write(Buffer.from(text));
      return;
    }
    await pipeline(texts, createGzip({ chunkSize: GZIP_CHUNK_BYTES }), async (compressed) => {
      for await (const bytes of compressed) await output.write(bytes as Uint8Array);
    });
  }
}

function* startingWith<T>(first: T, rest: Iterable<T>): Generator<T, void> {
  yield first;
  yield* rest;
}

function withoutJson(proposal: Proposal, error: unknown): Refusal {
  return {
    proposal,
    code: 'NOT_JSON',
    message: `the proposal can't be written as JSON: ${messageOf(error)}`,
    attempts: 1,
  };
}

/** What a write ends with when the run is over before it. */
export function brokenOff(signal: AbortSignal): PipelineError {
  if (signal.reason instanceof PipelineError) return signal.reason;
  return new PipelineError('the run was broken off before everything was written', {
    code: 'ABORTED',
    category: 'unavailable',
    cause: signal.reason,
  });
}
