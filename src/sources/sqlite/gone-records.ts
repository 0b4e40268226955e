/**
 * Which records a database has no row of, or marks as deleted.
 */

import { parseRecordKey, type NamedRecord, type RecordKey } from '../../mlflow/record-key.js';
import { type Query, select } from './read-only-database.js';
import type { StoreSchema } from './schema.js';

type Kind = NamedRecord['kind'];

/** What is asked of a kind: the places, in the list that is the parameter, of what is there. */
type Finder = Readonly<Record<Kind, string>>;

/** Those of the records that are gone. Called in a transaction: one state answers for all. */
export function goneRecords(
  query: Query,
  schema: StoreSchema,
  keys: readonly RecordKey[],
): ReadonlySet<RecordKey> {
  const find = finder(schema);
  const gone = new Set<RecordKey>();
  for (const kind of Object.keys(find) as Kind[]) {
    const asked = keys.filter((key) => {
      const record = parseRecordKey(key);
      return record.kind === kind && canBeAsked(record);
    });
    if (asked.length === 0) continue;
    const list = JSON.stringify(asked.map((key) => parametersOf(parseRecordKey(key))));
    const there = new Set(query(find[kind], [list]).map(([place]) => Number(place)));
    for (const [place, key] of asked.entries()) if (!there.has(place)) gone.add(key);
  }
  return gone;
}

function finder(schema: StoreSchema): Finder {
  const inExperiment = schema.experimentWorkspaces ? `AND e.workspace = 'default'` : '';
  const inRegistry = (table: string): string =>
    schema.registryWorkspaces ? `AND ${table}.workspace = 'default'` : '';
  const found = (rows: string): string => select(['j.key'], `json_each(?) AS j CROSS JOIN ${rows}`);
  return {
    experiment: found(`experiments AS e ON e.experiment_id = CAST(j.value ->> 0 AS INTEGER)
      AND e.lifecycle_stage IS NOT 'deleted' ${inExperiment}`),
    run: found(`runs AS r ON r.run_uuid = j.value ->> 0 AND r.lifecycle_stage IS NOT 'deleted'
      CROSS JOIN experiments AS e ON e.experiment_id = r.experiment_id
      AND e.lifecycle_stage IS NOT 'deleted' ${inExperiment}`),
    model: found(`registered_models AS m ON m.name = j.value ->> 0 ${inRegistry('m')}`),
    version: found(`model_versions AS v ON v.name = j.value ->> 0
      AND v.version = CAST(j.value ->> 1 AS INTEGER)
      AND v.current_stage IS NOT 'Deleted_Internal' ${inRegistry('v')}`),
  };
}

function parametersOf(record: NamedRecord): readonly string[] {
  if (record.kind === 'version') return [record.name, record.version];
  return [record.kind === 'model' ? record.name : record.id];
}

/**
 * False where the database may hold it under another name: SQLite's JSON ends a text at a NUL, what
 * is not UTF-8 came out as U+FFFD, and an id that is no number would be cast to one.
 */
function canBeAsked(record: NamedRecord): boolean {
  if (record.kind === 'experiment' && !/^-?\d{1,18}$/.test(record.id)) return false;
  if (record.kind === 'version' && !/^\d{1,18}$/.test(record.version)) return false;
  return !parametersOf(record).some((text) => /[\0\uFFFD]/.test(text));
}
