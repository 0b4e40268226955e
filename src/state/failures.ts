/**
 * What can be wrong with a state file, as errors that say what to do.
 */

import { messageOf, PipelineError, type ErrorCategory } from '../core/errors.js';

export function stateError(
  path: string,
  code: string,
  category: ErrorCategory,
  text: string,
  cause?: unknown,
): PipelineError {
  return new PipelineError(`the state file ${path} ${text}`, { code, category, cause });
}

export function damaged(path: string, cause?: unknown): PipelineError {
  const reason = cause === undefined ? '' : ` (${messageOf(cause)})`;
  return stateError(
    path,
    'STATE_DAMAGED',
    'unavailable',
    `is damaged${reason}: put a sound copy in its place, or delete it with \`state reset\`, after ` +
      'which the next run sends everything and takes nothing for removed',
    cause,
  );
}

export function notOurs(path: string): PipelineError {
  return stateError(
    path,
    'NOT_A_STATE_FILE',
    'usage',
    'is something else, and is left as it is: give the state a file of its own',
  );
}

/** The error for anything that SQLite or the file system threw. */
export function stateFailure(error: unknown, path: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const code = codeOf(error);
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return stateError(
      path,
      'STATE_LOCKED',
      'unavailable',
      'is in use by another process, most likely a run that is not over: wait for its end, or ' +
        'give each pipeline a state file of its own',
      error,
    );
  }
  if (code.startsWith('SQLITE_NOTADB')) return notOurs(path);
  if (code.startsWith('SQLITE_CORRUPT')) return damaged(path, error);
  const full = code.startsWith('SQLITE_FULL');
  return stateError(
    path,
    'STATE_UNWRITABLE',
    'unavailable',
    `can't be ${full ? 'written: the disk is full. Free some space' : `read and written: ${messageOf(error)}. Check that there is room, and that this user may write the file and its folder`}; ` +
      'what was delivered and could not be noted here is sent again by the next run',
    error,
  );
}

/** SQLite's name of the error; empty for what is none of SQLite's. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}
