/**
 * Connections to MySQL and MariaDB. Each reading is one transaction that can only read.
 */

import type { Connection as Driver, ConnectionOptions } from 'mysql2/promise';
import type { RunContext } from '../../stream/contracts.js';
import type { Ask, Parameter, Row } from '../sql/query.js';
import type { Connection, Connector } from '../sql/server/server-database.js';
import { tlsOptions, type Trust } from '../sql/server/tls.js';
import { mysqlDialect } from './dialect.js';
import { mysqlFailure } from './failures.js';
import type { MysqlSettings } from './options.js';
import type { MysqlAddress } from './uri.js';

/** Beyond the server's own limit for a query, in case that it can't say so any more; milliseconds. */
const GRACE_MS = 5_000;

/**
 * No mode that changes what a query means, such as one in which a backslash is no escape. Times are
 * whole numbers in all of MLflow's tables.
 */
const SESSION = "SET SESSION sql_mode = 'STRICT_ALL_TABLES'";

export function mysqlConnector(
  address: MysqlAddress,
  settings: MysqlSettings,
  context: RunContext,
): Connector {
  const { host = 'localhost', port = 3306, user, database, parameters } = address;
  const password = settings.password ?? address.password ?? context.env['MYSQL_PWD'];
  const socketPath = parameters.get('unix_socket');
  const trust = trustOf(parameters);
  const config: ConnectionOptions = {
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    connectTimeout: settings.connectTimeoutMs,
    charset: 'utf8mb4',
    rowsAsArray: true,
    supportBigNumbers: true,
    dateStrings: true,
    enableKeepAlive: true,
    multipleStatements: false,
    // A server must not be able to ask for our files.
    flags: ['-LOCAL_FILES'],
    ...(trust === undefined
      ? {}
      : {
          ssl: tlsOptions(trust, {
            ca: parameters.get('ssl_ca'),
            cert: parameters.get('ssl_cert'),
            key: parameters.get('ssl_key'),
          }) as NonNullable<ConnectionOptions['ssl']>,
        }),
  };
  return {
    dialect: mysqlDialect,
    failure: (error) => mysqlFailure(error, address.shown),
    connect: () => connect(config, settings.timeoutMs),
  };
}

/** As PyMySQL and mysqlclient take it. Absent: no encryption. */
function trustOf(parameters: ReadonlyMap<string, string>): Trust | undefined {
  const isSet = (name: string): boolean => /^(true|1|yes|on)$/i.test(parameters.get(name) ?? '');
  if (isSet('ssl_disabled')) return undefined;
  switch (parameters.get('ssl_mode')?.toUpperCase() ?? '') {
    case 'DISABLED':
      return undefined;
    case 'REQUIRED':
      return 'any';
    case 'VERIFY_CA':
      return 'authority';
    case 'VERIFY_IDENTITY':
      return 'authority and host';
    default:
      break;
  }
  if (isSet('ssl_verify_identity')) return 'authority and host';
  if (isSet('ssl_verify_cert') || parameters.has('ssl_ca')) return 'authority';
  return parameters.has('ssl_cert') || parameters.has('ssl_key') ? 'any' : undefined;
}

async function connect(config: ConnectionOptions, timeoutMs: number): Promise<Connection> {
  const { createConnection } = await import('mysql2/promise');
  const driver = await createConnection(config);
  // What breaks between two queries fails the next one; without a listener it would end the process.
  driver.on('error', () => undefined);
  try {
    await driver.query(SESSION);
    await limitQueries(driver, timeoutMs);
  } catch (error) {
    driver.destroy();
    throw error;
  }
  return {
    begin: async () => {
      await driver.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    },
    query: async (ask) => {
      const [rows] = await driver.query({ ...bound(ask), timeout: timeoutMs + GRACE_MS });
      return rows as unknown as readonly Row[];
    },
    end: async () => {
      await driver.query('COMMIT');
    },
    destroy: () => {
      driver.destroy();
    },
  };
}

/** The two have different names for it, and other units. */
async function limitQueries(driver: Driver, timeoutMs: number): Promise<void> {
  const [rows] = await driver.query('SELECT VERSION()');
  const version = String((rows as unknown as Row[])[0]?.[0]);
  await driver.query(
    version.includes('MariaDB')
      ? `SET SESSION max_statement_time = ${timeoutMs / 1000}`
      : `SET SESSION max_execution_time = ${timeoutMs}`,
  );
}

/** The driver's placeholders have no numbers. A list that is empty has nothing in it: not even NULL. */
function bound({ sql, parameters }: Ask): { sql: string; values: unknown[] } {
  const values: Parameter[] = [];
  const text = sql.replace(/\?(\d+)/g, (_, number: string) => {
    const value = parameters[Number(number) - 1] ?? '';
    values.push(value);
    return '?';
  });
  return {
    sql: text,
    values: values.map((value) => (Array.isArray(value) && value.length === 0 ? [null] : value)),
  };
}
