/**
 * What goes wrong between the sink and DataHub's service, as errors that say what to do.
 */

import { messageOf, PipelineError } from '../../core/errors.js';

/** Where a request went and how to speak of it. */
export interface Place {
  /** Method and URL without credentials: `POST http://host:8080/aspects`. */
  readonly request: string;
  /** Hides secrets in what the other side or a library says. */
  readonly redact: (text: string) => string;
}

/** An answer with a status other than 2xx, as far as its failure is told by it. */
export interface FailedAnswer {
  readonly status: number;
  readonly body: string;
  readonly location?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/**
 * The service understood the request and does not take what is in it: smaller requests tell which
 * of the proposals it is.
 */
export class RefusedError extends PipelineError {
  readonly status: number;
  /** What the service says, in a line. */
  readonly said: string;

  constructor(place: Place, status: number, said: string) {
    const quote = said === '' ? '' : `: ${said}`;
    super(`${place.request} answers ${status}${quote}`, {
      code: 'SINK_REFUSED',
      category: 'unavailable',
    });
    this.name = 'RefusedError';
    this.status = status;
    this.said = said;
  }
}

/** Status 500: the service failed, on its own account or because of what it was given. */
export class ServiceFailedError extends PipelineError {
  readonly said: string;

  constructor(place: Place, said: string, after: number | undefined) {
    super(`${place.request} answers 500: DataHub failed; its log says why${inBrackets(said)}`, {
      code: 'SINK_FAILED',
      category: 'unavailable',
      retryable: true,
      ...(after === undefined ? {} : { retryAfterMs: after }),
    });
    this.name = 'ServiceFailedError';
    this.said = said;
  }
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Of what undici and Node throw when no answer came. */
export function connectionFailure(error: unknown, place: Place): PipelineError {
  const code = codeOf(error);
  // The original stays out: libraries keep requests, with their headers, on their errors.
  const cause = Object.assign(
    new Error(place.redact(messageOf(error))),
    code === '' ? {} : { code },
  );
  const failure = (name: string, text: string, retryable: boolean): PipelineError =>
    new PipelineError(`${place.request} ${text}`, {
      code: name,
      category: 'unavailable',
      retryable,
      cause,
    });
  if (UNTRUSTED.has(code)) {
    return failure(
      'SINK_TLS_UNTRUSTED',
      `has a certificate that is not trusted (${code}): name its authority's certificate with ` +
        'caFile, or, on a network that you trust, set insecureTls',
      false,
    );
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return failure(
      'SINK_TLS_FAILED',
      `does not speak TLS there (${code}): is it http:// rather than https://?`,
      false,
    );
  }
  switch (code) {
    case 'ECONNREFUSED':
      return failure(
        'SINK_UNREACHABLE',
        'refuses the connection: is DataHub up, and are host and port right?',
        true,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failure(
        'SINK_UNREACHABLE',
        'has a host name that is not known (DNS): check the spelling, or the network',
        true,
      );
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return failure(
        'SINK_TIMEOUT',
        'does not accept a connection in time: check host, port and firewall',
        true,
      );
    case 'UND_ERR_INVALID_ARG':
      return failure('SINK_UNREACHABLE', `can't be asked: ${cause.message}`, false);
    default:
      return failure('SINK_UNREACHABLE', `breaks the connection off (${cause.message})`, true);
  }
}

export function timeoutFailure(place: Place, timeoutMs: number): PipelineError {
  return new PipelineError(
    `${place.request} has not answered in ${timeoutMs} ms: send smaller requests ` +
      '(maxBatchCount), or set a larger requestTimeoutMs',
    { code: 'SINK_TIMEOUT', category: 'unavailable', retryable: true },
  );
}

const NOT_THE_SERVICE =
  "this is not where DataHub's service listens: give its address (usually http://host:8080), or " +
  'through the web frontend the one with /api/gms behind it';

/** Of an answer with a status other than 2xx. */
export function statusFailure(answer: FailedAnswer, place: Place): PipelineError {
  const { status, retryAfterMs } = answer;
  const said = shortened(place.redact(messageIn(answer.body)));
  const failure = (code: string, text: string, retryable = false): PipelineError =>
    new PipelineError(`${place.request} answers ${status}: ${text}`, {
      code,
      category: 'unavailable',
      retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  if (status >= 300 && status < 400) {
    const target = place.redact(redirectTarget(answer.location));
    return failure(
      'SINK_REDIRECTED',
      `it redirects to ${target}: either a sign-on page stands in between (send its header or ` +
        `cookie with the option headers), or ${NOT_THE_SERVICE}`,
    );
  }
  switch (status) {
    case 401:
      return failure(
        'SINK_UNAUTHORIZED',
        'DataHub wants another access token. Set the option token or DATAHUB_GMS_TOKEN' +
          inBrackets(said),
      );
    case 403:
      return failure(
        'SINK_FORBIDDEN',
        'whom the access token belongs to may not write here: DataHub wants the privilege to ' +
          `edit entities${inBrackets(said)}`,
      );
    case 404:
    case 405:
    case 410:
      return failure('SINK_NOT_DATAHUB', NOT_THE_SERVICE);
    case 400:
      // From Rest.li itself, whatever the proposals are.
      if (/ingestProposalBatch not supported/i.test(said)) {
        return failure(
          'SINK_TOO_OLD',
          `this DataHub takes no batches: set maxBatchCount to 1, or upgrade it (${said})`,
        );
      }
      return new RefusedError(place, status, said);
    case 407:
      return failure(
        'SINK_PROXY_UNAUTHORIZED',
        'the proxy wants credentials. Put them in the proxy variable: http://user:password@proxy',
      );
    case 408:
    case 425:
      return failure('SINK_TIMEOUT', `the service gave up waiting${inBrackets(said)}`, true);
    case 429:
      return failure(
        'SINK_RATE_LIMITED',
        `too many requests: set a smaller concurrency, or wait${inBrackets(said)}`,
        true,
      );
    case 500:
      return new ServiceFailedError(place, said, retryAfterMs);
    default:
      return status > 500
        ? failure(
            'SINK_FAILED',
            `DataHub is not ready, or something before it${inBrackets(said)}`,
            true,
          )
        : new RefusedError(place, status, said);
  }
}

/** Of a 2xx answer that is a web page. */
export function webPage(place: Place): PipelineError {
  return new PipelineError(`${place.request} answers with a web page: ${NOT_THE_SERVICE}`, {
    code: 'SINK_NOT_DATAHUB',
    category: 'unavailable',
  });
}

/** Of a service that never took it in all the time it had. */
export function gaveUp(
  last: PipelineError | undefined,
  deliveryTimeoutMs: number,
  tries: number,
): PipelineError {
  const times = tries === 1 ? 'once' : `${tries} times`;
  return new PipelineError(
    `${last?.message ?? 'DataHub has not answered'} (tried ${times} in ${deliveryTimeoutMs} ms; ` +
      'deliveryTimeoutMs sets how long)',
    { code: last?.code ?? 'SINK_TIMEOUT', category: 'unavailable', retryable: true, cause: last },
  );
}

/** Of a run that is over before everything was confirmed. */
export function brokenOff(signal: AbortSignal): PipelineError {
  if (signal.reason instanceof PipelineError) return signal.reason;
  return new PipelineError('the run was broken off before DataHub confirmed everything', {
    code: 'ABORTED',
    category: 'unavailable',
    cause: signal.reason,
  });
}

export function isWebPage(body: string, contentType: string): boolean {
  return contentType.includes('html') || /^\s*<(!doctype|html)/i.test(body);
}

/** Longer than the sentence that says what is wrong, shorter than the stack trace behind it. */
const LONGEST_QUOTE = 500;

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line;
}

/** Rest.li answers `{"message", "exceptionClass", "stackTrace", "status"}`. Web pages say nothing. */
function messageIn(body: string): string {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null) {
      for (const key of ['message', 'error', 'title', 'detail']) {
        const value = (json as Record<string, unknown>)[key];
        if (typeof value === 'string' && value !== '') return value;
      }
      return '';
    }
  } catch {
    // Not JSON: quoted as the text that it is.
  }
  return /^\s*</.test(body) ? '' : body;
}

function inBrackets(said: string): string {
  return said === '' ? '' : ` (${said})`;
}

/** Without its query, which carries secrets of the sign-on. */
function redirectTarget(location: string | undefined): string {
  if (location === undefined || location === '') return 'nowhere';
  if (!URL.canParse(location)) return location.replace(/[?#].*$/s, '');
  const { origin, pathname } = new URL(location);
  return origin + pathname;
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses of a host were tried: each has its own error.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error ? codeOf(error.cause) : '';
}
