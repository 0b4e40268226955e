/**
 * Requests to DataHub's service: one try each. When to try again is up to the caller.
 */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { messageOf, PipelineError } from '../../core/errors.js';
import { retryAfterMs } from '../../core/retry.js';
import { hideSecrets } from '../../core/secrets.js';
import type { RunContext } from '../../stream/contracts.js';
import { bearer, decode, type ServiceAddress } from './address.js';
import {
  brokenOff,
  connectionFailure,
  isWebPage,
  statusFailure,
  timeoutFailure,
  webPage,
  type Place,
} from './failures.js';
import type { DataHubRestSettings } from './options.js';

/** Answers hold little; what is longer is not read to its end. */
const LONGEST_ANSWER_BYTES = 256 * 1024;
/** The longest wait for a connection, milliseconds, where a request may take longer than that. */
const LONGEST_CONNECT_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  /** How long the service asks to be left alone, where it does. */
  readonly retryAfterMs?: number;
}

/** @throws PipelineError `CERTIFICATE_UNREADABLE` (usage) */
export async function openServiceClient(
  address: ServiceAddress,
  settings: DataHubRestSettings,
  context: RunContext,
): Promise<ServiceClient> {
  const dispatcher = await openDispatcher(settings, context);
  return new ServiceClient(address, settings, context, dispatcher);
}

/** Every method rejects with a `PipelineError` whose texts hold no secret. */
export class ServiceClient {
  /** Whether requests say who asks. */
  readonly authorized: boolean;
  readonly #address: ServiceAddress;
  readonly #timeoutMs: number;
  readonly #longestWaitMs: number;
  readonly #context: RunContext;
  readonly #dispatcher: Dispatcher;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #redact: (text: string) => string;
  /** Before this time (milliseconds since 1970) the service wants to hear nothing. */
  #quietUntil = 0;

  constructor(
    address: ServiceAddress,
    settings: DataHubRestSettings,
    context: RunContext,
    dispatcher: Dispatcher,
  ) {
    this.#address = address;
    this.#timeoutMs = settings.requestTimeoutMs;
    this.#longestWaitMs = settings.deliveryTimeoutMs;
    this.#context = context;
    this.#dispatcher = dispatcher;
    const token = settings.token ?? tokenOf(address, context);
    const authorization = token === undefined ? address.authorization : bearer(token);
    this.authorized = authorization !== undefined;
    this.#headers = {
      'user-agent': 'mlflow-datahub',
      accept: 'application/json',
      'x-restli-protocol-version': '2.0.0',
      ...(authorization === undefined ? {} : { authorization }),
      ...lowerCase(settings.headers),
    };
    this.#redact = hideSecrets({
      // That of the environment also where another one is used.
      secrets: [
        ...address.secrets,
        token,
        set(context.env['DATAHUB_GMS_TOKEN']),
        ...Object.values(proxiesOf(context)).map(passwordOf),
      ],
      headerValues: Object.values(settings.headers),
    });
  }

  /** Sends a JSON body. Resolves when the service has confirmed it with a 2xx. */
  async post(path: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const place = this.#place('POST', path);
    const answer = await this.#exchange(place, path, body, signal);
    // A sign-on page or the web frontend answers anything with 200.
    if (isWebPage(answer.body, answer.contentType)) throw webPage(place);
  }

  /** Gives any answer but a failure of the service itself. */
  async get(path: string): Promise<Answer> {
    const { signal } = this.#context;
    return this.#exchange(this.#place('GET', path), path, undefined, signal, true);
  }

  describe(method: string, path: string): Place {
    return this.#place(method, path);
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #exchange(
    place: Place,
    path: string,
    body: Uint8Array | undefined,
    signal: AbortSignal,
    anyStatus = false,
  ): Promise<Answer> {
    await this.#quiet(signal);
    throwIfBrokenOff(signal);
    // One controller for both ends of patience. (AbortSignal.any keeps its sources' listeners.)
    const controller = new AbortController();
    const stop = (): void => {
      controller.abort();
    };
    const timer = setTimeout(stop, this.#timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    try {
      this.#context.recorder.requests += 1;
      return await this.#send(place, path, body, controller.signal, anyStatus);
    } catch (error) {
      throwIfBrokenOff(signal);
      if (controller.signal.aborted) throw timeoutFailure(place, this.#timeoutMs);
      throw error instanceof PipelineError ? error : connectionFailure(error, place);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  async #send(
    place: Place,
    path: string,
    body: Uint8Array | undefined,
    signal: AbortSignal,
    anyStatus: boolean,
  ): Promise<Answer> {
    const { origin, prefix } = this.#address;
    const answer = await this.#dispatcher.request({
      origin,
      path: prefix + path,
      method: body === undefined ? 'GET' : 'POST',
      headers:
        body === undefined
          ? this.#headers
          : { ...this.#headers, 'content-type': 'application/json' },
      body: body ?? null,
      signal,
    });
    const { statusCode: status, headers } = answer;
    const text = await readStart(answer.body);
    const contentType = first(headers['content-type']) ?? '';
    const asked = retryAfterMs(first(headers['retry-after']));
    // Longer than it may take at all is as good as for ever.
    const wait = asked === undefined ? undefined : Math.min(asked, this.#longestWaitMs);
    if (anyStatus || (status >= 200 && status < 300)) {
      const quiet = wait === undefined ? {} : { retryAfterMs: wait };
      return { status, body: text, contentType, ...quiet };
    }
    // Meant for everybody who asks, not for this request alone.
    if (status === 429 && wait !== undefined) {
      this.#quietUntil = Math.max(this.#quietUntil, Date.now() + wait);
    }
    throw statusFailure(
      { status, body: text, location: first(headers['location']), retryAfterMs: wait },
      place,
    );
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    for (let wait = this.#wait(); wait > 0; wait = this.#wait()) {
      try {
        await sleep(wait, undefined, { signal });
      } catch {
        throw brokenOff(signal);
      }
    }
  }

  #wait(): number {
    return this.#quietUntil - Date.now();
  }

  #place(method: string, path: string): Place {
    const { shown } = this.#address;
    return { request: `${method} ${shown}${path.replace(/\?.*$/s, '')}`, redact: this.#redact };
  }
}

function throwIfBrokenOff(signal: AbortSignal): void {
  if (signal.aborted) throw brokenOff(signal);
}

/** The address's own credentials come before the environment's. */
function tokenOf(address: ServiceAddress, { env }: RunContext): string | undefined {
  if (address.authorization !== undefined) return undefined;
  // Read from a file by a shell or a secret store, it often has a line's end.
  return set(env['DATAHUB_GMS_TOKEN']?.trim());
}

async function openDispatcher(
  { caFile, insecureTls, concurrency, requestTimeoutMs }: DataHubRestSettings,
  context: RunContext,
): Promise<Dispatcher> {
  const ca = caFile === undefined ? {} : { ca: await readCertificates(caFile) };
  const timeout = Math.min(requestTimeoutMs, LONGEST_CONNECT_MS);
  const tls = { rejectUnauthorized: !insecureTls, ...ca, timeout };
  // Loaded only where it is needed: it takes a tenth of a second.
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    connections: concurrency,
    pipelining: 1,
    connect: tls,
    // Each request has a deadline of its own over all its parts.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Said explicitly even where there is none: it would read the process's environment otherwise.
    ...proxiesOf(context),
    requestTls: tls,
    proxyTls: { timeout },
    proxyTunnel: false,
  });
}

/** Lower case first, as curl and Python have it. */
function proxiesOf({ env }: RunContext): Record<'httpProxy' | 'httpsProxy' | 'noProxy', string> {
  const either = (name: string): string => set(env[name]) ?? set(env[name.toUpperCase()]) ?? '';
  return {
    httpProxy: either('http_proxy'),
    httpsProxy: either('https_proxy'),
    noProxy: either('no_proxy'),
  };
}

function passwordOf(proxy: string): string | undefined {
  return URL.canParse(proxy) ? set(decode(new URL(proxy).password)) : undefined;
}

async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PipelineError(
      `dataHubRestSink: the certificates in ${path} can't be read (${messageOf(error)}): caFile ` +
        'must name a PEM file',
      { code: 'CERTIFICATE_UNREADABLE', category: 'usage', cause: error },
    );
  }
}

/** Of a long body only the start: leaving the loop early lets go of the connection. */
async function readStart(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks, length).toString('utf8');
}

/** Header names don't differ by case, and an option must replace ours, not stand beside it. */
function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function set(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}
