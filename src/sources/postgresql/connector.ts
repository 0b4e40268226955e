/**
 * Connections to PostgreSQL. Each reading is one transaction that can only read, set up in itself: a
 * pooler between us and the server may give each transaction another session.
 */

import type { Client, ClientConfig } from 'pg';
import { PipelineError } from '../../core/errors.js';
import type { RunContext } from '../../stream/contracts.js';
import type { Ask } from '../sql/query.js';
import type { Connection, Connector } from '../sql/server/server-database.js';
import { tlsOptions, type Trust } from '../sql/server/tls.js';
import type { DatabaseAddress } from '../sql/server/uri.js';
import { postgresqlDialect, rowsOf } from './dialect.js';
import { postgresqlFailure } from './failures.js';
import type { PostgresqlSettings } from './options.js';

/** Texts as PostgreSQL wrote them. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

/** libpq's modes: how far a server is trusted, and that nothing is encrypted. */
const TRUST: Readonly<Record<string, Trust | undefined>> = {
  disable: undefined,
  allow: 'any',
  prefer: 'any',
  require: 'any',
  'verify-ca': 'authority',
  'verify-full': 'authority and host',
};

export function postgresqlConnector(
  address: DatabaseAddress,
  settings: PostgresqlSettings,
  context: RunContext,
): Connector {
  const { env } = context;
  const parameter = (name: string): string | undefined =>
    address.parameters.get(name) ?? env[`PG${name.toUpperCase()}`];
  const sslmode = parameter('sslmode') ?? 'prefer';
  const ssl = tlsOf(sslmode, parameter);
  const user = address.user ?? parameter('user');
  const password = settings.password ?? address.password ?? parameter('password');
  const options = parameter('options');
  const config: ClientConfig = {
    host: address.host ?? env['PGHOST'] ?? 'localhost',
    port: address.port ?? Number(env['PGPORT'] ?? 5432),
    database: address.database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(options === undefined ? {} : { options }),
    application_name: parameter('application_name') ?? 'mlflow-datahub',
    connectionTimeoutMillis: settings.connectTimeoutMs,
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

function tlsOf(
  sslmode: string,
  parameter: (name: string) => string | undefined,
): ClientConfig['ssl'] {
  if (!Object.hasOwn(TRUST, sslmode)) {
    throw new PipelineError(
      `sslmode is "${sslmode}", which is none of ${Object.keys(TRUST).join(', ')}`,
      { code: 'INVALID_URI', category: 'usage' },
    );
  }
  const rootcert = parameter('sslrootcert');
  // As libpq: the certificates that the system trusts are no file.
  const ca = rootcert === 'system' ? undefined : rootcert;
  // As libpq, too: who names an authority wants it to be looked at.
  const trust = sslmode === 'require' && rootcert !== undefined ? 'authority' : TRUST[sslmode];
  if (trust === undefined) return false;
  return tlsOptions(rootcert === 'system' ? 'authority and host' : trust, {
    ca,
    cert: parameter('sslcert'),
    key: parameter('sslkey'),
  });
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
