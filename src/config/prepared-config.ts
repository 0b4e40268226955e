/**
 * The package's own configuration as JavaScript, made when the package was built: where nobody wrote
 * one of their own, no compiler has to be loaded to read ours.
 */

import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The module of the file at `path`, or undefined where that is not, byte for byte, what the package
 * was built with, or fails: then it has to be loaded as any other configuration is.
 */
export async function importPrepared(path: string): Promise<object | undefined> {
  // Beside `dist/pipeline.js`, named by its content; not there where the sources run as they are.
  const name = `pipeline.config.${hash('sha256', readFileSync(path)).slice(0, 16)}.js`;
  const prepared = new URL(`../${name}`, import.meta.url);
  if (!existsSync(fileURLToPath(prepared))) return undefined;
  try {
    return (await import(prepared.href)) as object;
  } catch {
    return undefined; // loading it the other way says what is wrong, and in which line
  }
}
