/**
 * What goes wrong on the way to a database server, whichever it is, as errors that say what to do.
 */

import { messageOf, PipelineError } from '../../../core/errors.js';

/** A server that says nothing at all. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code = 'ETIMEDOUT';

  constructor(ms: number) {
    super(`nothing for ${ms} ms`);
  }
}

export interface Failing {
  readonly code: string;
  readonly text: string;
  readonly retryable?: boolean;
}

/** For an error of the network or of TLS; undefined for any other. */
export function networkFailing(error: unknown): Failing | undefined {
  const code = codeOf(error) ?? '';
  const message = messageOf(error);
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return {
        code: 'SOURCE_UNREACHABLE',
        text: 'refuses the connection: is the database server up, and are host and port right?',
        retryable: true,
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        code: 'SOURCE_UNREACHABLE',
        text: `has a host that is not known (${message}): check its name`,
        // Names go away for a while when a service moves; where it never answered few tries are made.
        retryable: true,
      };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return {
        code: 'SOURCE_UNREACHABLE',
        text: `does not answer (${message}): check host, port and firewalls`,
        retryable: true,
      };
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        code: 'SOURCE_UNREACHABLE',
        text: `broke the connection (${message}): look into the log of the database server`,
        retryable: true,
      };
    default:
      break;
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO|HOSTNAME_MISMATCH/.test(code)) {
    return {
      code: 'SOURCE_TLS',
      text:
        `can't be trusted (${message}): name the certificate of its authority in the URI, or ` +
        'check that the host is the one that the certificate is for',
    };
  }
  return undefined;
}

export function pipelineError(shown: string, failing: Failing, cause: unknown): PipelineError {
  return new PipelineError(`${shown} ${failing.text}`, {
    code: failing.code,
    category: 'unavailable',
    retryable: failing.retryable ?? false,
    cause,
  });
}

/** Node's or the server's own. Of several addresses that were tried, the first one's. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}
