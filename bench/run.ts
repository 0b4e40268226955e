/**
 * `npm run bench`: how long a sweep takes, beside the bare fetching of the same pages and beside
 * DataHub's own connector, in one go. Writes bench/results.md and the table of the README.
 *
 *   npm run bench              all of it, some 12 minutes: the peer takes most of them
 *   npm run bench -- --no-peer without the peer; the README is left as it is
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
import { compare, type Command, type Figures } from './measure.js';

const CONTENT = { experiments: 20, runs: 5_000, models: 100, versions: 1_000 };
const CONNECTIONS = 2;
/** MLflow's own default. */
const WORKERS = 4;
const ROUNDS = 3;
const VERSIONS: readonly MlflowVersion[] = ['2.22.5', '3.17.2'];

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const withPeer = !process.argv.includes('--no-peer');

interface Row {
  readonly work: string;
  readonly ours: Figures;
  readonly bare: Figures;
  readonly peer: Figures | undefined;
}

await installAll();
const rows: Row[] = [];
for (const version of VERSIONS) rows.push(await benchRest(version));
const table = tableOf(rows);
console.log(`\n${table}\n`);
if (withPeer) {
  await writeFile(here('results.md'), `${heading()}\n${table}\n`);
  await replaceInReadme(table);
}

async function benchRest(version: MlflowVersion): Promise<Row> {
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
    const [ours, bare] = [figures.get('ours'), figures.get('bare')];
    if (ours === undefined || bare === undefined) throw new Error('nothing was measured');
    const work = `MLflow ${version} over REST to a file, 5,000 runs`;
    return { work, ours, bare, peer: figures.get('peer') };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function tableOf(all: readonly Row[]): string {
  const head = [
    '| work | this pipeline | bare client, same pages | DataHub’s connector | times the bare client | times faster than the connector |',
    '|---|---|---|---|---|---|',
  ];
  const cell = ({ wallSeconds, peakMegabytes }: Figures): string =>
    `${wallSeconds.toFixed(1)} s, ${peakMegabytes.toFixed(0)} MB`;
  const ratio = (a: Figures, b: Figures): string => (a.wallSeconds / b.wallSeconds).toFixed(2);
  return [
    ...head,
    ...all.map(
      ({ work, ours, bare, peer }) =>
        `| ${work} | ${cell(ours)} | ${cell(bare)} | ${peer === undefined ? 'not run' : cell(peer)} | ${ratio(ours, bare)} | ${peer === undefined ? '' : ratio(peer, ours)} |`,
    ),
  ].join('\n');
}

function heading(): string {
  return `# Figures of \`npm run bench\`

Whole processes, wall time and peak memory; medians of ${ROUNDS} rounds in turn after one to warm up, the
connector once. ${CONTENT.experiments} experiments, ${CONTENT.runs} runs, ${CONTENT.models} models, ${CONTENT.versions} versions; ${CONNECTIONS} connections, ${WORKERS} workers; server and client on one
machine, Node ${process.version}.
`;
}

async function replaceInReadme(text: string): Promise<void> {
  const [start, end] = ['<!-- bench:start -->', '<!-- bench:end -->'];
  const readme = await readFile(here('../README.md'), 'utf8');
  const [before, rest = ''] = readme.split(start);
  const after = rest.split(end)[1] ?? '';
  await writeFile(here('../README.md'), `${before ?? ''}${start}\n${text}\n${end}${after}`);
}
