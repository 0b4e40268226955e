/**
 * What keeping a state costs, and what it saves: a first and a second run over a large store that
 * does not change, beside a run without state and beside the bare reading.
 *
 *   node --import jiti/register bench/state.ts [runs] [--rest]
 *
 * Reads the database directly; with --rest a server as well, which takes minutes.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installAll } from '../test/live/install.js';
import { seedBulk } from '../test/live/seed.js';
import { startMlflow } from '../test/live/servers.js';
import { compare, type Command, type Figures } from './measure.js';

const VERSION = '3.17.2';
const ROUNDS = 3;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const runs = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 100_000);

/** A run with a state that the run before it in the same round left, or with none. */
function pipeline(name: string, folder: string, from: string, ...options: string[]): Command {
  const out = join(folder, `${name.replaceAll(' ', '-')}.json`);
  const args = [here('../dist/pipeline.js'), '--from', from, '--to', out, ...options];
  return { name, program: process.execPath, args, cwd: folder, env: { MLFLOW_TRACKING_URI: '' } };
}

/** Figures of a first and a second run, of one without state, and of the bare reading. */
async function bench(what: string, from: string, bare: readonly string[], rounds: number) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-state-'));
  const state = join(folder, 'mlflow.state');
  const remembering = pipeline('with', folder, from, '--state', state);
  try {
    const figures = await compare(
      [
        { name: 'bare', program: process.execPath, args: bare },
        pipeline('without state', folder, from),
        { ...remembering, name: 'first run', args: [...remembering.args, '--full'] },
        { ...remembering, name: 'second run' },
      ],
      rounds,
    );
    report(what, figures);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function report(what: string, figures: ReadonlyMap<string, Figures>): void {
  const of = (name: string): Figures => {
    const found = figures.get(name);
    if (found === undefined) throw new Error(`${name} was not measured`);
    return found;
  };
  console.log(`\n${what}, ${runs} runs`);
  for (const [name, { wallSeconds, cpuSeconds, peakMegabytes }] of figures) {
    console.log(
      `  ${name.padEnd(14)} ${wallSeconds.toFixed(1)} s, processor ${cpuSeconds.toFixed(1)} s, ${peakMegabytes.toFixed(0)} MB`,
    );
  }
  const ratio = (a: string, b: string): string =>
    (of(a).wallSeconds / of(b).wallSeconds).toFixed(2);
  console.log(`  first run, times a run without state: ${ratio('first run', 'without state')}`);
  console.log(`  second run, times the bare reading: ${ratio('second run', 'bare')}`);
}

await installAll();
const folder = await mkdtemp(join(tmpdir(), 'bench-store-'));
try {
  const database = join(folder, 'mlflow.db');
  await seedBulk(VERSION, database, {
    experiments: 20,
    runs,
    models: 100,
    versions: Math.round(runs / 5),
  });
  await bench(
    'SQLite directly',
    `sqlite:///${database}`,
    [here('bare-sqlite.js'), database],
    ROUNDS,
  );
  if (process.argv.includes('--rest')) {
    const server = await startMlflow(
      VERSION,
      (place) => seedBulk(VERSION, place, { experiments: 20, runs, models: 100, versions: 1_000 }),
      4,
    );
    try {
      await bench('REST', server.uri, [here('bare-client.js'), server.uri, '2'], 1);
    } finally {
      await server.stop();
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
