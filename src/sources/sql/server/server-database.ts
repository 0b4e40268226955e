/**
 * A database that is a server: one connection, opened when it is needed and anew when it is lost.
 */

import { retry } from '../../../core/retry.js';
import type { RunContext } from '../../../stream/contracts.js';
import type { Ask, Dialect, Reading, Row, SqlDatabase } from '../query.js';
import { NoAnswer } from './failures.js';
import type { ServerSettings } from './options.js';

/** Tries again at most, where the server has never answered: a wrong port is told within seconds. */
const FIRST_RETRIES = 2;

/** Beyond the limits that server and driver are told, in case that they don't keep them; milliseconds. */
const GRACE_MS = 5_000;
const withGrace = (ms: number): number => ms + Math.min(ms, GRACE_MS);

/** One connection. What it throws is of its driver: `Connector.failure` tells what it means. */
export interface Connection {
  /** Begins a transaction that can only read. */
  begin(): Promise<void>;
  query(ask: Ask): Promise<readonly Row[]>;
  /** Ends the transaction. */
  end(): Promise<void>;
  /** Ends the connection at once, whatever goes on in it. */
  destroy(): void;
}

export interface Connector {
  readonly dialect: Dialect;
  readonly connect: () => Promise<Connection>;
  /** A PipelineError for what the driver threw; other errors as they are. */
  readonly failure: (error: unknown) => unknown;
}

/** Readings are done one after the other. */
export class ServerDatabase implements SqlDatabase {
  readonly dialect: Dialect;
  readonly #connector: Connector;
  readonly #settings: ServerSettings;
  readonly #context: RunContext;
  #connection: Connection | undefined;
  #hasAnswered = false;
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connector: Connector, settings: ServerSettings, context: RunContext) {
    this.dialect = connector.dialect;
    this.#connector = connector;
    this.#settings = settings;
    this.#context = context;
  }

  async read<T>(reading: () => Reading<T>): Promise<T> {
    const before = this.#turn;
    const mine = (async () => {
      // What became of the one before is told to who asked for it.
      await before.catch(() => undefined);
      return await this.#readWithRetries(reading);
    })();
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#drop();
    return Promise.resolve();
  }

  async #readWithRetries<T>(reading: () => Reading<T>): Promise<T> {
    const { signal, recorder } = this.#context;
    const { retries, minRetryDelayMs, maxRetryDelayMs } = this.#settings;
    return await retry(() => this.#attempt(reading), {
      retries: this.#hasAnswered ? retries : Math.min(retries, FIRST_RETRIES),
      minDelayMs: minRetryDelayMs,
      maxDelayMs: maxRetryDelayMs,
      maxRetryAfterMs: 0,
      signal,
      onRetry: () => {
        recorder.retries += 1;
      },
    });
  }

  async #attempt<T>(reading: () => Reading<T>): Promise<T> {
    const { signal } = this.#context;
    const { timeoutMs } = this.#settings;
    signal.throwIfAborted();
    try {
      const connection = await this.#connected();
      const answer = <A>(asked: Promise<A>): Promise<A> =>
        within(withGrace(timeoutMs), asked, signal);
      await answer(connection.begin());
      const steps = reading();
      let step = steps.next();
      while (step.done !== true) step = steps.next(await answer(connection.query(step.value)));
      await answer(connection.end());
      return step.value;
    } catch (error) {
      // Whatever state it is in: the next one begins in a known one.
      this.#drop();
      signal.throwIfAborted();
      throw this.#connector.failure(error);
    }
  }

  async #connected(): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    const { connectTimeoutMs } = this.#settings;
    const connecting = this.#connector.connect();
    const connection = await within(
      withGrace(connectTimeoutMs),
      connecting,
      this.#context.signal,
      () => {
        // Nobody waits for it any more.
        void connecting.then(
          (late) => {
            late.destroy();
          },
          () => undefined,
        );
      },
    );
    if (this.#closed) {
      connection.destroy();
      throw new Error('the database was closed while it was read');
    }
    this.#hasAnswered = true;
    this.#connection = connection;
    return connection;
  }

  #drop(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

/**
 * What was asked for, unless it takes longer or the run is over: drivers wait for ever on a server that
 * was cut off, some even when they are told to end.
 *
 * @throws NoAnswer, or the signal's reason
 */
async function within<T>(
  ms: number,
  asked: Promise<T>,
  signal: AbortSignal,
  onGivenUp?: () => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    const giveUp = (reason: Error): void => {
      onGivenUp?.();
      reject(reason);
    };
    timer = setTimeout(giveUp, ms, new NoAnswer(ms));
    onAbort = () => {
      giveUp(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([asked, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
