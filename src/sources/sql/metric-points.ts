/**
 * Points of metrics out of the table that has all of them, the last ones alone.
 */

import { LastPoints, takePoint } from '../../mlflow/metric-points.js';
import type { AskedMetrics, FoundPoints } from '../store.js';
import { ask, type Dialect, type Reading } from './query.js';
import { metricValue } from './run-rows.js';

/** In a read, at most, unless a single run has more: as many rows come back. */
const POINTS_PER_READ = 10_000;

/**
 * In a read, at most: the database looks through all points of their metrics, however many, and SQLite
 * lets nobody write meanwhile.
 */
const RUNS_PER_READ = 10;

/** Made once for a database: its statement is. */
export class MetricPointRows {
  readonly #dialect: Dialect;
  readonly #sql: string;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    const { select, ofOwners, isAmong, integerParameter } = dialect;
    const ofRuns = ofOwners('metrics', 'run_uuid', `AND ${isAmong('c.key', '?2', 'text')}`);
    // NaN is a value of 0 with a mark, and comes before all numbers, see `comparePoints`.
    this.#sql = select(
      ['h.owner', 'h.name', { real: 'h.value' }, 'h.timestamp', 'h.step', 'h.is_nan'],
      `(SELECT ${ofRuns.owner} AS owner, c.key AS name, c.value, c.timestamp, c.step, c.is_nan,
          row_number() OVER (PARTITION BY c.run_uuid, c.key
            ORDER BY c.step DESC, c.timestamp DESC, c.is_nan, c.value DESC) AS place
        FROM ${ofRuns.from}) AS h
       WHERE h.place <= ${integerParameter('?3')}`,
    );
  }

  /** @param asked - of one read: see `readsOf` */
  *read(asked: readonly AskedMetrics[]): Reading<readonly FoundPoints[]> {
    const { list, places, realOf } = this.#dialect;
    const ids = asked.map(({ run }) => run.runId);
    const keys = [...new Set(asked.flatMap((one) => one.keys))];
    const limit = Math.max(...asked.map(({ points }) => points));
    const placeOf = places(ids);
    const last = asked.map(
      (one) => new Map(one.keys.map((key) => [key, new LastPoints(one.points)])),
    );
    const unread = asked.map(() => new Map<string, string>());
    const rows = yield* ask(this.#sql, [list(ids), list(keys), limit]);
    for (const [owner, name, value, timestamp, step, isNan] of rows) {
      const place = placeOf(owner);
      const key = String(name);
      const into = last[place]?.get(key);
      if (into === undefined) continue;
      const point = { value: metricValue(value, isNan, realOf), timestamp, step };
      const problem = takePoint(point, into);
      if (problem !== undefined) unread[place]?.set(key, problem);
    }
    return last.map((ofRun, place) => {
      const problems = unread[place] ?? new Map<string, string>();
      const read = [...ofRun].filter(([key]) => !problems.has(key));
      return { points: new Map(read.map(([key, all]) => [key, all.end()])), unread: problems };
    });
  }
}

/** Parts of what is asked for that are read at once, each with the same number of points. */
export function readsOf(asked: readonly AskedMetrics[]): readonly (readonly AskedMetrics[])[] {
  const reads: AskedMetrics[][] = [];
  let room = 0;
  let points = 0;
  for (const one of asked) {
    const wanted = one.keys.length * one.points;
    const read = reads.at(-1);
    if (
      read === undefined ||
      wanted > room ||
      one.points !== points ||
      read.length === RUNS_PER_READ
    ) {
      reads.push([one]);
      room = POINTS_PER_READ - wanted;
      points = one.points;
      continue;
    }
    read.push(one);
    room -= wanted;
  }
  return reads;
}
