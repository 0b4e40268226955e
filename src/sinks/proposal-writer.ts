/**
 * From batches of proposals to text on an output: what the file sink and standard output share.
 */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { messageOf, PipelineError } from '../core/errors.js';
import type { Proposal } from '../datahub/proposal.js';
import type { Refusal } from '../stream/contracts.js';

/** Where bytes go. */
export interface Output {
  /**
   * Resolves when the bytes were handed to the operating system. After a rejection none of them
   * counts as written. Calls never overlap.
   */
  write(bytes: Uint8Array): Promise<void>;
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

/** A proposal a line. */
export const LINES: Framing = { first: '', between: '', after: '\n', end: '', empty: '' };

/** One array, a proposal a line inside it. */
export const ARRAY: Framing = {
  first: '[\n',
  between: ',\n',
  after: '',
  end: '\n]\n',
  empty: '[]\n',
};

const compress = promisify(gzip);

/** In UTF-16 units: long enough to make calls rare, short enough to be nothing in memory. */
const CHUNK_LENGTH = 256 * 1024;

export interface ProposalWriterOptions {
  readonly output: Output;
  readonly framing: Framing;
  /**
   * With gzip, what is written at a time becomes a member of its own: the members of a gzip file
   * are read as one, and a write is on the output when it resolves, not waiting in a compressor.
   */
  readonly gzip?: boolean;
  readonly toJson: (proposal: Proposal) => string;
  /** Ends a batch between two chunks of it. */
  readonly signal: AbortSignal;
}

/**
 * Writes batches one after the other, in the order of the calls, in chunks: a batch is never held
 * as text as a whole. A proposal that has no JSON is refused and the others are written. After the
 * first failure of the output every write fails with that error.
 */
export class ProposalWriter {
  readonly #options: ProposalWriterOptions;
  #queue: Promise<unknown> = Promise.resolve();
  #written = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ProposalWriterOptions) {
    this.#options = options;
  }

  /** How many proposals are on the output. */
  get written(): number {
    return this.#written;
  }

  write(proposals: readonly Proposal[]): Promise<readonly Refusal[]> {
    const result = this.#queue.then(() => this.#writeBatch(proposals));
    this.#queue = result.catch(() => undefined); // whoever called is told
    return result;
  }

  /**
   * Writes what closes the framing, also after a failure: what was written before it stays whole.
   */
  async finish(): Promise<void> {
    const { output, framing, gzip } = this.#options;
    const nothing = this.#written === 0;
    const text = nothing ? framing.empty : framing.end;
    // No bytes at all are an empty text, but no gzip file.
    if (text !== '' || (gzip === true && nothing)) await output.write(await this.#encode(text));
  }

  /** @throws whatever a write failed with, if one did */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #writeBatch(proposals: readonly Proposal[]): Promise<readonly Refusal[]> {
    const { framing, toJson, signal } = this.#options;
    const refusals: Refusal[] = [];
    let text = '';
    let count = 0;
    const flush = async (): Promise<void> => {
      await this.#writeChunk(text);
      this.#written += count;
      text = '';
      count = 0;
    };
    this.throwIfFailed();
    for (const proposal of proposals) {
      let json: string;
      try {
        json = toJson(proposal);
      } catch (error) {
        refusals.push(withoutJson(proposal, error));
        continue;
      }
      text += (this.#written + count === 0 ? framing.first : framing.between) + json;
      text += framing.after;
      count += 1;
      if (text.length >= CHUNK_LENGTH) {
        await flush();
        if (signal.aborted) throw brokenOff(signal);
      }
    }
    if (count > 0) await flush();
    return refusals;
  }

  async #writeChunk(text: string): Promise<void> {
    try {
      await this.#options.output.write(await this.#encode(text));
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  async #encode(text: string): Promise<Uint8Array> {
    return this.#options.gzip === true ? compress(text) : Buffer.from(text);
  }
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
