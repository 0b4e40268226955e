/**
 * `postgresqlSource`: an MLflow database in PostgreSQL as a source.
 */

import { parseOptions } from '../core/options.js';
import type { Source } from '../stream/contracts.js';
import { postgresqlOptions, type PostgresqlOptions } from './postgresql/options.js';
import { postgresqlAddress } from './postgresql/uri.js';
import { labelOf, workspaceOfEnv } from './workspace-option.js';
import { readWorkspaces } from './workspaces.js';

/**
 * Reads an MLflow database without MLflow's server, read-only and in short transactions.
 *
 * @param component - what messages about the options call it
 * @throws PipelineError `INVALID_OPTIONS`, `INVALID_URI` (usage) here; when it is opened, what
 *   `openPostgresqlStore` and `readWorkspaces` do
 *
 * @example
 * postgresqlSource({ uri: 'postgresql://reader@db.example.com/mlflow', password: process.env.DB_PASSWORD });
 */
export function postgresqlSource(
  options: PostgresqlOptions,
  component = 'postgresqlSource',
): Source {
  const { uri, workspace } = parseOptions(component, postgresqlOptions, options);
  const { shown } = postgresqlAddress(uri, `${component}: "uri"`);
  return {
    label: labelOf(shown, workspace),
    open: async (context) => {
      // The driver is loaded only where such a database is read.
      const { openPostgresqlStore } = await import('./postgresql/postgresql-store.js');
      const wanted = workspace ?? workspaceOfEnv(context.env);
      const store = await openPostgresqlStore({ ...options, workspace: wanted }, context);
      return readWorkspaces(store, wanted, context);
    },
  };
}
