/**
 * Runs file-sink-child.ts.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const childFile = fileURLToPath(new URL('file-sink-child.ts', import.meta.url));
const jiti = fileURLToPath(import.meta.resolve('jiti/register'));

/** The arguments of a Node process that writes to a file without end, from the sources. */
export function childArguments(path: string, ...more: 'state'[]): string[] {
  return ['--import', jiti, childFile, path, ...more];
}

export interface Full {
  /** How many proposals were confirmed. */
  readonly confirmed: number;
  readonly error: unknown;
  readonly message: string;
  readonly position?: unknown;
}

/** Lets such a process write until there is no room. */
export async function writeUntilFull(path: string, ...more: 'state'[]): Promise<Full> {
  // The shell sets a limit on the size of files (in KiB or half of them): a disk that is full.
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    'ulimit -f 700; exec "$@"',
    'sh',
    process.execPath,
    ...childArguments(path, ...more),
  ]);
  return JSON.parse(stdout.split('\n').at(-2) ?? '') as Full;
}
