/**
 * Starts real database servers on loopback, with data in a folder of their own.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { makeCertificates, type Certificates } from '../certificates.js';
import { freePort } from '../ports.js';
import { run, tail } from '../processes.js';
import { GUARDED, stopGroup } from '../servers.js';
import { asUser, mariadbServer, postgresqlBin } from './install.js';

/** The second is not what the certificate is for. */
const LISTENED = '127.0.0.1,127.0.0.2';

/** Odd on purpose, and it must never be seen. */
export const PASSWORD = 'db-s3cret:/%';

export interface DatabaseServer {
  readonly kind: 'postgresql' | 'mysql';
  /** For MLflow, which writes. */
  readonly writerUri: (database: string) => string;
  /** For a user that may only read. */
  readonly readerUri: (database: string, password?: string) => string;
  /** For the reader, who wants to be sure of the server: its host is looked at as well. */
  readonly verifiedUri: (database: string, host: string, ca: string) => string;
  readonly certificates: Certificates;
  readonly createDatabase: (name: string) => Promise<void>;
  /** As its administrator, in a database. */
  readonly execute: (database: string, ...statements: string[]) => Promise<readonly unknown[][]>;
  /** Ends the connections of the reader. */
  readonly cutConnections: () => Promise<void>;
  /** Transactions that the reader has open. */
  readonly openTransactions: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Long, as a machine may be slow, and busy with other tests. */
const START_MS = 240_000;

export async function startPostgresql(): Promise<DatabaseServer> {
  const bin = await postgresqlBin();
  const folder = await mkdtemp(join(tmpdir(), 'postgresql-'));
  const data = join(folder, 'data');
  const passwords = join(folder, 'password');
  await chmod(folder, 0o777);
  await writeFile(passwords, PASSWORD, { mode: 0o644 });
  const [initdb = '', ...given] = asUser('postgres', [
    ...[join(bin, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'scram-sha-256'],
    // In an order that is not that of bytes, as databases have it mostly.
    ...['--pwfile', passwords, '-E', 'UTF8', '--locale', 'C.UTF-8'],
    ...['--locale-provider', 'icu', '--icu-locale', 'en-US'],
  ]);
  await run(initdb, given, { cwd: folder });
  const port = await freePort();
  const certificates = await makeCertificates(folder);
  await giveTo('postgres', certificates.serverKey);
  const command = [join(bin, 'postgres'), '-D', data, '-p', String(port), '-h', LISTENED].concat(
    ['-c', 'ssl=on', '-c', `ssl_cert_file=${certificates.serverCert}`],
    ['-c', `ssl_key_file=${certificates.serverKey}`],
  );
  const execute = async (database: string, ...statements: string[]): Promise<unknown[][]> => {
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port, database, user: 'postgres', password: PASSWORD },
    });
    await client.connect();
    try {
      let rows: unknown[][] = [];
      for (const text of statements) {
        rows = (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
      }
      return rows;
    } finally {
      await client.end();
    }
  };
  const stop = await launch(folder, asUser('postgres', [...command, '-k', folder]), async () => {
    await execute('postgres', 'SELECT 1');
  });
  await execute('postgres', `CREATE ROLE reader LOGIN PASSWORD '${PASSWORD}'`);
  const uri = (user: string, database: string, password = PASSWORD): string =>
    `postgresql+psycopg2://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  return {
    kind: 'postgresql',
    writerUri: (database) => uri('postgres', database),
    readerUri: (database, password) => uri('reader', database, password),
    verifiedUri: (database, host, ca) =>
      `${uri('reader', database).replace('127.0.0.1', host)}?sslmode=verify-full&sslrootcert=${ca}`,
    certificates,
    createDatabase: async (name) => {
      await execute('postgres', `CREATE DATABASE ${name}`);
      await execute(
        name,
        'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader',
      );
    },
    execute,
    cutConnections: async () => {
      await execute(
        'postgres',
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'`,
      );
    },
    openTransactions: async () => {
      const rows = await execute(
        'postgres',
        `SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND xact_start IS NOT NULL`,
      );
      return Number(rows[0]?.[0]);
    },
    stop,
  };
}

export async function startMariadb(): Promise<DatabaseServer> {
  const program = await mariadbServer();
  const folder = await mkdtemp(join(tmpdir(), 'mariadb-'));
  const data = join(folder, 'data');
  await chmod(folder, 0o777);
  const socket = join(folder, 's');
  const [install = '', ...given] = asUser('mysql', [
    ...['mariadb-install-db', '--no-defaults', `--datadir=${data}`, '--skip-test-db'],
    '--auth-root-authentication-method=normal',
  ]);
  await run(install, given, { cwd: folder });
  const port = await freePort();
  const certificates = await makeCertificates(folder);
  await giveTo('mysql', certificates.serverKey);
  const command = [program, '--no-defaults', `--datadir=${data}`, `--port=${port}`].concat(
    [`--bind-address=${LISTENED}`, `--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`],
    // Few machines of those that run tests wait for a disk.
    ['--innodb-flush-log-at-trx-commit=0', '--lc-messages-dir=/usr/share/mysql'],
    [`--ssl-cert=${certificates.serverCert}`, `--ssl-key=${certificates.serverKey}`],
  );
  const execute = async (database: string, ...statements: string[]): Promise<unknown[][]> => {
    const connection = await mysql.createConnection({
      ...{ socketPath: socket, user: 'root', database, rowsAsArray: true },
    });
    try {
      let rows: unknown = [];
      for (const sql of statements) [rows] = await connection.query(sql);
      return rows as unknown[][];
    } finally {
      await connection.end();
    }
  };
  const stop = await launch(folder, asUser('mysql', command), async () => {
    await execute('mysql', 'SELECT 1');
  });
  for (const host of ['localhost', '%']) {
    await execute(
      'mysql',
      `CREATE USER 'writer'@'${host}' IDENTIFIED BY '${PASSWORD}'`,
      `GRANT ALL ON *.* TO 'writer'@'${host}'`,
      `CREATE USER 'reader'@'${host}' IDENTIFIED BY '${PASSWORD}'`,
      `GRANT SELECT ON *.* TO 'reader'@'${host}'`,
    );
  }
  const uri = (user: string, database: string, password = PASSWORD): string =>
    `mysql+pymysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}?charset=utf8mb4`;
  return {
    kind: 'mysql',
    writerUri: (database) => uri('writer', database),
    readerUri: (database, password) => uri('reader', database, password),
    verifiedUri: (database, host, ca) =>
      `${uri('reader', database).replace('127.0.0.1', host)}&ssl_mode=VERIFY_IDENTITY&ssl_ca=${ca}`,
    certificates,
    createDatabase: async (name) => {
      await execute('mysql', `CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
    },
    execute,
    cutConnections: async () => {
      const rows = await execute(
        'mysql',
        `SELECT id FROM information_schema.processlist WHERE user = 'reader'`,
      );
      for (const [id] of rows) {
        await execute('mysql', `KILL CONNECTION ${String(id)}`).catch(() => undefined);
      }
    },
    openTransactions: async () => {
      const rows = await execute(
        'mysql',
        `SELECT count(*) FROM information_schema.innodb_trx AS t
         JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id
         WHERE p.user = 'reader'`,
      );
      return Number(rows[0]?.[0]);
    },
    stop,
  };
}

/** A server takes no key that others could read. */
async function giveTo(user: string, file: string): Promise<void> {
  await chmod(file, 0o600);
  if (process.getuid?.() === 0) await run('chown', [user, file]);
}

/** Gives what ends it. */
async function launch(
  folder: string,
  command: readonly string[],
  answers: () => Promise<void>,
): Promise<() => Promise<void>> {
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'w');
  const child: ChildProcess = spawn('sh', ['-c', GUARDED, 'guarded', ...command], {
    cwd: folder,
    stdio: ['ignore', log, log, 'pipe'],
    detached: true,
  });
  closeSync(log);
  const stop = async (): Promise<void> => {
    await stopGroup(child);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      await answers();
      return stop;
    } catch (error) {
      if (Date.now() < deadline && child.exitCode === null) {
        await sleep(200);
        continue;
      }
      const output = tail(await readFile(logFile, 'utf8'));
      await stop();
      throw new Error(`the database server did not start: ${String(error)}\n${output}`, {
        cause: error,
      });
    }
  }
}
