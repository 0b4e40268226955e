/**
 * Connections to MySQL and MariaDB. Each reading is one transaction that can only read.
 */

import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import type { Connection as Driver, ConnectionOptions } from 'mysql2/promise';
import { PipelineError } from '../../core/errors.js';
import type { RunContext } from '../../stream/contracts.js';
import type { Ask, Parameter, Row } from '../sql/query.js';
import type { Connection, Connector } from '../sql/server/server-database.js';
import { tlsOptions, type Trust } from '../sql/server/tls.js';
import type { DatabaseAddress } from '../sql/server/uri.js';
import { mysqlDialect } from './dialect.js';
import { mysqlFailure } from './failures.js';
import type { MysqlSettings } from './options.js';

/**
 * No mode that changes what a query means, such as one in which a backslash is no escape. Times are
 * whole numbers in all of MLflow's tables.
 */
const SESSION = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES'",
  // A page is of one state, whatever the server's own habit.
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
];

export function mysqlConnector(
  address: DatabaseAddress,
  settings: MysqlSettings,
  context: RunContext,
): Connector {
  const { host = 'localhost', port = 3306, user, database, parameters } = address;
  const password = settings.password ?? address.password ?? context.env['MYSQL_PWD'];
  const socketPath = parameters.get('unix_socket');
  const trust = trustOf(parameters);
  const isNamed = isIP(host) === 0;
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
          ssl: {
            ...tlsOptions(trust, {
              ca: parameters.get('ssl_ca'),
              cert: parameters.get('ssl_cert'),
              key: parameters.get('ssl_key'),
            }),
            // The driver looks at names by itself, and at no address.
            verifyIdentity: trust === 'authority and host' && isNamed,
          } as NonNullable<ConnectionOptions['ssl']>,
        }),
  };
  return {
    dialect: mysqlDialect,
    failure: (error) => mysqlFailure(error, address.shown),
    connect: () =>
      connect(
        config,
        settings.timeoutMs,
        trust === 'authority and host' && !isNamed ? host : undefined,
      ),
  };
}

/** mysqlclient's; without encryption where a server has none is not offered, so that none is lost unseen. */
const MODES: readonly (readonly [name: string, trust: Trust | 'none'])[] = [
  ['DISABLED', 'none'],
  ['REQUIRED', 'any'],
  ['VERIFY_CA', 'authority'],
  ['VERIFY_IDENTITY', 'authority and host'],
];

/** As PyMySQL and mysqlclient take it. Absent: no encryption. */
function trustOf(parameters: ReadonlyMap<string, string>): Trust | undefined {
  const isSet = (name: string): boolean => {
    const value = parameters.get(name) ?? 'false';
    if (!/^(true|1|yes|on|false|0|no|off)$/i.test(value)) throw wrong(name, value, 'true or false');
    return /^(true|1|yes|on)$/i.test(value);
  };
  if (isSet('ssl_disabled')) return undefined;
  const mode = parameters.get('ssl_mode');
  if (mode !== undefined) {
    const trust = new Map(MODES).get(mode.toUpperCase());
    if (trust === undefined) {
      throw wrong('ssl_mode', mode, `one of ${MODES.map(([name]) => name).join(', ')}`);
    }
    return trust === 'none' ? undefined : trust;
  }
  if (isSet('ssl_verify_identity')) return 'authority and host';
  if (isSet('ssl_verify_cert') || parameters.has('ssl_ca')) return 'authority';
  return parameters.has('ssl_cert') || parameters.has('ssl_key') ? 'any' : undefined;
}

function wrong(name: string, value: string, allowed: string): PipelineError {
  return new PipelineError(`${name} is "${value}", and should be ${allowed}`, {
    code: 'INVALID_URI',
    category: 'usage',
  });
}

/** @param address - an IP address that the server's certificate must be for */
async function connect(
  config: ConnectionOptions,
  timeoutMs: number,
  address: string | undefined,
): Promise<Connection> {
  const { createConnection } = await import('mysql2/promise');
  const driver = await createConnection(config);
  // What breaks between two queries fails the next one; without a listener it would end the process.
  driver.on('error', () => undefined);
  try {
    if (address !== undefined) verifyAddress(driver, address);
    for (const setting of SESSION) await driver.query(setting);
    await limitQueries(driver, timeoutMs);
  } catch (error) {
    destroy(driver);
    throw error;
  }
  return {
    begin: async () => {
      await driver.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    },
    query: async (ask) => {
      const [rows] = await driver.query(bound(ask));
      return rows as unknown as readonly Row[];
    },
    end: async () => {
      await driver.query('COMMIT');
    },
    destroy: () => {
      destroy(driver);
    },
  };
}

/** At once: the driver's own `destroy` waits for what goes on. */
function destroy(driver: Driver): void {
  socketOf(driver)?.destroy();
}

function socketOf(driver: Driver): Socket | undefined {
  return (driver as unknown as { connection: { stream?: Socket } }).connection.stream;
}

/** @throws Error `ERR_TLS_CERT_ALTNAME_INVALID` */
function verifyAddress(driver: Driver, address: string): void {
  const socket = socketOf(driver);
  if (!(socket instanceof TLSSocket)) throw new Error('the connection is not encrypted');
  const problem = checkServerIdentity(address, socket.getPeerCertificate());
  if (problem !== undefined) throw problem;
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
    const value = parameters[Number(number) - 1] ?? null;
    values.push(value);
    return '?';
  });
  return {
    sql: text,
    values: values.map((value) => (Array.isArray(value) && value.length === 0 ? [null] : value)),
  };
}
