/**
 * Runs are created, edited and deleted by another process all the while: pages shift under the
 * reading, and a sweep may miss something. When the store is quiet again, what DataHub has is what a
 * pipeline without a past gives it.
 */

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runOurs } from './ours.js';
import { seedBulk } from './seed.js';
import { runWithMlflow, startMlflow } from './servers.js';
import { outcome, StatefulPipeline } from './state/pipeline.js';

const SCRIPT = fileURLToPath(new URL('state/churn.py', import.meta.url));
const SWEEPS = 3;

it('ends as a fresh run does, three sweeps after the churn', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'churn-'));
  const stop = join(folder, 'stop');
  const server = await startMlflow(
    '3.17.2',
    (database) =>
      seedBulk('3.17.2', database, { experiments: 5, runs: 1_000, models: 5, versions: 50 }),
    2,
  );
  const pipelines = await Promise.all(
    [server.uri, `sqlite:///${server.database}`].map((from) =>
      StatefulPipeline.create({ from, source: { runsPageSize: 20 } }),
    ),
  );
  try {
    const state = { ended: false };
    const churn = runWithMlflow('3.17.2', SCRIPT, [server.uri, folder]).finally(() => {
      state.ended = true;
    });
    churn.catch(() => undefined); // awaited below; until then nobody listens
    while (!existsSync(join(folder, 'started')) && !state.ended) await sleep(50);
    for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
      for (const pipeline of pipelines) {
        const { status, output } = await pipeline.run();
        expect(status, output).toBe(0);
      }
    }
    await writeFile(stop, '');
    const [created, deleted] = (await churn).trim().split(/\s+/).slice(-2).map(Number);
    expect(Math.min(created ?? 0, deleted ?? 0)).toBeGreaterThan(20);

    for (const pipeline of pipelines) {
      for (let sweep = 0; sweep < SWEEPS; sweep += 1) await pipeline.run();
      const now = outcome(await pipeline.everything());
      const gone = new Set(
        [...now]
          .filter(([, text]) => text === '{"removed":true}')
          .map(([key]) => key.split(' ')[0]),
      );
      const there = new Map([...now].filter(([key]) => !gone.has(key.split(' ')[0])));
      const from = pipeline === pipelines[0] ? server.uri : `sqlite:///${server.database}`;
      const fresh = outcome((await runOurs(from)).proposals);
      expect(gone.size).toBeGreaterThan(20);
      expect(differences(there, fresh)).toEqual([]);
    }
  } finally {
    await writeFile(stop, '');
    for (const pipeline of pipelines) await pipeline.remove();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 1_800_000);

/** A run that was met while it went on has an event of its start, which a fresh run knows nothing of. */
function differences(
  there: ReadonlyMap<string, string>,
  fresh: ReadonlyMap<string, string>,
): string[] {
  const past = [...there].filter(
    ([key, text]) => !fresh.has(key) && text.includes('"status":"STARTED"'),
  );
  const keys = new Set([...there.keys(), ...fresh.keys()]);
  for (const [key] of past) keys.delete(key);
  return [...keys].filter((key) => there.get(key) !== fresh.get(key));
}
