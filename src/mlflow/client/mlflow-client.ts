/**
 * A client of one MLflow server: sends a request, tries again where that can help, and gives JSON
 * or an error that says what to do.
 */

import type { Dispatcher } from 'undici';
import { PipelineError } from '../../core/errors.js';
import { retry, retryAfterMs, type RetryOptions } from '../../core/retry.js';
import { hideSecrets } from '../../core/secrets.js';
import type { Address } from '../address.js';
import { queryText, type Call, type JsonObject } from './call.js';
import { openDispatcher } from './dispatcher.js';
import { first, lowerCase, WORKSPACE_HEADER } from './headers.js';
import {
  connectionFailure,
  HttpStatusError,
  notJson,
  ResponseTooLargeError,
  statusFailure,
  timeoutFailure,
  wrongAnswer,
  type Place,
} from './failures.js';
import { Pace, type Turn } from './pace.js';
import type { ClientSettings } from './settings.js';

/** Where requests are counted. */
export interface RequestCounter {
  requests: number;
  retries: number;
}

export interface MlflowClientOptions extends Omit<RetryOptions, 'onRetry'> {
  readonly settings: ClientSettings;
  /** Connections at a time. */
  readonly connections: number;
  /** From the start of a request to the end of its answer, milliseconds. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Requests in a second; absent where only the server's complaints limit them. */
  readonly maxRequestsPerSecond?: number | undefined;
  readonly counter: RequestCounter;
  /** Told when a request has failed for the first time and is tried again. */
  readonly onFirstRetry?: (error: PipelineError) => void;
  /** Told how many requests a second there are to be, when the server says that it gets too many. */
  readonly onSlower?: (perSecond: number) => void;
}

export type { Call, JsonObject } from './call.js';

/** @throws PipelineError `SERVER_CERT_UNREADABLE` (usage) */
export async function openMlflowClient(options: MlflowClientOptions): Promise<MlflowClient> {
  const { settings, connections, timeoutMs } = options;
  return new MlflowClient(options, await openDispatcher(settings, connections, timeoutMs));
}

/**
 * Every method rejects with a `PipelineError` (codes `SOURCE_…`), whose texts hold no secret, or
 * with the signal's reason once that is aborted.
 */
export class MlflowClient {
  readonly address: Address;
  /** Where the API's endpoints are, behind the address's prefix. Set by the probe. */
  api = '/api/2.0/mlflow';
  #headers: Readonly<Record<string, string>>;
  readonly #redact: (text: string) => string;
  readonly #proxy: string | undefined;
  readonly #shared: Shared;

  /** @param shared - that of another client of the same server */
  constructor(
    private readonly options: MlflowClientOptions,
    private readonly dispatcher: Dispatcher,
    shared?: Shared,
  ) {
    const { address, authorization, headers, secrets, proxy } = options.settings;
    this.address = address;
    this.#headers = {
      'user-agent': 'mlflow-datahub',
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
      ...lowerCase(headers),
    };
    this.#redact = hideSecrets({ secrets, headerValues: Object.values(headers) });
    this.#proxy = proxy === undefined ? undefined : new URL(proxy).host;
    const { maxRequestsPerSecond: maxPerSecond } = options;
    this.#shared = shared ?? {
      pace: new Pace(maxPerSecond === undefined ? {} : { maxPerSecond }),
      closed: false,
    };
  }

  /**
   * The same client in a workspace of its server. It shares the connections and the pace, and is
   * closed with this one.
   */
  inWorkspace(name: string): MlflowClient {
    const client = new MlflowClient(this.options, this.dispatcher, this.#shared);
    client.#headers = { ...this.#headers, [WORKSPACE_HEADER]: name };
    client.api = this.api;
    return client;
  }

  /** The JSON object that the server answers with. */
  async json(call: Call): Promise<JsonObject> {
    return (await this.measuredJson(call)).json;
  }

  /** The same with the length of its text, in characters. */
  async measuredJson(call: Call): Promise<{ readonly json: JsonObject; readonly length: number }> {
    return this.#withRetries(call, async () => {
      const { text, contentType, place } = await this.#send(call);
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        throw notJson(text, contentType, place);
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw wrongAnswer(place.request, 'it is no object');
      }
      return { json: value as JsonObject, length: text.length };
    });
  }

  /** What the server answers with, as it is. */
  async text(call: Call): Promise<string> {
    return this.#withRetries(call, async () => (await this.#send(call)).text);
  }

  /** How to speak of a call: method and URL, without its query. */
  describe(call: Call): string {
    return this.#place(call).request;
  }

  async close(): Promise<void> {
    // Nobody waits for an answer any more: whatever is open may go at once.
    this.#shared.closed = true;
    await this.dispatcher.destroy();
  }

  async #withRetries<T>(call: Call, attempt: () => Promise<T>): Promise<T> {
    const { options } = this;
    let isFirst = true;
    return retry(attempt, {
      retries: Math.min(call.retries ?? options.retries, options.retries),
      minDelayMs: options.minDelayMs,
      maxDelayMs: options.maxDelayMs,
      maxRetryAfterMs: options.maxRetryAfterMs,
      signal: options.signal,
      onRetry: (error) => {
        options.counter.retries += 1;
        if (isFirst) options.onFirstRetry?.(error);
        isFirst = false;
      },
    });
  }

  async #send(call: Call): Promise<{ text: string; contentType: string; place: Place }> {
    const { signal, timeoutMs, counter } = this.options;
    const place = this.#place(call);
    const turn = await this.#shared.pace.turn(signal);
    this.#throwIfClosed(place);
    // One controller for both ends of patience. (AbortSignal.any keeps its sources' listeners.)
    const controller = new AbortController();
    const stop = (): void => {
      controller.abort(signal.reason);
    };
    const timeout = { passed: false };
    const timer = setTimeout(() => {
      timeout.passed = true;
      controller.abort();
    }, timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    try {
      counter.requests += 1;
      const answer = await this.#exchange(call, place, controller.signal);
      this.#shared.pace.answered();
      return answer;
    } catch (error) {
      if (error instanceof HttpStatusError) this.#heed(error, turn);
      signal.throwIfAborted();
      this.#throwIfClosed(place);
      if (timeout.passed) throw timeoutFailure(place, timeoutMs);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** A refusal says as well whether requests come too fast. */
  #heed({ status, retryAfterMs: waitMs = 0 }: HttpStatusError, turn: Turn): void {
    if (status !== TOO_MANY_REQUESTS) {
      this.#shared.pace.answered();
      return;
    }
    const isSlower = this.#shared.pace.tooMany(
      turn,
      Math.min(waitMs, this.options.maxRetryAfterMs),
    );
    if (isSlower) this.options.onSlower?.(this.#shared.pace.perSecond);
  }

  /** For what was on its way: that is no failure of the server's, and nothing to try again. */
  #throwIfClosed({ request }: Place): void {
    if (!this.#shared.closed) return;
    throw new PipelineError(`${request} was broken off, because its client was closed`, {
      code: 'SOURCE_CLOSED',
      category: 'unavailable',
    });
  }

  async #exchange(
    call: Call,
    place: Place,
    signal: AbortSignal,
  ): Promise<{ text: string; contentType: string; place: Place }> {
    const { origin } = this.address;
    const json = call.body === undefined ? undefined : JSON.stringify(call.body);
    try {
      const answer = await this.dispatcher.request({
        origin,
        path: this.#path(call) + queryText(call.query),
        method: call.method,
        headers: {
          ...this.#headers,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: json ?? null,
        signal,
      });
      const { statusCode: status, headers } = answer;
      const text = await this.#read(answer.body, status, place);
      if (status >= 200 && status < 300) {
        return { text, contentType: first(headers['content-type']) ?? '', place };
      }
      throw statusFailure(
        {
          status,
          body: text,
          location: first(headers['location']),
          retryAfterMs: retryAfterMs(first(headers['retry-after'])),
        },
        place,
      );
    } catch (error) {
      if (error instanceof PipelineError) throw error;
      throw connectionFailure(error, place);
    }
  }

  /** Counts the bytes while they come, so that an endless body can't fill the memory. */
  async #read(
    body: Dispatcher.ResponseData['body'],
    status: number,
    place: Place,
  ): Promise<string> {
    const failed = status < 200 || status >= 300;
    const limit = failed ? LONGEST_ERROR_BYTES : this.options.maxResponseBytes;
    const chunks: Uint8Array[] = [];
    let length = 0;
    // Leaving the loop early destroys the body and with it the connection.
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= limit) continue;
      if (failed) break;
      throw new ResponseTooLargeError(place, limit, chunks);
    }
    return Buffer.concat(chunks, length).toString('utf8');
  }

  #path(call: Call): string {
    const path = call.path.startsWith('/') ? call.path : `${this.api}/${call.path}`;
    return (call.fromRoot === true ? '' : this.address.prefix) + path;
  }

  #place(call: Call): Place {
    return {
      request: `${call.method} ${this.address.origin}${this.#path(call)}`,
      redact: this.#redact,
      ...(this.#proxy === undefined ? {} : { proxy: this.#proxy }),
    };
  }
}

/** What all clients of a server have in common. */
interface Shared {
  readonly pace: Pace;
  closed: boolean;
}

const TOO_MANY_REQUESTS = 429;

/** Of an error's body this much is read: it is quoted from, not used. */
const LONGEST_ERROR_BYTES = 64 * 1024;
