/**
 * `sqliteSource`: an MLflow database in a SQLite file as a source.
 */

import { parseOptions } from '../core/options.js';
import type { Source } from '../stream/contracts.js';
import { sqliteStoreOptions, type SqliteStoreOptions } from './sqlite/options.js';
import { openSqliteStore } from './sqlite/sqlite-store.js';
import { sqliteUri } from './sqlite/uri.js';
import { labelOf, workspaceOfEnv } from './workspace-option.js';
import { readWorkspaces } from './workspaces.js';

/**
 * Reads an MLflow database without the server, read-only and without holding up its writers.
 *
 * @param component - what messages about the options call it
 * @throws PipelineError `INVALID_OPTIONS` (usage) here; when it is opened, what `openSqliteStore`
 *   and `readWorkspaces` do
 *
 * @example
 * sqliteSource({ path: 'mlflow.db' });
 */
export function sqliteSource(options: SqliteStoreOptions, component = 'sqliteSource'): Source {
  const { path, workspace } = parseOptions(component, sqliteStoreOptions, options);
  return {
    label: labelOf(sqliteUri(path), workspace),
    open: async (context) => {
      const wanted = workspace ?? workspaceOfEnv(context.env);
      const store = await openSqliteStore({ ...options, workspace: wanted }, context);
      return readWorkspaces(store, wanted, context);
    },
  };
}
