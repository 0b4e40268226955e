/**
 * Runs the command of this package, as built, in a folder; what it prints and writes is looked
 * through for secrets.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunReport } from '../../src/stream/run-pipeline.js';
import { transcribe, transcribeFolder } from '../support/transcript.js';

export const COMMAND = fileURLToPath(new URL('../../dist/pipeline.js', import.meta.url));

/** Where `command` looks for what was written. */
export const WRITTEN = ['--report', 'report.json', '--dead-letter', 'dead.ndjson'] as const;

export interface CommandOptions {
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs beside it and may end it. */
  readonly meanwhile?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>;
}

export interface DeadLetter {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly identity: string;
  readonly sink?: string;
  readonly attempts?: number;
}

export interface Ended {
  /** Nothing where a signal ended it. */
  readonly status: number | null;
  /** All that was printed. */
  readonly output: string;
  /** Of `report.json`; empty where there is none. */
  readonly report: RunReport;
  /** Of `dead.ndjson`. */
  readonly deadLetters: readonly DeadLetter[];
}

/** Never throws for what the command ends with. */
export async function command(
  args: readonly string[],
  { folder, env = {}, meanwhile }: CommandOptions,
): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    env: { ...process.env, MLFLOW_TRACKING_URI: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'close') as Promise<[number | null]>;
  try {
    await meanwhile?.((signal) => child.kill(signal));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const [status] = await ended;
  transcribe('printed', output);
  transcribeFolder(folder);
  const report = await readFile(join(folder, 'report.json'), 'utf8').catch(() => '{}');
  return {
    status,
    output,
    report: JSON.parse(report) as RunReport,
    deadLetters: await deadLettersIn(join(folder, 'dead.ndjson')),
  };
}

/** The lines of a dead-letter file; none where there is none. */
export async function deadLettersIn(path: string): Promise<readonly DeadLetter[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DeadLetter);
}
