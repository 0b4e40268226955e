/**
 * `npm run bench`: how long a sweep of MLflow takes out of each of its stores, and how long the
 * proposals of a file take to each sink, beside bare clients that do the same and beside DataHub's
 * own connector; how both grow with the store, and what operators and a state cost. What a part finds
 * is kept in bench/results.json, of which bench/results.md, bench/results.svg and the table of the
 * README are made; what is compared is always of one part, so that parts can be run on other days.
 *
 *   npm run bench                          all parts, some 100 minutes
 *   npm run bench -- --only kafka,sqlite   some of them
 *   npm run bench -- --no-peer             without the peer; nothing is kept
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installAll } from '../test/live/install.js';
import type { MlflowVersion } from '../test/live/releases.js';
import { benchDataHubRest } from './datahub-rest.js';
import { benchFileToFile } from './file-to-file.js';
import { benchKafka } from './kafka.js';
import { benchFiles, benchMysql, benchPostgresql, benchSqlite } from './large-stores.js';
import { benchMlflow } from './mlflow.js';
import { benchOperators } from './operators.js';
import { makeProposals } from './proposals.js';
import { keep, markdownOf, type Part } from './results.js';
import type { Row } from './row.js';
import { benchState } from './state.js';

const ROUNDS = 3;
const STATE = { runs: 100_000, roundsDirectly: 3 };

/** In the order of the report. */
const PARTS: ReadonlyMap<string, () => Promise<Part>> = new Map([
  ['mlflow-2.22', () => mlflow('2.22.5')],
  ['mlflow-3.17', () => mlflow('3.17.2')],
  ['sqlite', growth],
  ['postgresql', async () => ({ rows: [await benchPostgresql(50_000, ROUNDS)] })],
  ['mariadb', async () => ({ rows: [await benchMysql(50_000, ROUNDS)] })],
  ['files', async () => ({ rows: [await benchFiles(5_000, ROUNDS)] })],
  ['file', () => sink(benchFileToFile)],
  ['kafka', () => sink(benchKafka)],
  ['datahub-rest', () => sink(benchDataHubRest)],
  ['operators', async () => ({ rows: [], section: await benchOperators(20_000, ROUNDS) })],
  ['state', async () => ({ rows: [], section: await benchState(STATE) })],
]);

const withPeer = !process.argv.includes('--no-peer');
const names = wanted(process.argv);
await installAll();
for (const [name, bench] of PARTS) {
  if (!names.includes(name)) continue;
  const part = await bench();
  console.log(`\n${markdownOf(part)}\n`);
  if (withPeer) await keep(name, part, [...PARTS.keys()]);
}

function wanted(args: readonly string[]): readonly string[] {
  const all = [...PARTS.keys()];
  if (!args.includes('--only')) return all;
  const given = (args[args.indexOf('--only') + 1] ?? '').split(',');
  const unknown = given.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`--only takes ${all.join(', ')}; not ${unknown.join()}`);
  return given;
}

async function mlflow(version: MlflowVersion): Promise<Part> {
  const { rows, pageToLine } = await benchMlflow(version, { rounds: ROUNDS, withPeer });
  const note =
    `Processor time from a page of MLflow ${version} to lines: ${pageToLine.toFixed(2)} times ` +
    'JSON.parse of the pages and JSON.stringify of the proposals.';
  return { rows, notes: [note] };
}

async function growth(): Promise<Part> {
  const small = await benchSqlite(5_000, ROUNDS);
  const middle = await benchSqlite(50_000, 0);
  const large = await benchSqlite(500_000, 0);
  const ratio = (pick: (row: Row) => number): string => (pick(large) / pick(small)).toFixed(2);
  const note =
    `100 times the runs from SQLite: ${ratio(({ ours }) => ours.wallSeconds)} times as long, ` +
    `with ${ratio(({ ours }) => ours.peakMegabytes)} times the memory.`;
  return { rows: [small, middle, large], notes: [note] };
}

async function sink(bench: typeof benchFileToFile): Promise<Part> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-sinks-'));
  try {
    const file = await makeProposals(folder);
    console.log(`${file.name}: ${ROUNDS + 1} rounds …`);
    return { rows: [await bench(file, { folder, rounds: ROUNDS, withPeer })] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
