/**
 * After all tests: nothing that their commands printed or wrote shows a secret.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TRANSCRIPTS, type Passage } from './transcript.js';

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'transcripts-'));
  process.env[TRANSCRIPTS] = folder;
  return () => {
    const passages = readdirSync(folder).flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Passage),
    );
    rmSync(folder, { recursive: true, force: true });
    const shown = passages.flatMap(({ what, shown }) => shown.map((line) => `${what}: ${line}`));
    if (shown.length > 0) {
      const some = shown.slice(0, 20).map((line) => line.slice(0, 300));
      // Vitest tells an error of a teardown and ends with 0 all the same.
      process.exitCode = 1;
      throw new Error(`${shown.length} lines show a secret:\n${some.join('\n')}`);
    }
    const kilobytes = passages.reduce((sum, { length }) => sum + length, 0) / 1e3;
    console.log(
      `\nNo secret in what commands printed and wrote: ${passages.length} texts, ${kilobytes.toFixed(0)} kB`,
    );
  };
}
