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
import { type DatabaseServer, startMariadb, startPostgresql } from '../test/live/sql/server.js';
import { bare, pipeline } from './commands.js';
import { compare, type Command } from './measure.js';
import { rowOf, type Row } from './row.js';

const VERSION = '3.17.2';

const script = (name: string): string => fileURLToPath(new URL(`stores/${name}`, import.meta.url));
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
export function benchPostgresql(runs: number, rounds: number): Promise<Row> {
  const server = { name: 'PostgreSQL', start: startPostgresql, yardstick: 'bare-postgresql.js' };
  return benchServer(server, runs, rounds);
}

/** From MariaDB to a file: the same store. */
export function benchMysql(runs: number, rounds: number): Promise<Row> {
  const server = { name: 'MariaDB', start: startMariadb, yardstick: 'bare-mysql.js' };
  return benchServer(server, runs, rounds);
}

/** From MLflow's folder of files to a file: the same content, nearly 30 files a run. */
export async function benchFiles(runs: number, rounds: number): Promise<Row> {
  return withDatabase(runs, async (folder, database) => {
    const files = join(folder, 'mlruns');
    await runWithMlflow(VERSION, script('write-files.py'), [database, files]);
    const figures = await compared(`${nameOf(runs)} from a folder of files`, rounds, [
      bare('bare', 'stores/bare-files.js', files),
      pipeline('ours', folder, files),
    ]);
    return rowOf(`MLflow ${VERSION} from its folder of files to a file, ${nameOf(runs)}`, figures);
  });
}

interface Server {
  readonly name: string;
  readonly start: () => Promise<DatabaseServer>;
  readonly yardstick: string;
}

async function benchServer(
  { name, start, yardstick }: Server,
  runs: number,
  rounds: number,
): Promise<Row> {
  return withDatabase(runs, async (folder, database) => {
    const server = await start();
    try {
      await server.createDatabase('bulk');
      const given = [database, server.writerUri('bulk')];
      await runWithMlflow(VERSION, script('copy-to-server.py'), given, await driversEnvironment());
      const reader = server.readerUri('bulk');
      const figures = await compared(`${nameOf(runs)} from ${name}`, rounds, [
        bare('bare', `stores/${yardstick}`, reader),
        pipeline('ours', folder, reader),
      ]);
      return rowOf(`MLflow ${VERSION} from ${name} to a file, ${nameOf(runs)}`, figures);
    } finally {
      await server.stop();
    }
  });
}

/** A store of that many runs, while it is used. */
export async function withDatabase<T>(
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
