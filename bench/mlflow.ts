/**
 * How long a sweep of 5,000 runs takes over REST and out of the server's own database, beside bare
 * clients and beside DataHub's connector, which asks the server.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../test/live/processes.js';
import type { MlflowVersion } from '../test/live/releases.js';
import { seedBulk } from '../test/live/seed.js';
import { startMlflow } from '../test/live/servers.js';
import { bare, peer, pipeline } from './commands.js';
import { compare } from './measure.js';
import { rowOf, type Row } from './row.js';

export const CONTENT = { experiments: 20, runs: 5_000, models: 100, versions: 1_000 };
export const CONNECTIONS = 2;
const PAGE_TO_LINE = fileURLToPath(new URL('page-to-line.js', import.meta.url));
/** MLflow's own default. */
export const WORKERS = 4;

export interface MlflowFigures {
  readonly rows: readonly Row[];
  /** Processor time from a page to its lines, as times JSON.parse and JSON.stringify of both. */
  readonly pageToLine: number;
}

export async function benchMlflow(
  version: MlflowVersion,
  { rounds, withPeer }: { readonly rounds: number; readonly withPeer: boolean },
): Promise<MlflowFigures> {
  const server = await startMlflow(
    version,
    (database) => seedBulk(version, database, CONTENT),
    WORKERS,
  );
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const { uri, database } = server;
    const commands = [
      bare('bare REST', 'stores/bare-client.js', uri, String(CONNECTIONS)),
      pipeline('REST', folder, uri),
      bare('bare SQLite', 'stores/bare-sqlite.js', database),
      pipeline('SQLite', folder, `sqlite:///${database}`),
    ];
    if (withPeer) {
      commands.push(
        await peer(folder, {
          source: { type: 'mlflow', config: { tracking_uri: uri } },
          sink: { type: 'file', config: { filename: join(folder, 'peer.json') } },
        }),
      );
    }
    console.log(`MLflow ${version}: ${rounds + 1} rounds …`);
    const figures = await compare(commands, rounds);
    const row = (how: 'REST' | 'SQLite', what: string): Row =>
      rowOf(`MLflow ${version} ${what} to a file, 5,000 runs`, figures, {
        ours: how,
        bare: `bare ${how}`,
      });
    return {
      rows: [row('REST', 'over REST'), row('SQLite', 'from its SQLite database')],
      pageToLine: await pageToLine(uri),
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function pageToLine(uri: string): Promise<number> {
  const { stdout } = await run(process.execPath, [PAGE_TO_LINE, uri]);
  const { ours, json } = JSON.parse(stdout) as { readonly ours: number; readonly json: number };
  return ours / json;
}
