/**
 * Has a file of proposals checked by DataHub: by its classes, and by its own command.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf } from './install.js';
import { PEER_ENVIRONMENT } from './peer.js';
import { run } from './processes.js';
import { PEER } from './releases.js';

export interface Validation {
  readonly count: number;
  /** Each a sentence; see validate.py. */
  readonly problems: readonly string[];
  /** How many `datahub check metadata-file` found: of a format it can't read it says 0, all valid. */
  readonly found: number;
}

/** By its classes, and by its own command. */
export async function validate(file: string): Promise<Validation> {
  const [checked, { stdout }] = await Promise.all([
    checkWithClasses(file),
    run(join(binOf(PEER), 'datahub'), ['check', 'metadata-file', file], { env: PEER_ENVIRONMENT }),
  ]);
  const found = /(\d+) MCEs found - all valid/.exec(stdout)?.[1];
  if (found === undefined) throw new Error(`datahub check metadata-file said: ${stdout}`);
  return { ...checked, found: Number(found) };
}

export async function checkWithClasses(file: string): Promise<Omit<Validation, 'found'>> {
  const script = fileURLToPath(new URL('validate.py', import.meta.url));
  const { stdout } = await run(join(binOf(PEER), 'python'), [script, file], {
    env: PEER_ENVIRONMENT,
  });
  return JSON.parse(stdout) as Omit<Validation, 'found'>;
}
