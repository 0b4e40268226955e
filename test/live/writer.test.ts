/**
 * Reading a database holds up nobody: MLflow writes to it while a sink of ours takes its time.
 */

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from './processes.js';
import { seedBulk } from './seed.js';
import { runWithMlflow } from './servers.js';

const COMMAND = fileURLToPath(new URL('../../dist/pipeline.js', import.meta.url));

it("does not block MLflow's writer while a sink is slow", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'writer-'));
  const [database, waiting, go] = ['mlflow.db', 'waiting', 'go'].map((name) => join(folder, name));
  if (database === undefined || waiting === undefined || go === undefined) throw new Error();
  try {
    await seedBulk('3.17.2', database, { experiments: 3, runs: 3_000, models: 5, versions: 50 });
    const config = join(folder, 'pipeline.config.js');
    await writeFile(config, configuration(database, waiting, go));

    const state = { ended: false };
    const pipeline = run(process.execPath, [COMMAND, 'run', '--config', config], {
      cwd: folder,
    }).finally(() => {
      state.ended = true;
    });
    pipeline.catch(() => undefined); // awaited below; until then nobody listens
    while (!existsSync(waiting) && !state.ended) await sleep(50);

    // A reader that keeps its lock makes this fail: "database is locked".
    const script = fileURLToPath(new URL('write.py', import.meta.url));
    const written = await runWithMlflow('3.17.2', script, [`sqlite:///${database}`]);
    expect(written.trim().split('\n').at(-1)).toBe('16');
    expect(state.ended).toBe(false);

    await writeFile(go, '');
    expect((await pipeline).status).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** The package's own pipeline, with a sink that confirms nothing until the file `go` is there. */
function configuration(database: string, waiting: string, go: string): string {
  return `
import { existsSync, writeFileSync } from 'node:fs';
import { buildUrns, dedup, definePipeline, mapToProposals, mlflowSource } from 'mlflow-datahub';

const wait = async () => {
  writeFileSync(${JSON.stringify(waiting)}, '');
  while (!existsSync(${JSON.stringify(go)})) await new Promise((done) => setTimeout(done, 50));
};

const slow = {
  label: 'slow',
  open: async () => ({ write: async () => { await wait(); return []; }, close: async () => {} }),
  check: async () => 'slow',
};

export default definePipeline({
  source: mlflowSource({ uri: ${JSON.stringify(`sqlite:///${database}`)} }),
  operators: [buildUrns(), mapToProposals(), dedup()],
  sinks: [slow],
});
`;
}
