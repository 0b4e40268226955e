/**
 * The workspaces of a database: since MLflow 3.10 they stand in a column of experiments and of all
 * that is in the registry.
 */

import { compareText } from '../../mlflow/parse-values.js';
import { DEFAULT_WORKSPACE, isWorkspaceName } from '../../mlflow/workspace.js';
import type { RunContext } from '../../stream/contracts.js';
import { ALL_WORKSPACES } from '../workspace-option.js';
import { ask, type Dialect, type Reading } from './query.js';
import type { StoreSchema } from './schema.js';

type Workspace = Pick<StoreSchema, 'workspace' | 'experimentWorkspaces' | 'registryWorkspaces'>;

/** A condition: a row of `experiments`, by the name that it has in the query, is in the workspace. */
export function experimentIsIn(schema: Workspace, table: string): string {
  return schema.experimentWorkspaces ? isIn(schema.workspace, table) : 'true';
}

/** The same for a row of a table of the registry. */
export function registryIsIn(schema: Workspace, table: string): string {
  return schema.registryWorkspaces ? isIn(schema.workspace, table) : 'true';
}

/** The name stands in the SQL itself: what `isWorkspaceName` takes has nothing that could end it. */
function isIn(workspace: string, table: string): string {
  if (!isWorkspaceName(workspace)) throw new Error(`${workspace} is no name of a workspace`);
  return `${table}.workspace = '${workspace}'`;
}

/**
 * The names of all that there are, sorted: where workspaces come from elsewhere, such as Kubernetes,
 * the database has only what is in them.
 */
export function* workspaceNames(
  { select }: Dialect,
  schema: StoreSchema,
): Reading<readonly string[]> {
  const columns = [
    ...(schema.workspaceNames ? ['SELECT name AS workspace FROM workspaces'] : []),
    'SELECT workspace FROM experiments',
    'SELECT workspace FROM registered_models',
  ];
  const rows = yield* ask(select(['w.workspace'], `(${columns.join(' UNION ')}) AS w`));
  return [...new Set(rows.map(([cell]) => String(cell)))].sort(compareText);
}

/**
 * Warns of what is not read because it stands in another workspace.
 *
 * @param wanted - a name, or `*` for all; undefined for `default`
 */
export function* reportWorkspaces(
  { select }: Dialect,
  schema: StoreSchema,
  wanted = DEFAULT_WORKSPACE,
  context: RunContext,
): Reading<void> {
  if (wanted === ALL_WORKSPACES) return;
  function* count(table: string, isRead: string): Reading<void> {
    const others = yield* ask(
      select(
        ['o.workspace', 'o.number'],
        `(SELECT t.workspace, count(*) AS number FROM ${table} AS t WHERE NOT ${isRead}
          GROUP BY t.workspace ORDER BY t.workspace) AS o`,
      ),
    );
    for (const [workspace, number] of others) {
      context.recorder.skipped(`${table} of other workspaces`, Number(number));
      context.recorder.warn(
        'OTHER_WORKSPACE',
        `Only the workspace "${wanted}" is read: what others hold is left out. The option workspace says which`,
        `${String(workspace)}: ${String(number)} ${table.replace('_', ' ')}`,
      );
    }
  }
  const read = { ...schema, workspace: wanted };
  if (schema.experimentWorkspaces) yield* count('experiments', experimentIsIn(read, 't'));
  if (schema.registryWorkspaces) yield* count('registered_models', registryIsIn(read, 't'));
}
