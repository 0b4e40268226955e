/**
 * Starts the stand-in of DataHub's service, see gms-stand-in.py.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { binOf } from './install.js';
import { PEER_ENVIRONMENT } from './peer.js';
import type { FiledProposal } from './proposals.js';
import { PEER } from './releases.js';
import { GUARDED, stopGroup } from './servers.js';

export interface GmsOptions {
  /** Takes everything unread: for measuring clients. */
  readonly countOnly?: boolean;
  readonly token?: string;
}

export interface Faults {
  /** By status, or `drop` and `take-and-drop`: the share of requests, 0 to 1. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly delayMs?: number;
  readonly seed?: number;
}

/** Of each fault, too, how often it was met. */
export type GmsCounts = Readonly<Record<string, number>> & {
  readonly requests: number;
  /** On which there were such requests, and which are open. */
  readonly connections: number;
  readonly proposals: number;
  readonly refused: number;
};

export interface Gms {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly control: (faults: Faults) => Promise<void>;
  readonly counts: () => Promise<GmsCounts>;
  /** What was taken, in its order. */
  readonly taken: () => Promise<readonly FiledProposal[]>;
  readonly stop: () => Promise<void>;
}

export async function startGms({ countOnly = false, token }: GmsOptions = {}): Promise<Gms> {
  const folder = await mkdtemp(join(tmpdir(), 'gms-'));
  const took = join(folder, 'took.ndjson');
  const script = fileURLToPath(new URL('gms-stand-in.py', import.meta.url));
  const child = spawn(
    'sh',
    [
      ['-c', GUARDED, 'guarded', join(binOf(PEER), 'python'), script, '--took', took],
      countOnly ? ['--count-only'] : [],
      token === undefined ? [] : ['--token', token],
    ].flat(),
    {
      env: { ...process.env, ...PEER_ENVIRONMENT },
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      detached: true,
    },
  );
  const url = await firstLine(child);
  return {
    url,
    control: async (faults) => {
      const body = JSON.stringify(faults);
      const { ok } = await fetch(`${url}/control`, { method: 'POST', body });
      if (!ok) throw new Error('the stand-in did not take its faults');
    },
    counts: async () => (await (await fetch(`${url}/control`)).json()) as GmsCounts,
    taken: async () => {
      const lines = (await readFile(took, 'utf8')).split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line) as FiledProposal);
    },
    stop: async () => {
      await stopGroup(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  const lines = createInterface(child.stdout);
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([status]) => {
      throw new Error(`the stand-in of DataHub ended with status ${String(status)}`);
    }),
  ])) as [string];
  lines.close();
  return line;
}
