/**
 * What MySQL and MariaDB refuse, as errors that say what to do.
 */

import { messageOf, PipelineError } from '../../core/errors.js';
import { codeOf, type Failing, networkFailing, pipelineError } from '../sql/server/failures.js';

/** The error for anything that was thrown while the database was opened or read. */
export function mysqlFailure(error: unknown, shown: string): unknown {
  if (error instanceof PipelineError) return error;
  const code = codeOf(error) ?? '';
  const failing = failingOf(code, messageOf(error)) ?? networkFailing(error);
  if (failing !== undefined) return pipelineError(shown, failing, error);
  if (!/^(ER_|PROTOCOL_|HANDSHAKE_|AUTH_)/.test(code) && !hasNumber(error)) return error;
  const text = `can't be read (${code}: ${messageOf(error)}). Where that makes no sense, report it`;
  return pipelineError(shown, { code: 'SOURCE_UNREADABLE', text }, error);
}

/** @param code - the driver's name of MySQL's error */
function failingOf(code: string, message: string): Failing | undefined {
  switch (code) {
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR':
    case 'ER_HOST_NOT_PRIVILEGED':
      return {
        code: 'SOURCE_UNAUTHORIZED',
        text: `lets nobody in with this user and password (${message}): check both, and from where the user may come`,
      };
    case 'ER_BAD_DB_ERROR':
      return {
        code: 'SOURCE_NOT_FOUND',
        text: `does not exist (${message}): check the name behind the host`,
      };
    case 'ER_DBACCESS_DENIED_ERROR':
    case 'ER_TABLEACCESS_DENIED_ERROR':
    case 'ER_COLUMNACCESS_DENIED_ERROR':
      return {
        code: 'SOURCE_FORBIDDEN',
        text: `may not be read by this user (${message}): GRANT SELECT on the database`,
      };
    case 'ER_QUERY_TIMEOUT':
    case 'ER_STATEMENT_TIMEOUT':
    case 'ER_LOCK_WAIT_TIMEOUT':
    case 'ER_QUERY_INTERRUPTED':
      return {
        code: 'SOURCE_TIMEOUT',
        text:
          `did not answer a query in time (${message}): look for a migration or a lock on its ` +
          'tables, or raise timeoutMs',
        retryable: true,
      };
    case 'PROTOCOL_CONNECTION_LOST':
    case 'ER_SERVER_SHUTDOWN':
    case 'ER_CON_COUNT_ERROR':
    case 'ER_TOO_MANY_USER_CONNECTIONS':
    case 'ER_LOCK_DEADLOCK':
    case 'ER_CONNECTION_KILLED':
    case 'ER_NEW_ABORTING_CONNECTION':
      return {
        code: 'SOURCE_UNREACHABLE',
        text: `can't go on now (${message}): look into the log of the database server`,
        retryable: true,
      };
    case 'HANDSHAKE_NO_SSL_SUPPORT':
      return {
        code: 'SOURCE_TLS',
        text: `does not encrypt connections (${message}): ssl_mode=DISABLED in the URI, or a server with TLS`,
      };
    case 'HANDSHAKE_SSL_ERROR':
      return {
        code: 'SOURCE_TLS',
        text: `can't be trusted (${message}): name the certificate of its authority as ssl_ca in the URI`,
      };
    default:
      return /closed state|Connection lost|after fatal error/i.test(message)
        ? {
            code: 'SOURCE_UNREACHABLE',
            text: `lost the connection (${message}): look into the log of the database server`,
            retryable: true,
          }
        : undefined;
  }
}

/** As errors have that came from the server. */
function hasNumber(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && 'sqlState' in error;
}
