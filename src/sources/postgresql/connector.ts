/**
 * Connections to PostgreSQL. Each reading is one transaction that can only read, set up in itself: a
 * pooler between us and the server may give each transaction another session.
 */

import type { Client, ClientConfig } from 'pg';
import type { RunContext } from '../../stream/contracts.js';
import type { Ask } from '../sql/query.js';
import type { Connection, Connector } from '../sql/server/server-database.js';
import { tlsOptions, type Trust } from '../sql/server/tls.js';
import { postgresqlDialect, rowsOf } from './dialect.js';
import { postgresqlFailure } from './failures.js';
import type { PostgresqlSettings } from './options.js';
import type { PostgresqlAddress } from './uri.js';

/** Beyond the server's own limit for a query, in case that it can't say so any more; milliseconds. */
const GRACE_MS = 5_000;

/** Texts as PostgreSQL wrote them. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

const TRUST: Readonly<Record<string, Trust>> = {
  require: 'any',
  prefer: 'any',
  allow: 'any',
  'verify-ca': 'authority',
  'verify-full': 'authority and host',
};

export function postgresqlConnector(
  address: PostgresqlAddress,
  settings: PostgresqlSettings,
  context: RunContext,
): Connector {
  const { parameters } = address;
  const sslmode = parameters.get('sslmode') ?? 'prefer';
  const trust = TRUST[sslmode];
  const ssl =
    trust === undefined
      ? false
      : tlsOptions(trust, {
          ca: parameters.get('sslrootcert'),
          cert: parameters.get('sslcert'),
          key: parameters.get('sslkey'),
        });
  const password = settings.password ?? address.password ?? context.env['PGPASSWORD'];
  const options = parameters.get('options');
  const config: ClientConfig = {
    host: address.host ?? 'localhost',
    port: address.port ?? 5432,
    database: address.database,
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(password === undefined ? {} : { password }),
    ...(options === undefined ? {} : { options }),
    application_name: parameters.get('application_name') ?? 'mlflow-datahub',
    connectionTimeoutMillis: settings.connectTimeoutMs,
    query_timeout: settings.timeoutMs + GRACE_MS,
    keepAlive: true,
  };
  return {
    dialect: postgresqlDialect,
    failure: (error) => postgresqlFailure(error, address.shown),
    connect: async () => {
      try {
        return await connect({ ...config, ssl }, settings.timeoutMs);
      } catch (error) {
        const plainWillDo = sslmode === 'prefer' || sslmode === 'allow';
        if (!plainWillDo || !/does not support SSL/i.test(String(error))) throw error;
        return await connect({ ...config, ssl: false }, settings.timeoutMs);
      }
    },
  };
}

async function connect(config: ClientConfig, timeoutMs: number): Promise<Connection> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(config);
  // What breaks between two queries fails the next one; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    destroy(client);
    throw error;
  }
  const begin = [
    'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY',
    `SET LOCAL statement_timeout = ${timeoutMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs}`,
  ].join('; ');
  return {
    begin: async () => {
      await client.query(begin);
    },
    query: async ({ sql, parameters }: Ask) => {
      const { rows } = await client.query<(string | null)[]>({
        text: numbered(sql),
        values: [...parameters],
        rowMode: 'array',
        types: AS_TEXT,
      });
      return rowsOf(rows[0]);
    },
    end: async () => {
      await client.query('COMMIT');
    },
    destroy: () => {
      destroy(client);
    },
  };
}

function numbered(sql: string): string {
  return sql.replace(/\?(\d+)/g, '$$$1');
}

/** At once: `end()` would wait for what goes on. */
function destroy(client: Client): void {
  const { connection } = client as unknown as {
    connection?: { stream?: { destroy: () => void } };
  };
  connection?.stream?.destroy();
}
