/**
 * Reads back what sinks wrote.
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { readProposal } from '../../src/datahub/read-proposal.js';

/** Proposals as written, from the lines of a text: within an array, too, complete or not. */
export function proposalsIn(text: string): Proposal[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => readProposal(JSON.parse(line.replace(/,$/, ''))));
}

export function textOf(path: string): string {
  const bytes = readFileSync(path);
  return (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** What there is of a target: being written, complete, or kept from a run that was not. */
export function deliveredTo(target: string): Proposal[] {
  const partial = readdirSync(dirname(target)).find(
    (name) => name.startsWith(basename(target)) && name.endsWith('.partial'),
  );
  const candidates = [
    ...(partial === undefined ? [] : [join(dirname(target), partial)]),
    `${target}.incomplete`,
    target,
  ];
  const path = candidates.find((candidate) => existsSync(candidate));
  return path === undefined ? [] : proposalsIn(textOf(path));
}

const folders: string[] = [];

/** An empty folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlflow-datahub-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
