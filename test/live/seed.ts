/**
 * Fills MLflow stores, see seed.py and bulk.py.
 */

import { fileURLToPath } from 'node:url';
import { runWithMlflow } from './servers.js';
import type { MlflowVersion } from './releases.js';

/** How many of each kind were made, and what this MLflow would not take. */
export interface Seeded {
  readonly experiments: number;
  readonly runs: number;
  readonly models: number;
  readonly versions: number;
  readonly aliases: number;
  readonly refused: readonly string[];
}

/** Awkward but legal content, through MLflow's own client; `uri` is a server's or `sqlite:///…`. */
export async function seed(
  version: MlflowVersion,
  uri: string,
  part: 'common' | 'unreadable' | 'both',
  env?: Readonly<Record<string, string>>,
): Promise<Seeded> {
  const script = fileURLToPath(new URL('seed.py', import.meta.url));
  const output = await runWithMlflow(version, script, [uri, '--part', part], env);
  return JSON.parse(lastLine(output)) as Seeded;
}

export interface Bulk {
  readonly experiments: number;
  readonly runs: number;
  readonly models: number;
  readonly versions: number;
  /** So many of the runs start at one time. */
  readonly 'same-start'?: number;
}

/** Many entities, straight into a database that is made by this MLflow if it is not there. */
export async function seedBulk(
  version: MlflowVersion,
  database: string,
  bulk: Bulk,
): Promise<void> {
  const script = fileURLToPath(new URL('bulk.py', import.meta.url));
  const amounts = Object.entries(bulk).flatMap(([kind, amount]) => [`--${kind}`, String(amount)]);
  await runWithMlflow(version, script, [database, ...amounts]);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
