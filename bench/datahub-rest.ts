/**
 * How long the proposals of a file take to DataHub over REST, beside DataHub's own client, both to
 * a stand-in of the service that counts and takes everything: what is measured are the clients.
 *
 *   npm run build && node --import jiti/register bench/datahub-rest.ts [--no-peer]
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGms, type Gms } from '../test/live/gms.js';
import { binOf, installAll } from '../test/live/install.js';
import { PEER_ENVIRONMENT } from '../test/live/peer.js';
import { run } from '../test/live/processes.js';
import { readProposals } from '../test/live/proposals.js';
import { PEER } from '../test/live/releases.js';
import { seedBulk } from '../test/live/seed.js';
import { compare, type Command, type Figures } from './measure.js';

/** Gives about 45,000 proposals. */
const CONTENT = { experiments: 27, runs: 5_042, models: 103, versions: 1_008 };
const ROUNDS = 5;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const withPeer = !process.argv.includes('--no-peer');

await installAll();
const folder = await mkdtemp(join(tmpdir(), 'bench-rest-'));
const gms = await startGms({ countOnly: true });
try {
  const file = await makeProposals();
  const { length: count } = await readProposals(file);
  console.log(`${count} proposals, ${ROUNDS + 1} rounds …`);
  const commands = [ours(file, gms), ...(withPeer ? [await peer(file, gms)] : [])];
  const figures = await compare(commands, ROUNDS);
  const { proposals } = await gms.counts();
  const expected = count * (ROUNDS + 1 + (withPeer ? 1 : 0));
  if (proposals !== expected) throw new Error(`${proposals} arrived, not ${expected}`);
  console.log(table(figures));
} finally {
  await gms.stop();
  await rm(folder, { recursive: true, force: true });
}

async function makeProposals(): Promise<string> {
  const database = join(folder, 'mlflow.db');
  const file = join(folder, 'proposals.json');
  await seedBulk('2.22.5', database, CONTENT);
  await run(
    process.execPath,
    [here('../dist/pipeline.js'), '--from', `sqlite:///${database}`, '--to', file],
    { cwd: folder },
  );
  return file;
}

function ours(file: string, { url }: Gms): Command {
  return {
    name: 'ours',
    program: process.execPath,
    args: [here('../dist/pipeline.js'), '--from', file, '--to', `datahub+${url}`],
    cwd: folder,
  };
}

async function peer(file: string, { url }: Gms): Promise<Command> {
  const recipe = join(folder, 'recipe.yml');
  await writeFile(
    recipe,
    JSON.stringify({
      source: { type: 'file', config: { path: file } },
      sink: { type: 'datahub-rest', config: { server: url } },
    }),
  );
  return {
    name: 'peer',
    program: join(binOf(PEER), 'datahub'),
    args: ['ingest', 'run', '--no-default-report', '--no-progress', '-c', recipe],
    env: PEER_ENVIRONMENT,
    once: true,
  };
}

function table(figures: ReadonlyMap<string, Figures>): string {
  const ourFigures = figures.get('ours');
  return [
    '| | wall time | peak memory | times faster than the connector |',
    '|---|---|---|---|',
    ...[...figures].map(([name, { wallSeconds, peakMegabytes }]) => {
      const ratio =
        name === 'peer' && ourFigures !== undefined
          ? (wallSeconds / ourFigures.wallSeconds).toFixed(1)
          : '';
      return `| ${name} | ${wallSeconds.toFixed(2)} s | ${peakMegabytes.toFixed(0)} MB | ${ratio} |`;
    }),
  ].join('\n');
}
