/**
 * MLflow's SQLite database as a store, for MLflow 1.28 and later, without any server.
 */

import { parseOptions } from '../../core/options.js';
import type { RunContext } from '../../stream/contracts.js';
import { openSqlStore } from '../sql/store.js';
import type { MlflowStore } from '../store.js';
import { sqliteStoreOptions, type SqliteStoreOptions } from './options.js';
import { ReadOnlyDatabase } from './read-only-database.js';
import { cursorBehind, runsSinceReader } from './runs-since.js';
import { sqliteUri } from './uri.js';

/**
 * Opens a database that MLflow keeps its tracking store and registry in. It is only ever read, and
 * a page at a time: MLflow can go on writing to it. It is the workspace `default`, whatever the
 * options say: `readWorkspaces` chooses.
 *
 * @throws PipelineError
 * - `INVALID_OPTIONS` (usage)
 * - `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`: no such file, a folder, or no permission
 * - `SOURCE_NOT_A_DATABASE`, `SOURCE_NOT_MLFLOW`, `SOURCE_DAMAGED`
 * - `SOURCE_TOO_OLD`, `SOURCE_SCHEMA_UNKNOWN`: older than 1.28, or newer with columns missing
 * - `SOURCE_LOCKED` after `lockTimeoutMs`, `SOURCE_NEEDS_RECOVERY`: both while reading, too
 *
 * @example
 * const store = await openSqliteStore({ path: 'mlflow.db' }, context);
 * for await (const { items } of store.experiments()) console.log(items);
 * await store.close();
 */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  context: RunContext,
): Promise<MlflowStore> {
  const settings = parseOptions('sqlite', sqliteStoreOptions, options);
  const { path, lockTimeoutMs, workspace, ...pageSizes } = settings;
  const database = ReadOnlyDatabase.open(path, lockTimeoutMs, context);
  const setup = {
    uri: sqliteUri(path),
    shown: path,
    wanted: 'the file that MLflow has behind --backend-store-uri sqlite:///…',
    upgrade: 'mlflow db upgrade sqlite:///copy.db',
    pageSizes,
    workspace,
    runsSince: { reader: runsSinceReader, cursorBehind },
  };
  return await openSqlStore(database, setup, context);
}
