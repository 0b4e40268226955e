/**
 * What PostgreSQL refuses, as errors that say what to do.
 */

import { messageOf, PipelineError } from '../../core/errors.js';
import { PAGE_TOO_LARGE } from '../sql/pages.js';
import { codeOf, type Failing, networkFailing, pipelineError } from '../sql/server/failures.js';

/** The error for anything that was thrown while the database was opened or read. */
export function postgresqlFailure(error: unknown, shown: string): unknown {
  if (error instanceof PipelineError) return error;
  const failing = networkFailing(error) ?? failingOf(codeOf(error) ?? '', messageOf(error));
  return failing === undefined ? error : pipelineError(shown, failing, error);
}

/** @param code - five letters or digits: PostgreSQL's own */
function failingOf(code: string, message: string): Failing | undefined {
  if (/^(28P01|28000)$/.test(code) || /password must be a string|no password/i.test(message)) {
    return {
      code: 'SOURCE_UNAUTHORIZED',
      text: `lets nobody in with this user and password (${message}): check both, and pg_hba.conf`,
    };
  }
  if (code === '3D000') {
    return {
      code: 'SOURCE_NOT_FOUND',
      text: `does not exist (${message}): check the name behind the host`,
    };
  }
  if (code === '42501') {
    return {
      code: 'SOURCE_FORBIDDEN',
      text: `may not be read by this user (${message}): GRANT SELECT ON ALL TABLES IN SCHEMA public`,
    };
  }
  if (/^(57014|55P03|25P03)$/.test(code)) {
    return {
      code: 'SOURCE_TIMEOUT',
      text:
        `did not answer a query in time (${message}): look for a migration or a lock on its ` +
        'tables, or raise timeoutMs',
      retryable: true,
    };
  }
  if (/^(57P0[123]|53300|40001|40P01|08...)$/.test(code)) {
    return {
      code: 'SOURCE_UNREACHABLE',
      text: `can't go on now (${message}): look into the log of the database server`,
      retryable: true,
    };
  }
  if (/terminated|not queryable|timeout expired|timeout exceeded/i.test(message)) {
    return {
      code: 'SOURCE_UNREACHABLE',
      text: `lost the connection (${message}): look into the log of the database server`,
      retryable: true,
    };
  }
  if (/does not support SSL|^28|no pg_hba/i.test(message)) {
    return {
      code: 'SOURCE_TLS',
      text: `does not encrypt connections (${message}): sslmode=disable in the URI, or a server with TLS`,
    };
  }
  if (code === '54000') {
    return {
      code: PAGE_TOO_LARGE,
      text: `can't give a single thing that is so large (${message})`,
    };
  }
  if (code === '22021') {
    return {
      code: 'SOURCE_UNREADABLE',
      text: `holds bytes that are no text (${message}): its encoding is SQL_ASCII, which takes any; copy it into a database with the encoding UTF8`,
    };
  }
  if (!/^[0-9A-Z]{5}$/.test(code)) return undefined;
  return {
    code: 'SOURCE_UNREADABLE',
    text: `can't be read (${code}: ${message}). Where that makes no sense, report it`,
  };
}
