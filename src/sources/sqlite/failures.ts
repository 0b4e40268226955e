/**
 * What SQLite refuses, as errors that say what to do.
 */

import { messageOf, PipelineError } from '../../core/errors.js';

/** The error for anything that was thrown while the database at `path` was opened or read. */
export function databaseFailure(error: unknown, path: string): unknown {
  if (error instanceof PipelineError) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  const failure = (name: string, text: string, retryable = false): PipelineError =>
    new PipelineError(`${path} ${text}`, {
      code: name,
      category: 'unavailable',
      retryable,
      cause: error,
    });
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return failure(
      'SOURCE_LOCKED',
      'is locked by another process. MLflow locks it for moments only: look for a long ' +
        'migration, backup or open transaction and try again when it is over, or raise lockTimeoutMs',
      true,
    );
  }
  if (code.startsWith('SQLITE_NOTADB')) {
    return failure(
      'SOURCE_NOT_A_DATABASE',
      'is not a SQLite database (or is encrypted): give the file that MLflow has behind ' +
        '--backend-store-uri sqlite:///…',
    );
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return failure(
      'SOURCE_DAMAGED',
      `is damaged (${messageOf(error)}): check it with sqlite3's "PRAGMA integrity_check" and ` +
        'take a sound copy or a backup',
    );
  }
  if (/^SQLITE_READONLY_(ROLLBACK|RECOVERY)/.test(code)) {
    return failure(
      'SOURCE_NEEDS_RECOVERY',
      'was left in the middle of a change by a process that died, and reading must not repair ' +
        'it: start MLflow on it once, which does, and try again',
    );
  }
  return failure(
    'SOURCE_UNREADABLE',
    `can't be read: ${messageOf(error)}. Check that the file and, where -wal or -shm files ` +
      'stand beside it, its folder are accessible to this user',
  );
}

/** SQLite's name of the error; absent for what is none of SQLite's. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_')) {
    return error.code;
  }
  // libsql gives an error while opening as text only.
  return error.message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : undefined;
}
