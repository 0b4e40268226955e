/**
 * Bytes to a Node stream, waiting until it took them.
 */

import type { Writable } from 'node:stream';
import { PipelineError } from '../core/errors.js';
import { errnoOf, writeFailed } from './failures.js';
import { brokenOff, type Output } from './proposal-writer.js';

/** The reader is gone: a broken pipe, or a stream that somebody closed. */
const CLOSED: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** Writes to a stream that it does not own: it neither ends nor destroys it. */
export class StreamOutput implements Output {
  readonly #stream: Writable;
  readonly #name: string;
  readonly #signal: AbortSignal;

  constructor(stream: Writable, name: string, signal: AbortSignal) {
    this.#stream = stream;
    this.#name = name;
    this.#signal = signal;
    // The callback of each write is told of its error; unheard, the event would end the process.
    stream.on('error', ignore);
  }

  /**
   * Resolves when the stream passed the bytes on, not when it buffered them.
   *
   * @throws PipelineError `OUTPUT_CLOSED` where the reader is gone, otherwise `SINK_FAILED`
   */
  write(bytes: Uint8Array): Promise<void> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(brokenOff(signal));
        return;
      }
      const abort = (): void => {
        reject(brokenOff(signal));
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#stream.write(bytes, (error) => {
        signal.removeEventListener('abort', abort);
        if (error == null) resolve();
        else reject(this.#failure(error));
      });
    });
  }

  /** The stream is its owner's again. One that broke keeps the listener: its event may yet come. */
  release(): void {
    if (!this.#stream.destroyed) this.#stream.off('error', ignore);
  }

  #failure(error: Error): PipelineError {
    if (!CLOSED.has(errnoOf(error))) return writeFailed(this.#name, this.#name, error);
    return new PipelineError(`${this.#name} was closed by whoever read it`, {
      code: 'OUTPUT_CLOSED',
      category: 'unavailable',
      cause: error,
    });
  }
}

const ignore = (): void => undefined;
