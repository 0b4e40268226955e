/**
 * `npm run bench`: how long a sweep of MLflow takes, and how long the proposals of a file take to
 * Kafka and to DataHub, beside bare clients that do the same and beside DataHub's own connector, in
 * one go; and what a state costs and saves. Writes bench/results.md and the table of the README.
 *
 *   npm run bench                  all of it, some 45 minutes
 *   npm run bench -- --no-peer     without the peer; the files are left as they are
 *   npm run bench -- --only kafka  or datahub-rest, mlflow, state; the files are left as they are
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf, installAll } from '../test/live/install.js';
import { PEER_ENVIRONMENT } from '../test/live/peer.js';
import { PEER, type MlflowVersion } from '../test/live/releases.js';
import { seedBulk } from '../test/live/seed.js';
import { startMlflow } from '../test/live/servers.js';
import { benchDataHubRest } from './datahub-rest.js';
import { benchKafka } from './kafka.js';
import { compare, type Command } from './measure.js';
import { makeProposals } from './proposals.js';
import { rowOf, tableOf, type Row } from './row.js';
import { benchState, STATE_VERSION } from './state.js';

const CONTENT = { experiments: 20, runs: 5_000, models: 100, versions: 1_000 };
const CONNECTIONS = 2;
/** MLflow's own default. */
const WORKERS = 4;
const ROUNDS = 3;
const STATE = { runs: 100_000, roundsDirectly: 3 };
const VERSIONS: readonly MlflowVersion[] = ['2.22.5', '3.17.2'];

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const withPeer = !process.argv.includes('--no-peer');

const only = process.argv[process.argv.indexOf('--only') + 1];
const isWanted = (part: string): boolean => !process.argv.includes('--only') || only === part;

await installAll();
const rows: Row[] = [];
if (isWanted('mlflow')) for (const version of VERSIONS) rows.push(await benchMlflow(version));
if (isWanted('kafka') || isWanted('datahub-rest')) rows.push(...(await benchSinks()));
const table = tableOf(rows);
if (rows.length > 0) console.log(`\n${table}\n`);
const stateTable = isWanted('state') ? await benchState(STATE) : '';
if (stateTable !== '') console.log(`\n${stateTable}\n`);
if (withPeer && !process.argv.includes('--only')) {
  await writeFile(
    here('results.md'),
    `${heading()}\n${table}\n\n${stateHeading()}\n${stateTable}\n`,
  );
  await replaceInReadme(table);
}

async function benchSinks(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-sinks-'));
  try {
    const file = await makeProposals(folder);
    const given = { folder, rounds: ROUNDS, withPeer };
    const found: Row[] = [];
    console.log(`${file.name}: ${ROUNDS + 1} rounds for each sink …`);
    if (isWanted('kafka')) found.push(await benchKafka(file, given));
    if (isWanted('datahub-rest')) found.push(await benchDataHubRest(file, given));
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchMlflow(version: MlflowVersion): Promise<Row> {
  const server = await startMlflow(
    version,
    (database) => seedBulk(version, database, CONTENT),
    WORKERS,
  );
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const recipe = join(folder, 'recipe.yml');
    await writeFile(
      recipe,
      JSON.stringify({
        source: { type: 'mlflow', config: { tracking_uri: server.uri } },
        sink: { type: 'file', config: { filename: join(folder, 'peer.json') } },
      }),
    );
    const commands: Command[] = [
      {
        name: 'bare',
        program: process.execPath,
        args: [here('bare-client.js'), server.uri, String(CONNECTIONS)],
      },
      {
        name: 'ours',
        program: process.execPath,
        args: [
          here('../dist/pipeline.js'),
          '--from',
          server.uri,
          '--to',
          join(folder, 'ours.json'),
        ],
        cwd: folder,
      },
      ...(withPeer
        ? [
            {
              name: 'peer',
              program: join(binOf(PEER), 'datahub'),
              args: ['ingest', '-c', recipe],
              env: PEER_ENVIRONMENT,
              once: true,
            },
          ]
        : []),
    ];
    console.log(`MLflow ${version}: ${ROUNDS + 1} rounds …`);
    const figures = await compare(commands, ROUNDS);
    return rowOf(`MLflow ${version} over REST to a file, 5,000 runs`, figures);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function stateHeading(): string {
  return `## With state

MLflow ${STATE_VERSION}, one store, read in both ways. The first run makes the state file, the second finds nothing new.
From SQLite medians of ${STATE.roundsDirectly} rounds after one to warm up, over REST once.
`;
}

function heading(): string {
  return `# Figures of \`npm run bench\`

Whole processes, wall time and peak memory; medians of ${ROUNDS} rounds in turn after one to warm up, the
connector once. ${CONTENT.experiments} experiments, ${CONTENT.runs} runs, ${CONTENT.models} models, ${CONTENT.versions} versions; ${CONNECTIONS} connections, ${WORKERS} workers; server and client on one
machine, Node ${process.version}. The bare client of Kafka is kafkajs, sending the same bytes ready-made in batches of 500;
that of DataHub is undici, posting the same requests ready-made over four connections.
`;
}

async function replaceInReadme(text: string): Promise<void> {
  const [start, end] = ['<!-- bench:start -->', '<!-- bench:end -->'];
  const readme = await readFile(here('../README.md'), 'utf8');
  const [before, rest = ''] = readme.split(start);
  const after = rest.split(end)[1] ?? '';
  await writeFile(here('../README.md'), `${before ?? ''}${start}\n${text}\n${end}${after}`);
}
