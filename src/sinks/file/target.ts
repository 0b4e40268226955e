/**
 * What there is at the path that a file is to be written to.
 */

import { constants, type Stats } from 'node:fs';
import { access, lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PipelineError } from '../../core/errors.js';
import { errnoOf, unwritable } from '../failures.js';

export interface Target {
  /** A device or a pipe can't be renamed onto: it is written to as it goes. */
  readonly kind: 'file' | 'device' | 'pipe';
  /** Absolute, and behind every symbolic link: what is renamed onto must not be a link. */
  readonly path: string;
  readonly folder: string;
  /** Permission bits of the file that stands there now. */
  readonly mode?: number;
}

/** Where the files of runs with state go: the file at the path itself is none of them. */
export interface Place {
  readonly folder: string;
  /** Last part of the path, as it was given. */
  readonly name: string;
  /** Of the two above. */
  readonly path: string;
  /** Permission bits of the file that stands there now, and that its owner may go on with it. */
  readonly mode?: number;
}

/**
 * Finds out whether files can be made beside `path`, and changes nothing. A link is not followed:
 * the files are beside it, under the name that was given.
 *
 * @throws PipelineError `SINK_UNWRITABLE`; `NOT_RESUMABLE` (usage) where it is a device or a pipe
 */
export async function inspectPlace(path: string): Promise<Place> {
  const absolute = resolve(path);
  const name = basename(absolute);
  let folder = dirname(absolute);
  try {
    folder = await realpath(folder);
    const found = await statIfAny(absolute);
    await access(folder, constants.W_OK | constants.X_OK);
    const place = { folder, name, path: join(folder, name) };
    if (found === undefined) return place;
    if (found.isFile()) return { ...place, mode: (found.mode & 0o777) | 0o600 };
    if (found.isDirectory()) throw new Error(unfit(true));
    throw new PipelineError(
      `${path} is no ordinary file, and can't be gone on with after a run that broke off: with ` +
        'state, name an ordinary file',
      { code: 'NOT_RESUMABLE', category: 'usage' },
    );
  } catch (error) {
    throw error instanceof PipelineError ? error : unwritable(path, folder, error);
  }
}

/**
 * Finds out what `path` is and whether it can be written, and changes nothing.
 *
 * @throws PipelineError `SINK_UNWRITABLE`
 */
export async function inspectTarget(path: string): Promise<Target> {
  const absolute = resolve(path);
  let folder = dirname(absolute);
  try {
    const real = await followLinks(absolute);
    folder = dirname(real);
    const found = await statIfAny(real);
    if (found === undefined) {
      await access(folder, constants.W_OK | constants.X_OK);
      return { kind: 'file', path: real, folder };
    }
    // A file that its owner made read-only is left alone, though a rename could replace it.
    await access(real, constants.W_OK);
    if (found.isFile()) {
      await access(folder, constants.W_OK | constants.X_OK);
      return { kind: 'file', path: real, folder, mode: found.mode & 0o777 };
    }
    if (found.isCharacterDevice()) return { kind: 'device', path: real, folder };
    if (found.isFIFO()) return { kind: 'pipe', path: real, folder };
    throw unwritable(path, folder, new Error(unfit(found.isDirectory())));
  } catch (error) {
    throw error instanceof PipelineError ? error : unwritable(path, folder, error);
  }
}

function unfit(isFolder: boolean): string {
  return isFolder ? 'it is a folder: name a file in it' : 'it is no ordinary file';
}

/** Like `realpath`, for a path whose last part may not exist yet. */
async function followLinks(path: string, depth = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || depth > 32) throw error;
  }
  const real = join(await realpath(dirname(path)), basename(path));
  try {
    if (!(await lstat(real)).isSymbolicLink()) return real;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return real;
    throw error;
  }
  return followLinks(resolve(dirname(real), await readlink(real)), depth + 1);
}

async function statIfAny(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
