/**
 * `sqliteSource`: an MLflow database in a SQLite file as a source.
 */

import { parseOptions } from '../core/options.js';
import type { Source } from '../stream/contracts.js';
import { readMlflow } from './mlflow-reader.js';
import { sqliteStoreOptions, type SqliteStoreOptions } from './sqlite/options.js';
import { openSqliteStore } from './sqlite/sqlite-store.js';
import { sqliteUri } from './sqlite/uri.js';

/**
 * Reads an MLflow database without the server, read-only and without holding up its writers.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage) here; when it is opened, what `openSqliteStore` does
 *
 * @example
 * sqliteSource({ path: 'mlflow.db' });
 */
export function sqliteSource(options: SqliteStoreOptions): Source {
  const { path } = parseOptions('sqliteSource', sqliteStoreOptions, options);
  return {
    label: `mlflow ${sqliteUri(path)}`,
    open: async (context) => readMlflow(await openSqliteStore(options, context), context),
  };
}
