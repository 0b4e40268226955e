/**
 * `mysqlSource`: an MLflow database in MySQL or MariaDB as a source.
 */

import { parseOptions } from '../core/options.js';
import type { Source } from '../stream/contracts.js';
import { mysqlOptions, type MysqlOptions } from './mysql/options.js';
import { mysqlAddress } from './mysql/uri.js';
import { labelOf, workspaceOfEnv } from './workspace-option.js';
import { readWorkspaces } from './workspaces.js';

/**
 * Reads an MLflow database without MLflow's server, read-only and in short transactions.
 *
 * @param component - what messages about the options call it
 * @throws PipelineError `INVALID_OPTIONS`, `INVALID_URI` (usage) here; when it is opened, what
 *   `openMysqlStore` and `readWorkspaces` do
 *
 * @example
 * mysqlSource({ uri: 'mysql://reader@db.example.com/mlflow', password: process.env.DB_PASSWORD });
 */
export function mysqlSource(options: MysqlOptions, component = 'mysqlSource'): Source {
  const { uri, workspace } = parseOptions(component, mysqlOptions, options);
  const { shown } = mysqlAddress(uri, `${component}: "uri"`);
  return {
    label: labelOf(shown, workspace),
    open: async (context) => {
      // The driver is loaded only where such a database is read.
      const { openMysqlStore } = await import('./mysql/mysql-store.js');
      const wanted = workspace ?? workspaceOfEnv(context.env);
      const store = await openMysqlStore({ ...options, workspace: wanted }, context);
      return readWorkspaces(store, wanted, context);
    },
  };
}
