import { setMaxListeners } from 'node:events';
import { PipelineError } from '../core/errors.js';

/** After the grace time, how long a component may take to heed its signal; the grace time if less. */
const LAST_MS = 2_000;

/**
 * Ends a run in two steps: first no more is read and what is on its way is delivered, then, when
 * the grace time is over, everything is broken off, also what pays no heed to its signal.
 */
export class StopSwitch {
  readonly #halt = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #signal: AbortSignal | undefined;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  #requested = false;

  constructor(signal: AbortSignal | undefined, graceMs: number) {
    this.#signal = signal;
    this.#graceMs = graceMs;
    // Every request and every wait listens, dozens at a time: Node would take that for a leak.
    setMaxListeners(0, this.#halt.signal);
    if (signal?.aborted === true) this.#stop();
    else signal?.addEventListener('abort', this.#stop, { once: true });
  }

  /** Whether somebody asked for an end before the pages came to one. */
  get requested(): boolean {
    return this.#requested;
  }

  /** Whether the reading has begun: before, nothing is on its way. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Aborted when the grace time is over. */
  get halted(): AbortSignal {
    return this.#halt.signal;
  }

  /** Passes calls on until a stop is asked for; then it ends, whatever is still being fetched. */
  until<T>(pages: AsyncIterable<T>): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        this.#reading = true;
        const iterator = pages[Symbol.asyncIterator]();
        return {
          next: () => (this.#requested ? Promise.resolve(END) : this.#orStop(iterator.next(), END)),
          return: async () => {
            await iterator.return?.();
            return END;
          },
        };
      },
    };
  }

  /** From now on what is still under way has the grace time to end. */
  startGrace(): void {
    this.#timer ??= setTimeout(() => {
      this.#halt.abort();
    }, this.#graceMs);
  }

  /**
   * Waits for `work`, but not for ever once the grace time is over.
   *
   * @param what - for the message: `sink file out.json`
   * @throws PipelineError `GRACE_TIME_OVER` where the work did not end
   */
  async within<T>(work: Promise<T>, what: string): Promise<T> {
    let giveUp: () => void = () => undefined;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      giveUp = () => {
        timer = setTimeout(
          () => {
            reject(
              new PipelineError(`${what} did not end within the grace time, and was left alone`, {
                code: 'GRACE_TIME_OVER',
                category: 'unavailable',
              }),
            );
          },
          Math.min(LAST_MS, this.#graceMs),
        );
      };
    });
    if (this.halted.aborted) giveUp();
    else this.halted.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
      this.halted.removeEventListener('abort', giveUp);
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#halt.abort();
  }

  readonly #stop = (): void => {
    this.#requested = true;
    // Before the reading nothing is on its way that would have to be delivered.
    if (this.#reading) this.startGrace();
    else this.#halt.abort();
    for (const end of this.#waiting) end();
    this.#waiting.clear();
  };

  /** Not `Promise.race`: on one promise that lives as long as the run it would leak. */
  #orStop<T>(answer: Promise<T>, atStop: T): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        resolve(atStop);
      };
      this.#waiting.add(end);
      answer.then(resolve, reject).finally(() => this.#waiting.delete(end));
    });
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
