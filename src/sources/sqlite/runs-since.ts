/**
 * Runs that started since a time. No index has the start, so every row is looked at; in the order
 * of the rows in the file, which takes a tenth of the time that the order of ids does.
 */

import { RUN } from '../../mlflow/parse.js';
import type { Run } from '../../mlflow/types.js';
import type { PagePosition } from '../../stream/memory.js';
import { type Cursor, type PageReader, parsePage } from '../sql/pages.js';
import { ask, type Reading } from '../sql/query.js';
import type { RunPlace } from '../sql/run-place.js';
import { runColumns, type RunRows } from '../sql/run-rows.js';
import { experimentNumbers, inExperiments } from '../sql/runs.js';
import { bytesOf, sqliteDialect } from './dialect.js';

const { select } = sqliteDialect;
const COLUMNS = runColumns(sqliteDialect);

/** Rows that one read looks at: hardly any may match, and who writes waits as long as a read takes. */
const WINDOW = 20_000;

/** By themselves, for SQLite finds both at once only by looking at all. */
const ENDS = select(
  ['lowest', 'highest'],
  '(SELECT (SELECT min(rowid) FROM runs) AS lowest, (SELECT max(rowid) FROM runs) AS highest)',
);

const AT_PLACE = select(['1'], 'runs WHERE rowid = ?1 AND run_uuid = CAST(?2 AS TEXT)');

/** The cursor behind a run that an earlier reading came to. */
export function cursorBehind({ rowId, hexId }: RunPlace): Cursor | undefined {
  return rowId === undefined ? undefined : [rowId, bytesOf(hexId)];
}

/**
 * Active runs of the experiments named, in the order of their rows.
 *
 * @param since - milliseconds since 1970; a missing start counts as 0
 * @param condition - on the rows, which are `r`
 */
export function runsSinceReader(
  runRows: RunRows,
  experimentIds: readonly string[],
  since: number,
  condition: string,
  positionBehind: (place: RunPlace) => PagePosition,
): PageReader<Run> {
  const experiments = sqliteDialect.list(experimentNumbers(experimentIds));
  const runs = select(
    [...COLUMNS, 'r.row_id'],
    `(SELECT r.*, r.rowid AS row_id FROM runs AS r NOT INDEXED
      WHERE r.rowid > ?2 AND r.rowid <= ?3 AND ifnull(r.start_time, 0) >= ${Math.floor(since)}
      AND ${inExperiments(sqliteDialect)} AND ${condition} ORDER BY r.rowid LIMIT ?4) AS r`,
  );
  return function* (after, pageSize) {
    const [lowest, highest] = (yield* ask(ENDS))[0] ?? [];
    if (typeof lowest !== 'number' || typeof highest !== 'number') {
      return { page: { items: [], rejected: [] } };
    }
    const from = (yield* rowBefore(after)) ?? lowest - 1;
    const end = Math.min(from + WINDOW, highest);
    const rows = yield* ask(runs, [experiments, from, end, pageSize]);
    const page = parsePage(RUN, yield* runRows.json(rows));
    const last = rows.at(-1);
    const isFull = rows.length === pageSize;
    const next = isFull ? Number(last?.[COLUMNS.length]) : end;
    return {
      page:
        last === undefined
          ? page
          : {
              ...page,
              position: positionBehind({
                hexId: String(last[1]),
                rowId: Number(last[COLUMNS.length]),
              }),
            },
      ...(isFull || end < highest ? { next: [next] } : {}),
    };
  };
}

/**
 * The row that a cursor stands at. Undefined where another run is there than an earlier reading
 * saw: a database that was compacted or rebuilt may number its rows anew.
 */
function* rowBefore(after: Cursor | undefined): Reading<number | undefined> {
  const [rowId, id] = after ?? [];
  if (rowId === undefined) return undefined;
  if (id !== undefined && (yield* ask(AT_PLACE, [rowId, id])).length === 0) return undefined;
  return Number(rowId);
}
