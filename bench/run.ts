/**
 * `npm run bench`: how long a sweep of MLflow takes out of each of its stores, and how long the
 * proposals of a file take to each sink, beside bare clients that do the same and beside DataHub's
 * own connector, in one go; how both grow with the store, and what a state costs and saves. Writes
 * bench/results.md, bench/results.svg and the table of the README.
 *
 *   npm run bench                  all of it, some 100 minutes
 *   npm run bench -- --no-peer     without the peer; the files are left as they are
 *   npm run bench -- --only kafka  a part: mlflow, large, file, kafka, datahub-rest, state; the files
 *                                  are left as they are
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installAll } from '../test/live/install.js';
import type { MlflowVersion } from '../test/live/releases.js';
import { chartOf } from './chart.js';
import { benchDataHubRest } from './datahub-rest.js';
import { benchFileToFile } from './file-to-file.js';
import { benchKafka } from './kafka.js';
import { benchFiles, benchMysql, benchPostgresql, benchSqlite } from './large-stores.js';
import { benchMlflow, CONNECTIONS, CONTENT, WORKERS } from './mlflow.js';
import { makeProposals } from './proposals.js';
import { tableOf, type Row } from './row.js';
import { benchState, STATE_VERSION } from './state.js';

const ROUNDS = 3;
const STATE = { runs: 100_000, roundsDirectly: 3 };
const VERSIONS: readonly MlflowVersion[] = ['2.22.5', '3.17.2'];

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const withPeer = !process.argv.includes('--no-peer');

const only = process.argv[process.argv.indexOf('--only') + 1];
const isWanted = (part: string): boolean => !process.argv.includes('--only') || only === part;

await installAll();
const rows: Row[] = [];
const notes: string[] = [];
if (isWanted('mlflow')) for (const version of VERSIONS) await addMlflow(version);
if (isWanted('large')) await addLarge();
if (['file', 'kafka', 'datahub-rest'].some(isWanted)) rows.push(...(await benchSinks()));
const table = tableOf(rows);
if (rows.length > 0) console.log(`\n${table}\n`);
if (notes.length > 0) console.log(`${notes.join('\n')}\n`);
const stateTable = isWanted('state') ? await benchState(STATE) : '';
if (stateTable !== '') console.log(`\n${stateTable}\n`);
if (withPeer && !process.argv.includes('--only')) {
  const parts = [heading(), table, notes.join('\n'), stateHeading(), stateTable];
  await writeFile(here('results.md'), `${parts.join('\n\n')}\n`);
  await writeFile(here('results.svg'), chartOf(rows));
  await replaceInReadme(table);
}

async function addMlflow(version: MlflowVersion): Promise<void> {
  const found = await benchMlflow(version, { rounds: ROUNDS, withPeer });
  rows.push(...found.rows);
  notes.push(
    `- Processor time from a page of MLflow ${version} to lines: ${found.pageToLine.toFixed(2)} times ` +
      'JSON.parse of the pages and JSON.stringify of the proposals.',
  );
}

async function addLarge(): Promise<void> {
  const small = await benchSqlite(5_000, ROUNDS);
  const large = await benchSqlite(500_000, 0);
  rows.push(small, await benchSqlite(50_000, 0), large);
  rows.push(await benchPostgresql(50_000, ROUNDS), await benchMysql(50_000, ROUNDS));
  rows.push(await benchFiles(5_000, ROUNDS));
  const ratio = (pick: (row: Row) => number): string => (pick(large) / pick(small)).toFixed(2);
  notes.push(
    `- 100 times the runs from SQLite: ${ratio(({ ours }) => ours.wallSeconds)} times as long, ` +
      `with ${ratio(({ ours }) => ours.peakMegabytes)} times the memory.`,
  );
}

async function benchSinks(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-sinks-'));
  try {
    const file = await makeProposals(folder);
    const given = { folder, rounds: ROUNDS, withPeer };
    const found: Row[] = [];
    console.log(`${file.name}: ${ROUNDS + 1} rounds for each sink …`);
    if (isWanted('file')) found.push(await benchFileToFile(file, given));
    if (isWanted('kafka')) found.push(await benchKafka(file, given));
    if (isWanted('datahub-rest')) found.push(await benchDataHubRest(file, given));
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function stateHeading(): string {
  return `## With state

MLflow ${STATE_VERSION}, one store, read in both ways. The first run makes the state file, the second finds nothing new.
From SQLite medians of ${STATE.roundsDirectly} rounds after one to warm up, over REST once.`;
}

function heading(): string {
  return `# Figures of \`npm run bench\`

Whole processes, wall time and peak memory; medians of ${ROUNDS} rounds in turn after one to warm up, the
connector and what takes minutes once. ${CONTENT.experiments} experiments, ${CONTENT.runs} runs, ${CONTENT.models} models, ${CONTENT.versions} versions; ${CONNECTIONS} connections, ${WORKERS} workers;
server and client on one machine, Node ${process.version}. The bare client of Kafka is kafkajs, sending the same bytes
ready-made in batches of 500; that of DataHub is undici, posting the same requests ready-made over four connections;
those of databases read the same rows in the same short reads; that of MLflow's folder reads the same files, and parses
no YAML; that of files of proposals parses the whole and writes it again.`;
}

async function replaceInReadme(text: string): Promise<void> {
  const [start, end] = ['<!-- bench:start -->', '<!-- bench:end -->'];
  const readme = await readFile(here('../README.md'), 'utf8');
  const [before, rest = ''] = readme.split(start);
  const after = rest.split(end)[1] ?? '';
  await writeFile(here('../README.md'), `${before ?? ''}${start}\n${text}\n${end}${after}`);
}
