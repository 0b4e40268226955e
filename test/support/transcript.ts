/**
 * Looks through all that the tests' commands print and write for secrets; what it finds is told, and
 * fails the run, after all tests: see transcript-setup.ts. Every secret of a test has `s3cret` in it.
 */

import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';

/** The folder of what was looked through; made before the first test. */
export const TRANSCRIPTS = 'MLFLOW_DATAHUB_TRANSCRIPTS';

/** What was looked through at a time. */
export interface Passage {
  readonly what: string;
  readonly length: number;
  /** The lines that show a secret. */
  readonly shown: readonly string[];
}

/** Looks through a text. */
export function transcribe(what: string, text: string): void {
  const folder = process.env[TRANSCRIPTS];
  if (folder === undefined) throw new Error('transcript-setup.ts is no globalSetup here');
  const passage: Passage = { what, length: text.length, shown: linesWithSecrets(text) };
  appendFileSync(join(folder, `${pid}.ndjson`), `${JSON.stringify(passage)}\n`);
}

/** Looks through what a command wrote into a folder: proposals, reports, dead letters. */
export function transcribeFolder(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    // Configurations and keys may hold secrets.
    const written = /\.(json|ndjson|incomplete|partial|replay)$/.test(name);
    if (written && statSync(path).isFile()) transcribe(name, readFileSync(path, 'utf8'));
  }
}

/** As it is, and in base64, wherever in what was encoded: Basic authentication. */
const SECRET = new RegExp(
  ['s3cret', 'S3CRET']
    .flatMap((mark) => [mark, ...[0, 1, 2].map((at) => base64Of(mark, at))])
    .join('|'),
);

/** The lines of a text that show a secret of a test. */
export function linesWithSecrets(text: string): string[] {
  return SECRET.test(text) ? text.split('\n').filter((line) => SECRET.test(line)) : [];
}

/** What is the same whatever stands before and behind it: each character tells six bits. */
function base64Of(mark: string, bytesBefore: number): string {
  const whole = Buffer.from('x'.repeat(bytesBefore) + mark).toString('base64');
  const [start, end] = [bytesBefore * 8, (bytesBefore + mark.length) * 8];
  return whole.slice(Math.ceil(start / 6), Math.floor(end / 6)).replaceAll('+', '\\+');
}
