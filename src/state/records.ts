/**
 * The records of MLflow that were delivered: when they were met last, and what of them decides
 * whether something else has to be read again.
 */

import { keyStart, recordKey, type RecordKey, runKey, versionKey } from '../mlflow/record-key.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { ModelVersion, Run } from '../mlflow/types.js';
import { digestOfExperiment, digestOfVersion } from './digest.js';
import type { Parameter, StateDatabase } from './state-database.js';
import { bucketOf, bucketsOf, fromKey, toKey } from './text-key.js';

/** Records by their buckets; which of them are meant is told by their keys. */
const BY_BUCKET = 'json_each(?) AS j CROSS JOIN records AS r ON r.bucket = j.value';

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
 * One whose bucket is another's is not noted: it is delivered each time, and never taken for gone.
 *
 * @param inputs - what their mapping depended on, where it is known and all of it was delivered
 */
export function saveRecords(
  database: StateDatabase,
  sweep: number,
  records: readonly unknown[],
  inputs: ReadonlyMap<RecordKey, string>,
): void {
  const rows = new Map<RecordKey, Parameter[]>();
  for (const record of records) {
    if (!isRecord(record)) continue;
    const key = recordKey(record);
    if (key === undefined) continue;
    const [text, ...row] = rowOf(key, record);
    const input = inputs.get(key) ?? null;
    rows.set(key, [null, bucketOf(text), text, sweep, sweep, ...row, input]);
  }
  database.insert(
    'records',
    [...rows.values()],
    `ON CONFLICT (bucket) DO UPDATE SET found = excluded.found, mapped = excluded.mapped,
       start = excluded.start, open = excluded.open, content = excluded.content,
       run_id = excluded.run_id, input = excluded.input
     WHERE key = excluded.key`,
  );
}

/** Notes records that are there and were not read again. In a transaction. */
export function touchRecords(
  database: StateDatabase,
  sweep: number,
  keys: readonly RecordKey[],
): void {
  if (keys.length === 0) return;
  const ids = named(database, keys, 'id').map(([, id]) => id);
  database.run(
    'UPDATE records SET found = ? WHERE id IN (SELECT value FROM json_each(?))',
    sweep,
    JSON.stringify(ids),
  );
}

/**
 * Notes of records that they are there and left out: as if operators had dropped them, and with
 * nothing of what they were, so that they are new when they come in again. In a transaction.
 */
export function leaveOutRecords(
  database: StateDatabase,
  sweep: number,
  keys: readonly RecordKey[],
): void {
  if (keys.length === 0) return;
  const ids = named(database, keys, 'id').map(([, id]) => id);
  if (ids.length === 0) return;
  database.run(
    `UPDATE records SET mapped = ?, content = NULL, input = NULL
     WHERE id IN (SELECT value FROM json_each(?))`,
    sweep,
    JSON.stringify(ids),
  );
}

/** Forgets those of the records that the sweep did not meet. In a transaction. */
export function forgetRecords(
  database: StateDatabase,
  sweep: number,
  keys: readonly RecordKey[],
): void {
  const ids = named(database, keys, 'id').map(([, id]) => id);
  database.run(
    'DELETE FROM records WHERE found < ? AND id IN (SELECT value FROM json_each(?))',
    sweep,
    JSON.stringify(ids),
  );
}

/** Whether there are any records, and none of them is of another workspace than `default`. */
export function hasOnlyDefault(database: StateDatabase): boolean {
  const has = (condition: string): boolean =>
    database.select<readonly [number]>(
      ['found'],
      `(SELECT 1 AS found FROM records ${condition} LIMIT 1)`,
    ).length > 0;
  if (!has('')) return false;
  const kinds = ['experiment', 'run', 'model', 'version', 'loggedModel'].map(
    (kind) => `key GLOB '${kind}@*'`,
  );
  return !has(`WHERE ${kinds.join(' OR ')}`);
}

/** Those of the records that the sweep has delivered. */
export function deliveredRecords(
  database: StateDatabase,
  sweep: number,
  keys: readonly RecordKey[],
): Set<RecordKey> {
  const found = named(database, keys, 'found').filter(([, last]) => last === sweep);
  return new Set(found.map(([key]) => key));
}

/** Those of the records that were delivered with the same input. */
export function unchangedRecords(
  database: StateDatabase,
  inputs: ReadonlyMap<RecordKey, string>,
): Set<RecordKey> {
  const unchanged = new Set<RecordKey>();
  for (const [key, input] of named(database, [...inputs.keys()], 'input')) {
    if (inputs.get(key) === input) unchanged.add(key);
  }
  return unchanged;
}

/** By key, what was noted of those records that were delivered, by this or an earlier sweep. */
export function deliveredContents(
  database: StateDatabase,
  keys: readonly RecordKey[],
): (readonly [RecordKey, string | null])[] {
  return named(database, keys, 'content') as (readonly [RecordKey, string | null])[];
}

/** Those of the records that are noted, each with one of its columns. */
function named(
  database: StateDatabase,
  keys: readonly RecordKey[],
  column: 'id' | 'found' | 'input' | 'content',
): (readonly [RecordKey, Parameter])[] {
  if (keys.length === 0) return [];
  const wanted = new Set(keys);
  return database
    .select<readonly [string, Parameter]>(
      ['r.key', `r.${column}`],
      BY_BUCKET,
      bucketsOf(keys.map(toKey)),
    )
    .map(([text, value]) => [fromKey(text) as RecordKey, value] as const)
    .filter(([key]) => wanted.has(key));
}

/**
 * Those of the versions that are not what was delivered.
 *
 * @param workspace - that they are in; undefined for `default`, here and in what follows
 */
export function changedVersions(
  database: StateDatabase,
  versions: readonly ModelVersion[],
  workspace: string | undefined,
): Set<RecordKey> {
  const digests = new Map<RecordKey, string>();
  for (const version of versions) {
    digests.set(versionKey(version.name, version.version, workspace), digestOfVersion(version));
  }
  for (const [key, content] of deliveredContents(database, [...digests.keys()])) {
    if (digests.get(key) === content) digests.delete(key);
  }
  return new Set(digests.keys());
}

export function knownVersions(
  database: StateDatabase,
  workspace: string | undefined,
  limit: number,
  after?: RecordKey,
): { key: RecordKey; runId?: string }[] {
  const start = keyStart('version', workspace);
  // As the index says it that is to be used.
  const indexed =
    workspace === undefined
      ? `key >= 'version ' AND key < 'version!'`
      : `key >= 'version@' AND key < 'versionA'`;
  const rows = database.select<readonly [string, string | null]>(
    ['key', 'run_id'],
    `(SELECT key, run_id FROM records WHERE ${indexed} AND key > ? AND key < ?
      ORDER BY key LIMIT ?)`,
    after === undefined ? start : toKey(after),
    behindAll(start),
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
  workspace: string | undefined,
  since: number,
  limit: number,
  after?: string,
): string[] {
  const start = keyStart('run', workspace);
  const rows = database.select<readonly [string]>(
    ['key'],
    `(SELECT key FROM records WHERE open = 1 AND key > ? AND key < ? AND start < ?
      ORDER BY key LIMIT ?)`,
    after === undefined ? start : toKey(runKey(after, workspace)),
    behindAll(start),
    since,
    limit,
  );
  return rows.map(([key]) => fromKey(key).slice(start.length));
}

/** What comes right behind all keys that begin so: the blank at the end becomes the next character. */
function behindAll(start: string): string {
  return `${start.slice(0, -1)}!`;
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
    case 'loggedModel':
      return [toKey(key), record.model.creationTimestamp, 0, null, null];
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
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  return 'server' in value && typeof value.server === 'object' && value.server !== null;
}
