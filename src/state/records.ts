/**
 * The records of MLflow that were delivered: when they were met last, and what of them decides
 * whether something else has to be read again.
 */

import { recordKey, type RecordKey, runKey, versionKey } from '../mlflow/record-key.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { ModelVersion, Run } from '../mlflow/types.js';
import { digestOfExperiment, digestOfVersion } from './digest.js';
import type { StateDatabase } from './state-database.js';
import { fromKey, toKey } from './text-key.js';

type Row = readonly [
  key: string,
  start: number | null,
  open: number,
  content: string | null,
  runId: string | null,
];

/**
 * Notes the records of a page that was delivered. In a transaction.
 *
 * @param inputs - what their mapping depended on, where it is known and all of it was delivered
 */
export function saveRecords(
  database: StateDatabase,
  sweep: number,
  records: readonly unknown[],
  inputs: ReadonlyMap<RecordKey, string>,
): void {
  const rows = new Map<RecordKey, readonly (Row[number] | undefined)[]>();
  for (const record of records) {
    if (!isRecord(record)) continue;
    const key = recordKey(record);
    if (key !== undefined) rows.set(key, [...rowOf(key, record), inputs.get(key) ?? null]);
  }
  if (rows.size === 0) return;
  database.run(
    `INSERT INTO records
     SELECT value->>0, ?1, ?1, value->>1, value->>2, value->>3, value->>4, value->>5
     FROM json_each(?2)
     WHERE true
     ON CONFLICT (key) DO UPDATE SET found = excluded.found, mapped = excluded.mapped,
       start = excluded.start, open = excluded.open, content = excluded.content,
       run_id = excluded.run_id, input = excluded.input`,
    sweep,
    JSON.stringify([...rows.values()]),
  );
}

/** Notes records that are there and were not read again. In a transaction. */
export function touchRecords(
  database: StateDatabase,
  sweep: number,
  keys: readonly RecordKey[],
): void {
  if (keys.length === 0) return;
  database.run(
    'UPDATE records SET found = ? WHERE key IN (SELECT value FROM json_each(?))',
    sweep,
    JSON.stringify(keys.map(toKey)),
  );
}

/** Those of the records that the sweep has delivered. */
export function deliveredRecords(
  database: StateDatabase,
  sweep: number,
  keys: readonly RecordKey[],
): Set<RecordKey> {
  if (keys.length === 0) return new Set();
  const rows = database.select<readonly [string]>(
    ['r.key'],
    'json_each(?) AS j CROSS JOIN records AS r ON r.key = j.value AND r.found = ?',
    JSON.stringify(keys.map(toKey)),
    sweep,
  );
  return new Set(rows.map(([key]) => fromKey(key) as RecordKey));
}

/** Those of the records that were delivered with the same input. */
export function unchangedRecords(
  database: StateDatabase,
  inputs: ReadonlyMap<RecordKey, string>,
): Set<RecordKey> {
  const unchanged = new Set<RecordKey>();
  const rows = database.select<readonly [string, string]>(
    ['r.key', 'r.input'],
    'json_each(?) AS j CROSS JOIN records AS r ON r.key = j.value AND r.input IS NOT NULL',
    JSON.stringify(Array.from(inputs.keys(), toKey)),
  );
  for (const [row, input] of rows) {
    const key = fromKey(row) as RecordKey;
    if (inputs.get(key) === input) unchanged.add(key);
  }
  return unchanged;
}

/** By key, what was noted of those records that were delivered, by this or an earlier sweep. */
export function deliveredContents(
  database: StateDatabase,
  keys: readonly RecordKey[],
): (readonly [RecordKey, string | null])[] {
  return database
    .select<readonly [string, string | null]>(
      ['r.key', 'r.content'],
      'json_each(?) AS j CROSS JOIN records AS r ON r.key = j.value',
      JSON.stringify(keys.map(toKey)),
    )
    .map(([key, content]) => [fromKey(key) as RecordKey, content]);
}

/** Those of the versions that are not what was delivered. */
export function changedVersions(
  database: StateDatabase,
  versions: readonly ModelVersion[],
): Set<RecordKey> {
  const digests = new Map<RecordKey, string>();
  for (const version of versions) {
    digests.set(versionKey(version.name, version.version), digestOfVersion(version));
  }
  for (const [key, content] of deliveredContents(database, [...digests.keys()])) {
    if (digests.get(key) === content) digests.delete(key);
  }
  return new Set(digests.keys());
}

export function knownVersions(
  database: StateDatabase,
  limit: number,
  after?: RecordKey,
): { key: RecordKey; runId?: string }[] {
  // After 'version ' and before 'version!', which is the next text of its length.
  const rows = database.select<readonly [string, string | null]>(
    ['key', 'run_id'],
    `(SELECT key, run_id FROM records WHERE key > ? AND key < 'version!' ORDER BY key LIMIT ?)`,
    after === undefined ? 'version ' : toKey(after),
    limit,
  );
  return rows.map(([key, runId]) => ({
    key: fromKey(key) as RecordKey,
    ...(runId === null ? {} : { runId: fromKey(runId) }),
  }));
}

/** Runs that started before `since` and had not ended when they were delivered last. */
export function openRuns(
  database: StateDatabase,
  since: number,
  limit: number,
  after?: string,
): string[] {
  const rows = database.select<readonly [string]>(
    ['key'],
    `(SELECT key FROM records WHERE open = 1 AND key > ? AND start < ? ORDER BY key LIMIT ?)`,
    after === undefined ? '' : toKey(runKey(after)),
    since,
    limit,
  );
  return rows.map(([key]) => fromKey(key).slice('run '.length));
}

function rowOf(key: RecordKey, record: MlflowRecord): Row {
  switch (record.kind) {
    case 'run':
      return [toKey(key), record.run.startTime, isOpen(record.run) ? 1 : 0, null, null];
    case 'experiment':
      return [toKey(key), null, 0, digestOfExperiment(record.experiment), null];
    case 'modelVersion': {
      const { runId } = record.version;
      const content = digestOfVersion(record.version);
      return [toKey(key), null, 0, content, runId === undefined ? null : toKey(runId)];
    }
    case 'registeredModel':
    case 'server':
    case 'dataset':
      return [toKey(key), null, 0, null, null];
  }
}

/** Whether more is to come of it. One in a state that is not known is, until it has an end. */
function isOpen({ status, endTime }: Run): boolean {
  if (status === 'FINISHED' || status === 'FAILED' || status === 'KILLED') return false;
  return status === 'RUNNING' || status === 'SCHEDULED' || endTime === undefined;
}

/** Sources of one's own may give anything, and sources of proposals give those. */
export function isRecord(value: unknown): value is MlflowRecord {
  return typeof value === 'object' && value !== null && 'kind' in value && 'server' in value;
}
