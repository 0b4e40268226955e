/**
 * What the operating system says about a file, in words that tell the reader what to do.
 */

import { existsSync } from 'node:fs';
import { messageOf, PipelineError } from '../core/errors.js';

/** The `code` of a system error, such as `ENOSPC`. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A target that can't be written to, found before anything was written. */
export function unwritable(path: string, folder: string, error: unknown): PipelineError {
  return new PipelineError(`can't write ${path}: ${explain(error, folder)}`, {
    code: 'SINK_UNWRITABLE',
    category: 'unavailable',
    cause: error,
  });
}

/** A write that failed on the way. */
export function writeFailed(path: string, folder: string, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  return new PipelineError(`writing ${path} failed: ${explain(error, folder)}`, {
    code: 'SINK_FAILED',
    category: 'unavailable',
    cause: error,
  });
}

function explain(error: unknown, folder: string): string {
  switch (errnoOf(error) ?? '') {
    case 'ENOSPC':
      return 'no space is left on the device: free some, or write elsewhere';
    case 'EDQUOT':
      return 'your disk quota is used up: free some space, or write elsewhere';
    case 'EFBIG':
      return 'it is larger than files may be here: raise the limit (ulimit -f), or write elsewhere';
    case 'EACCES':
    case 'EPERM':
      return `permission denied: check who may write it and the folder ${folder}`;
    case 'EROFS':
      return `${folder} is on a read-only file system: write elsewhere`;
    case 'ENOENT':
      return existsSync(folder)
        ? 'another process took the file away while it was being written: give each its own target'
        : `the folder ${folder} does not exist: create it first`;
    case 'ENOTDIR':
      return `${folder} is not a folder`;
    case 'EISDIR':
      return 'it is a folder: name a file in it';
    case 'ENAMETOOLONG':
      return 'the name is too long (the file is first written under a longer one): use a shorter one';
    case 'ELOOP':
      return 'its symbolic links lead in a circle';
    default:
      return messageOf(error);
  }
}
