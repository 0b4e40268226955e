/**
 * Runs out of the table `runs`: by experiment, and by their ids.
 */

import { RUN } from '../../mlflow/parse.js';
import type { Run } from '../../mlflow/types.js';
import type { PagePosition } from '../../stream/memory.js';
import type { StorePage } from '../store.js';
import { type PageReader, parsePage } from './pages.js';
import { ask, type Dialect, type Reading } from './query.js';
import { runColumns, type RunRows } from './run-rows.js';
import type { StoreSchema } from './schema.js';
import { experimentIsIn } from './workspaces.js';

/** What follows WHERE for the active runs of experiments; their ids are the parameter ?1. */
export function inExperiments({ isAmong }: Dialect): string {
  return `r.lifecycle_stage = 'active' AND ${isAmong('r.experiment_id', '?1', 'integer')}`;
}

/** The ids that can be any. Anything but digits would be cast to 0, which is an experiment. */
export function experimentNumbers(experimentIds: readonly string[]): readonly string[] {
  return experimentIds.filter((id) => /^\d{1,18}$/.test(id));
}

/**
 * Active runs of the experiments named, by id.
 *
 * @param positionBehind - of a run, by its id in hexadecimal digits; absent where none is wanted
 */
export function runReader(
  dialect: Dialect,
  runRows: RunRows,
  experimentIds: readonly string[],
  positionBehind?: (hexId: string) => PagePosition,
): PageReader<Run> {
  const { select, keyOf } = dialect;
  const experiments = dialect.list(experimentNumbers(experimentIds));
  const columns = runColumns(dialect);
  const chosen = inExperiments(dialect);
  const runs = select(
    columns,
    `(SELECT * FROM runs AS r WHERE ${chosen} AND ${dialect.isBehind('r.run_uuid', '?2')}
      ORDER BY r.run_uuid LIMIT ?3) AS r`,
  );
  // An id that is no text, or an empty one, has no place in the order of ids.
  const withoutId = select(
    columns,
    `runs AS r WHERE ${chosen} AND ${dialect.isNowhere('r.run_uuid')}`,
  );
  return function* (after, pageSize) {
    const rows = yield* ask(runs, [experiments, ...(after ?? [dialect.beginning]), pageSize]);
    const last = rows.length < pageSize ? undefined : rows.at(-1);
    const all = last === undefined ? [...rows, ...(yield* ask(withoutId, [experiments]))] : rows;
    const parsed = parsePage(RUN, yield* runRows.json(all));
    const key = rows.at(-1)?.[1];
    const page =
      key === undefined || positionBehind === undefined
        ? parsed
        : { ...parsed, position: positionBehind(dialect.hexOf(key)) };
    return last === undefined ? { page } : { page, next: [keyOf(last[1])] };
  };
}

/** The runs with these ids, deleted ones too. */
export function* readRunsById(
  dialect: Dialect,
  schema: StoreSchema,
  runRows: RunRows,
  runIds: readonly string[],
): Reading<StorePage<Run>> {
  const workspace = schema.experimentWorkspaces
    ? `AND EXISTS (SELECT 1 FROM experiments AS e
       WHERE e.experiment_id = c.experiment_id AND ${experimentIsIn(schema, 'e')})`
    : '';
  const { from } = dialect.ofOwners('runs', 'run_uuid', workspace);
  const rows = yield* ask(dialect.select(runColumns(dialect, 'c'), from), [dialect.list(runIds)]);
  return parsePage(RUN, yield* runRows.json(rows));
}
