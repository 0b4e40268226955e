/**
 * MLflow's MySQL or MariaDB database as a store, for MLflow 1.28 and later, without any server of
 * MLflow's.
 */

import { parseOptions } from '../../core/options.js';
import type { RunContext } from '../../stream/contracts.js';
import { ServerDatabase } from '../sql/server/server-database.js';
import { openSqlStore } from '../sql/store.js';
import type { MlflowStore } from '../store.js';
import { mysqlConnector } from './connector.js';
import { mysqlOptions, type MysqlOptions } from './options.js';
import { mysqlAddress } from './uri.js';

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
 * const store = await openMysqlStore({ uri: 'mysql://me@localhost/mlflow' }, context);
 * for await (const { items } of store.experiments()) console.log(items);
 * await store.close();
 */
export async function openMysqlStore(
  options: MysqlOptions,
  context: RunContext,
): Promise<MlflowStore> {
  const settings = parseOptions('mysql', mysqlOptions, options);
  const address = mysqlAddress(settings.uri, 'uri');
  const connector = mysqlConnector(address, settings, context);
  const setup = {
    uri: address.shown,
    shown: address.shown,
    wanted: 'the database that MLflow has behind --backend-store-uri mysql://…',
    upgrade: 'mlflow db upgrade mysql+pymysql://…/copy',
    pageSizes: settings,
    workspace: settings.workspace,
  };
  return await openSqlStore(new ServerDatabase(connector, settings, context), setup, context);
}
