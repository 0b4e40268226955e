/**
 * The database servers, from Debian's packages, and the drivers that MLflow reaches them with.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installBeside } from '../install.js';
import { run } from '../processes.js';

const POSTGRESQL = '/usr/lib/postgresql';
const INSTALL_MS = 10 * 60_000;

/** Everything in this file; one after the other, for apt-get has one lock. */
export async function installDatabases(): Promise<void> {
  await postgresqlBin();
  await mariadbServer();
}

/** What both of MLflow's SQL dialects need of Python, for PYTHONPATH. */
export async function driversEnvironment(): Promise<Readonly<Record<string, string>>> {
  const folder = await installBeside('sql-drivers', ['psycopg2-binary==2.9.10', 'PyMySQL==1.1.1']);
  return { PYTHONPATH: folder };
}

/** The folder of `initdb` and `postgres`, of the newest version that is there. */
export async function postgresqlBin(): Promise<string> {
  const find = (): string | undefined =>
    existsSync(POSTGRESQL)
      ? readdirSync(POSTGRESQL)
          .sort((a, b) => Number(b) - Number(a))
          .map((version) => join(POSTGRESQL, version, 'bin'))
          .find((bin) => existsSync(join(bin, 'initdb')))
      : undefined;
  return find() ?? (await installed('postgresql', find));
}

/** Where `mariadbd` is. */
export async function mariadbServer(): Promise<string> {
  const find = (): string | undefined =>
    ['/usr/sbin/mariadbd', '/usr/bin/mariadbd'].find((path) => existsSync(path));
  return find() ?? (await installed('mariadb-server', find));
}

async function installed(name: string, find: () => string | undefined): Promise<string> {
  console.log(`installing ${name} …`);
  const options = {
    env: { ...(process.env as Record<string, string>), DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: INSTALL_MS,
  };
  const patience = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  try {
    await run('apt-get', ['update', '-q', ...patience], options);
    await run(
      'apt-get',
      ['install', '-y', '-q', '--no-install-recommends', ...patience, name],
      options,
    );
  } catch (error) {
    throw new Error(`the live tests need Debian's package ${name}, which can't be installed`, {
      cause: error,
    });
  }
  const found = find();
  if (found === undefined) throw new Error(`${name} was installed, and is not where it should be`);
  return found;
}

/** Database servers refuse to run as root: then the user of Debian's package runs them. */
export function asUser(user: string, command: readonly string[]): readonly string[] {
  return process.getuid?.() === 0 ? ['runuser', '-u', user, '--', ...command] : command;
}
