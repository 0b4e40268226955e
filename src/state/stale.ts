/**
 * Entities that a complete sweep did not give, though an earlier one did.
 */

import type { RecordKey } from '../mlflow/record-key.js';
import type { StateDatabase } from './state-database.js';
import type { Sweep } from './sweeps.js';
import { fromKey } from './text-key.js';

/** An entity by its row. */
export interface NumberedEntity {
  readonly id: number;
  readonly urn: string;
}

export interface Candidate extends NumberedEntity {
  readonly origin: RecordKey;
  /**
   * Whether the sweep met its record, so that it is known to stand for nothing any more: it was
   * filtered out, or the record goes by another URN now. Otherwise the record was not met, and the
   * source has to say whether it is gone.
   */
  readonly certain: boolean;
}

export interface CandidatePage {
  readonly candidates: readonly Candidate[];
  /** Where the next page begins; absent after the last one. */
  readonly next?: number;
}

/** Entities looked at in one go. */
const SCANNED = 5_000;

/** Some of the entities that may have to go, and where to go on. Of a lookback, those in its range. */
export function staleCandidates(
  database: StateDatabase,
  { number, since }: Sweep,
  after = 0,
): CandidatePage {
  const rows = database.select<readonly [number, string, string | null, number, number]>(
    ['e.id', 'e.urn', 'e.origin', 'e.mapped = ?1', 'e.stale'],
    `(SELECT e.id, e.urn, e.origin, coalesce(r.mapped, 0) AS mapped,
        e.removed = 0 AND e.origin IS NOT NULL AND e.seen < ?1 AND (
          r.key IS NULL OR r.mapped = ?1
          OR r.found < ?1 AND (?2 IS NULL OR r.start IS NULL OR r.start >= ?2)) AS stale
      FROM entities AS e LEFT JOIN records AS r ON r.bucket = e.origin_bucket AND r.key = e.origin
      WHERE e.id > ?3 ORDER BY e.id LIMIT ${SCANNED}) AS e`,
    number,
    since ?? null,
    after,
  );
  const next = rows.length < SCANNED ? undefined : rows.at(-1)?.[0];
  const candidates: Candidate[] = [];
  for (const [id, urn, origin, certain, stale] of rows) {
    if (stale !== 1 || origin === null) continue;
    candidates.push({
      id,
      urn: fromKey(urn),
      origin: fromKey(origin) as RecordKey,
      certain: certain === 1,
    });
  }
  return next === undefined ? { candidates } : { candidates, next };
}

/** Entities that could go: all that stand for a record and were not removed yet. */
export function countRemovable(database: StateDatabase): number {
  const [row] = database.select<readonly [number]>(
    ['n'],
    '(SELECT count(*) AS n FROM entities WHERE removed <> 1 AND origin IS NOT NULL)',
  );
  return row?.[0] ?? 0;
}

/** Notes that they are to be removed. In a transaction. */
export function markGoing(database: StateDatabase, ids: readonly number[]): void {
  database.run(
    'UPDATE entities SET removed = 2 WHERE id IN (SELECT value FROM json_each(?))',
    JSON.stringify(ids),
  );
}

/** Takes that back for all of them. In a transaction. */
export function forgetGoing(database: StateDatabase): void {
  database.run('UPDATE entities SET removed = 0 WHERE removed = 2');
}

/** Some of those that are to be removed, after the one named. */
export function goingEntities(
  database: StateDatabase,
  limit: number,
  after?: NumberedEntity,
): NumberedEntity[] {
  return database
    .select<readonly [number, string]>(
      ['id', 'urn'],
      '(SELECT id, urn FROM entities WHERE removed = 2 AND id > ? ORDER BY id LIMIT ?)',
      after?.id ?? 0,
      limit,
    )
    .map(([id, urn]) => ({ id, urn: fromKey(urn) }));
}
