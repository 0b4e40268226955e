/**
 * Runs that started since a time, in the order of their ids. No index has the start, so every row is
 * looked at: so many in one read, however few of them match.
 */

import { RUN } from '../../mlflow/parse.js';
import type { Run } from '../../mlflow/types.js';
import type { PagePosition } from '../../stream/memory.js';
import { type PageReader, parsePage } from './pages.js';
import { ask, type Dialect } from './query.js';
import { runColumns, type RunRows } from './run-rows.js';
import { experimentNumbers, inExperiments } from './runs.js';

/** Rows that one read looks at. */
const WINDOW = 20_000;

/**
 * @param since - milliseconds since 1970; a missing start counts as 0
 * @param condition - on the rows, which are `r`
 */
export function runsSinceReader(
  dialect: Dialect,
  runRows: RunRows,
  experimentIds: readonly string[],
  since: number,
  condition: string,
  positionBehind: (hexId: string) => PagePosition,
): PageReader<Run> {
  const { select, keyOf } = dialect;
  const experiments = dialect.list(experimentNumbers(experimentIds));
  const windowEnd = select(
    [dialect.keyColumn('w.run_uuid')],
    `(SELECT r.run_uuid FROM runs AS r WHERE ${dialect.isBehind('r.run_uuid', '?1')}
      ORDER BY r.run_uuid LIMIT 1 OFFSET ${WINDOW - 1}) AS w`,
  );
  const found = (limit: string, upTo = ''): string =>
    select(
      runColumns(dialect),
      `(SELECT * FROM runs AS r WHERE ${dialect.isBehind('r.run_uuid', '?2')} ${upTo}
        AND coalesce(r.start_time, 0) >= ${Math.floor(since)} AND ${inExperiments(dialect)} AND ${condition}
        ORDER BY r.run_uuid LIMIT ${limit}) AS r`,
    );
  const toTheEnd = found('?3');
  const toTheWindowsEnd = found('?4', `AND r.run_uuid <= ${dialect.textParameter('?3')}`);
  return function* (after, pageSize) {
    const from = after?.[0] ?? dialect.beginning;
    const [end] = yield* ask(windowEnd, [from]);
    const rows =
      end === undefined
        ? yield* ask(toTheEnd, [experiments, from, pageSize])
        : yield* ask(toTheWindowsEnd, [experiments, from, keyOf(end[0]), pageSize]);
    const parsed = parsePage(RUN, yield* runRows.json(rows));
    const last = rows.at(-1);
    const page =
      last === undefined ? parsed : { ...parsed, position: positionBehind(dialect.hexOf(last[1])) };
    const next = rows.length === pageSize ? last?.[1] : end?.[0];
    return next === undefined ? { page } : { page, next: [keyOf(next)] };
  };
}
