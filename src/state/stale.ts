/**
 * Entities that a complete sweep did not give, though an earlier one did.
 */

import type { RecordKey } from '../mlflow/record-key.js';
import type { StateDatabase } from './state-database.js';
import type { Sweep } from './sweeps.js';
import { fromKey, toKey } from './text-key.js';

export interface Candidate {
  readonly urn: string;
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
  readonly next?: string;
}

/** Entities looked at in one go. */
const SCANNED = 5_000;

/** Some of the entities that may have to go, and where to go on. Of a lookback, those in its range. */
export function staleCandidates(
  database: StateDatabase,
  { number, since }: Sweep,
  after: string | undefined,
): CandidatePage {
  const rows = database.select<readonly [string, string | null, number]>(
    ['e.urn', 'e.origin', 'e.mapped = ?1', 'e.stale'],
    `(SELECT e.urn, e.origin, coalesce(r.mapped, 0) AS mapped,
        e.removed = 0 AND e.origin IS NOT NULL AND e.seen < ?1 AND (
          r.key IS NULL OR r.mapped = ?1
          OR r.found < ?1 AND (?2 IS NULL OR r.start IS NULL OR r.start >= ?2)) AS stale
      FROM entities AS e LEFT JOIN records AS r ON r.key = e.origin
      WHERE e.urn > ?3 ORDER BY e.urn LIMIT ${SCANNED}) AS e`,
    number,
    since ?? null,
    after ?? '',
  );
  const last = rows.length < SCANNED ? undefined : rows.at(-1)?.[0];
  const candidates = rows.flatMap(([urn, origin, certain, stale]: readonly unknown[]) =>
    stale === 1
      ? [
          {
            urn: fromKey(String(urn)),
            origin: fromKey(String(origin)) as RecordKey,
            certain: certain === 1,
          },
        ]
      : [],
  );
  return last === undefined ? { candidates } : { candidates, next: last };
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
export function markGoing(database: StateDatabase, urns: readonly string[]): void {
  database.run(
    'UPDATE entities SET removed = 2 WHERE urn IN (SELECT value FROM json_each(?))',
    JSON.stringify(urns.map(toKey)),
  );
}

/** Takes that back for all of them. In a transaction. */
export function forgetGoing(database: StateDatabase): void {
  database.run('UPDATE entities SET removed = 0 WHERE removed = 2');
}

/** Some of those that are to be removed, after the one named. */
export function goingEntities(database: StateDatabase, limit: number, after?: string): string[] {
  return database
    .select<readonly [string]>(
      ['urn'],
      '(SELECT urn FROM entities WHERE removed = 2 AND urn > ? ORDER BY urn LIMIT ?)',
      after === undefined ? '' : toKey(after),
      limit,
    )
    .map(([urn]) => fromKey(urn));
}

/** Forgets the records that removed entities stood for and that were not met. In a transaction. */
export function forgetRecords(
  database: StateDatabase,
  sweep: number,
  urns: readonly string[],
): void {
  database.run(
    `DELETE FROM records WHERE found < ? AND key IN (
       SELECT e.origin FROM json_each(?) AS j CROSS JOIN entities AS e ON e.urn = j.value
       WHERE e.removed = 1)`,
    sweep,
    JSON.stringify(urns.map(toKey)),
  );
}
