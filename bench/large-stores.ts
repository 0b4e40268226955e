/**
 * How time and memory grow with a store that is read directly.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seedBulk } from '../test/live/seed.js';
import { runWithMlflow } from '../test/live/servers.js';
import { driversEnvironment } from '../test/live/sql/install.js';
import { startPostgresql } from '../test/live/sql/server.js';
import { bare, pipeline } from './commands.js';
import { compare, type Command } from './measure.js';
import { rowOf, type Row } from './row.js';

const VERSION = '3.17.2';
const COPY = fileURLToPath(new URL('stores/copy-to-postgresql.py', import.meta.url));

const nameOf = (runs: number): string => `${runs.toLocaleString('en')} runs`;

/** From SQLite to a file. */
export async function benchSqlite(runs: number, rounds: number): Promise<Row> {
  return withDatabase(runs, async (folder, database) => {
    const figures = await compared(`${nameOf(runs)} from SQLite`, rounds, [
      bare('bare', 'stores/bare-sqlite.js', database),
      pipeline('ours', folder, `sqlite:///${database}`),
    ]);
    return rowOf(`MLflow ${VERSION} from SQLite to a file, ${nameOf(runs)}`, figures);
  });
}

/** From PostgreSQL to a file: the same store. */
export async function benchPostgresql(runs: number, rounds: number): Promise<Row> {
  return withDatabase(runs, async (folder, database) => {
    const server = await startPostgresql();
    try {
      await server.createDatabase('bulk');
      const writer = server.writerUri('bulk');
      await runWithMlflow(VERSION, COPY, [database, writer], await driversEnvironment());
      const reader = server.readerUri('bulk');
      const figures = await compared(`${nameOf(runs)} from PostgreSQL`, rounds, [
        bare('bare', 'stores/bare-postgresql.js', reader),
        pipeline('ours', folder, reader),
      ]);
      return rowOf(`MLflow ${VERSION} from PostgreSQL to a file, ${nameOf(runs)}`, figures);
    } finally {
      await server.stop();
    }
  });
}

async function withDatabase<T>(
  runs: number,
  use: (folder: string, database: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-large-'));
  try {
    const database = join(folder, 'mlflow.db');
    const versions = Math.round(runs / 5);
    await seedBulk(VERSION, database, { experiments: 20, runs, models: 100, versions });
    return await use(folder, database);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where there are no rounds but the first, that one counts. */
function compared(what: string, rounds: number, commands: readonly Command[]) {
  console.log(`${what}: ${rounds + 1} rounds …`);
  return compare(
    commands.map((each) => ({ ...each, once: rounds === 0 })),
    rounds,
  );
}
