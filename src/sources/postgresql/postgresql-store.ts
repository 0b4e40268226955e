/**
 * MLflow's PostgreSQL database as a store, for MLflow 1.28 and later, without any server of MLflow's.
 */

import { parseOptions } from '../../core/options.js';
import type { RunContext } from '../../stream/contracts.js';
import { ServerDatabase } from '../sql/server/server-database.js';
import { openSqlStore } from '../sql/store.js';
import type { MlflowStore } from '../store.js';
import { postgresqlConnector } from './connector.js';
import { postgresqlOptions, type PostgresqlOptions } from './options.js';
import { postgresqlAddress } from './uri.js';

/**
 * Opens a database that MLflow keeps its tracking store and registry in. It is only ever read, a page
 * in a short transaction: nothing is open while a page is on its way. It is the workspace `default`,
 * whatever the options say: `readWorkspaces` chooses.
 *
 * @throws PipelineError
 * - `INVALID_OPTIONS`, `INVALID_URI`, `TLS_FILE_UNREADABLE` (usage)
 * - `SOURCE_UNREACHABLE`, `SOURCE_TLS`, `SOURCE_TIMEOUT`: while reading, too, after the retries
 * - `SOURCE_UNAUTHORIZED`, `SOURCE_FORBIDDEN`, `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`
 * - `SOURCE_NOT_MLFLOW`, `SOURCE_TOO_OLD`, `SOURCE_SCHEMA_UNKNOWN`
 *
 * @example
 * const store = await openPostgresqlStore({ uri: 'postgresql://me@localhost/mlflow' }, context);
 * for await (const { items } of store.experiments()) console.log(items);
 * await store.close();
 */
export async function openPostgresqlStore(
  options: PostgresqlOptions,
  context: RunContext,
): Promise<MlflowStore> {
  const settings = parseOptions('postgresql', postgresqlOptions, options);
  const address = postgresqlAddress(settings.uri, 'uri');
  const connector = postgresqlConnector(address, settings, context);
  const setup = {
    uri: address.shown,
    shown: address.shown,
    wanted:
      'the database that MLflow has behind --backend-store-uri postgresql://…; tables of another ' +
      'schema than public are found with ?options=-csearch_path%3Dschema',
    upgrade: 'mlflow db upgrade postgresql://…/copy',
    pageSizes: settings,
    workspace: settings.workspace,
  };
  return await openSqlStore(new ServerDatabase(connector, settings, context), setup, context);
}
