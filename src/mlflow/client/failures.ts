/**
 * What goes wrong between a client and a server, as errors that say what to do.
 */

import { messageOf, PipelineError, type PipelineErrorOptions } from '../../core/errors.js';

/** Where a request went and how to speak of it. */
export interface Place {
  /** Method and URL without credentials: `GET http://host:5000/version`. */
  readonly request: string;
  /** The proxy in between, without credentials. */
  readonly proxy?: string;
  /** Hides secrets in what the other side or a library says. */
  readonly redact: (text: string) => string;
}

/** An answer with a status other than 2xx. */
export class HttpStatusError extends PipelineError {
  readonly status: number;
  /** MLflow's `error_code`: `RESOURCE_DOES_NOT_EXIST`. Absent where the answer is not MLflow's. */
  readonly errorCode: string | undefined;
  /** MLflow's `message`. */
  readonly serverMessage: string | undefined;

  constructor(message: string, options: PipelineErrorOptions, status: number, said: ServerSaid) {
    super(message, options);
    this.name = 'HttpStatusError';
    this.status = status;
    this.errorCode = said.errorCode;
    this.serverMessage = said.message;
  }
}

/** A body longer than is allowed; what was read of it is kept to find out whose it is. */
export class ResponseTooLargeError extends PipelineError {
  readonly chunks: readonly Uint8Array[];

  constructor(place: Place, maxResponseBytes: number, chunks: readonly Uint8Array[]) {
    super(
      `${place.request} answers with more than ${maxResponseBytes} bytes: ` +
        'set a larger maxResponseBytes',
      { code: 'SOURCE_RESPONSE_TOO_LARGE', category: 'unavailable' },
    );
    this.name = 'ResponseTooLargeError';
    this.chunks = chunks;
  }
}

interface ServerSaid {
  readonly errorCode: string | undefined;
  readonly message: string | undefined;
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UND_ERR_PRX_TLS',
]);

/** Of what undici and Node throw when no answer came. */
export function connectionFailure(error: unknown, place: Place): PipelineError {
  const code = codeOf(error);
  const at = place.proxy === undefined ? place.request : `${place.request} (proxy ${place.proxy})`;
  // The original stays out: libraries keep requests, with their headers, on their errors.
  const cause = Object.assign(
    new Error(place.redact(messageOf(error))),
    code === '' ? {} : { code },
  );
  const failure = (name: string, text: string, retryable: boolean): PipelineError =>
    new PipelineError(`${at} ${text}`, { code: name, category: 'unavailable', retryable, cause });

  if (UNTRUSTED.has(code)) {
    return failure(
      'SOURCE_TLS_UNTRUSTED',
      `has a certificate that is not trusted (${code}): name its authority's certificate with ` +
        'serverCertPath or MLFLOW_TRACKING_SERVER_CERT_PATH, or, on a network that you trust, ' +
        'set insecureTls or MLFLOW_TRACKING_INSECURE_TLS=true',
      false,
    );
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return failure(
      'SOURCE_TLS_FAILED',
      `does not speak TLS there (${code}): is it http:// rather than https://?`,
      false,
    );
  }
  switch (code) {
    case 'ECONNREFUSED':
      return failure(
        'SOURCE_UNREACHABLE',
        'refuses the connection: is the server up, and are host and port right?',
        true,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failure(
        'SOURCE_UNREACHABLE',
        'has a host name that is not known (DNS): check the spelling, or the network',
        true,
      );
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return failure(
        'SOURCE_TIMEOUT',
        'does not accept a connection in time: check host, port and firewall',
        true,
      );
    case 'UND_ERR_INVALID_ARG':
      return failure('SOURCE_UNREACHABLE', `can't be asked: ${cause.message}`, false);
    default:
      return failure(
        'SOURCE_UNREACHABLE',
        `breaks the connection off (${cause.message}): is something between here and the server, ` +
          'or is it overloaded?',
        true,
      );
  }
}

export function timeoutFailure(place: Place, timeoutMs: number): PipelineError {
  return new PipelineError(
    `${place.request} has not answered in ${timeoutMs} ms: ask for smaller pages, or set a ` +
      'larger timeoutMs',
    { code: 'SOURCE_TIMEOUT', category: 'unavailable', retryable: true },
  );
}

/** An answer as far as its failure is told by it. */
export interface FailedAnswer {
  readonly status: number;
  readonly body: string;
  readonly location?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** Of an answer with a status other than 2xx. */
export function statusFailure(answer: FailedAnswer, place: Place): HttpStatusError {
  const { status, body } = answer;
  const said = serverSaid(body);
  const shown = { errorCode: said.errorCode, message: mapText(said.message, place.redact) };
  const quote = place.redact(quoteOf(said, body));
  const failure = (code: string, text: string, retryable = false): HttpStatusError => {
    const { retryAfterMs } = answer;
    return new HttpStatusError(
      `${place.request} answers ${status}${text}`,
      {
        code,
        category: 'unavailable',
        retryable,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      },
      status,
      shown,
    );
  };

  if (status >= 300 && status < 400) {
    const target = place.redact(redirectTarget(answer.location));
    return failure(
      'SOURCE_REDIRECTED',
      `, a redirect to ${target}: either a sign-on page stands in between (send its header or ` +
        'cookie with the option headers), or the server has moved (give the new address)',
    );
  }
  switch (status) {
    case 401:
      return failure(
        'SOURCE_UNAUTHORIZED',
        `: it wants other credentials. Check username and password, or the token${quote}`,
      );
    case 403:
      return /host header/i.test(body)
        ? failure(
            'SOURCE_FORBIDDEN',
            ': MLflow 3 answers only to host names that it knows. Start it with ' +
              `--allowed-hosts naming this one, or use an address that it knows${quote}`,
          )
        : failure('SOURCE_FORBIDDEN', `: these credentials may not read here${quote}`);
    case 404:
      return failure('SOURCE_NOT_FOUND', `: there is no such thing at this address${quote}`);
    case 407:
      return failure(
        'SOURCE_PROXY_UNAUTHORIZED',
        ': the proxy wants credentials. Put them in the proxy variable: http://user:password@proxy',
      );
    case 429:
      return failure(
        'SOURCE_RATE_LIMITED',
        `: too many requests. Set maxRequestsPerSecond to what it allows, or wait${quote}`,
        true,
      );
    default:
      return status >= 500
        ? failure(
            'SOURCE_FAILED',
            `: the server failed; its log says why${quote}`,
            // What is turned off is not turned on by asking again.
            said.errorCode !== 'FEATURE_DISABLED',
          )
        : failure('SOURCE_REFUSED', `: the server refuses the request${quote}`);
  }
}

/** Of a 2xx answer that is not JSON. */
export function notJson(body: string, contentType: string, place: Place): PipelineError {
  if (/^\s*</.test(body) || contentType.includes('html')) {
    return new PipelineError(
      `${place.request} answers with a web page instead of JSON: either the address or its path ` +
        'prefix is wrong, or a sign-on page stands in between (send its header or cookie with ' +
        'the option headers)',
      { code: 'SOURCE_NOT_JSON', category: 'unavailable' },
    );
  }
  return new PipelineError(
    `${place.request} answers with JSON that is cut off or broken, after ${body.length} ` +
      'characters: is a proxy or a time limit cutting answers? Smaller pages may help',
    { code: 'SOURCE_JSON_CUT_OFF', category: 'unavailable', retryable: true },
  );
}

/** Of a 2xx answer with JSON of another shape than MLflow's. */
export function wrongAnswer(request: string, problem: string): PipelineError {
  return new PipelineError(
    `${request} answers with JSON that is not MLflow's (${problem}): is it an MLflow server?`,
    { code: 'SOURCE_WRONG_ANSWER', category: 'unavailable' },
  );
}

function serverSaid(body: string): ServerSaid {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null) {
      const { error_code: code, message } = json as Record<string, unknown>;
      return {
        errorCode: typeof code === 'string' ? code : undefined,
        message: typeof message === 'string' ? message : undefined,
      };
    }
  } catch {
    // Not JSON: quoted as the text that it is.
  }
  return { errorCode: undefined, message: undefined };
}

const LONGEST_QUOTE = 300;

/** What the server says, in a line. Web pages say nothing. */
function quoteOf(said: ServerSaid, body: string): string {
  const text = said.message ?? (/^\s*[<{[]/.test(body) ? '' : body);
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return said.errorCode === undefined ? '' : ` (${said.errorCode})`;
  const short = line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line;
  return ` (${said.errorCode === undefined ? '' : `${said.errorCode}: `}${short})`;
}

/** Without its query, which carries secrets of the sign-on. */
function redirectTarget(location: string | undefined): string {
  if (location === undefined || location === '') return 'nowhere';
  if (!URL.canParse(location)) return location.replace(/[?#].*$/s, '');
  const { origin, pathname } = new URL(location);
  return origin + pathname;
}

function mapText(text: string | undefined, map: (text: string) => string): string | undefined {
  return text === undefined ? undefined : map(text);
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses of a host were tried: each has its own error.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error ? codeOf(error.cause) : '';
}
