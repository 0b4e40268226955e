/**
 * What a file of changes is called: `out.json` of the run `mlflow-1` is `out.mlflow-1.json`.
 */

import { randomBytes } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../failures.js';

/** Longer ids would leave no room for the rest of the name. */
const LONGEST_RUN_ID = 100;

/** Ids of runs may be anybody's choice; names of files have to do without `/` and the like. */
export function nameOfChanges(name: string, extension: string, runId: string): string {
  const stem = name.slice(0, -extension.length);
  return `${stem}.${runId.replace(/[^\w.-]/g, '_').slice(0, LONGEST_RUN_ID)}${extension}`;
}

/** No other run makes up the same: whoever finds the file knows whose it is. */
export function partialNameFor(file: string): string {
  return `${file}.${randomBytes(4).toString('hex')}.partial`;
}

/** The name, or `out.mlflow-1.2.json` and so on where it is taken: no file is ever replaced. */
export async function freeName(folder: string, name: string, extension: string): Promise<string> {
  const stem = name.slice(0, -extension.length);
  let free = name;
  for (let number = 2; await exists(join(folder, free)); number += 1) {
    free = `${stem}.${number}${extension}`;
  }
  return free;
}

/** A link that leads nowhere is there, too. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
