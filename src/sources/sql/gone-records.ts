/**
 * Which records a database has no row of, or marks as deleted.
 */

import { parseRecordKey, type NamedRecord, type RecordKey } from '../../mlflow/record-key.js';
import { ask, type Dialect, type Reading } from './query.js';
import type { StoreSchema } from './schema.js';
import { experimentIsIn, registryIsIn } from './workspaces.js';

type Kind = NamedRecord['kind'];

/** What is asked of a kind: the ids or names, in the list that is the parameter, that are there. */
type Finder = Readonly<Record<Kind, string>>;

/** Those of the records that are gone. One transaction: one state answers for all. */
export function* goneRecords(
  dialect: Dialect,
  schema: StoreSchema,
  keys: readonly RecordKey[],
): Reading<ReadonlySet<RecordKey>> {
  const find = finder(dialect, schema);
  const gone = new Set<RecordKey>();
  for (const kind of Object.keys(find) as Kind[]) {
    // Of what the database has no table for, it says nothing.
    if (kind === 'loggedModel' && !schema.loggedModels) continue;
    const asked = keys.flatMap((key) => {
      const record = parseRecordKey(key);
      return record.kind === kind && canBeAsked(record) ? [{ key, record }] : [];
    });
    if (asked.length === 0) continue;
    const lists = parametersOf(asked.map(({ record }) => record)).map(dialect.list);
    const rows = yield* ask(find[kind], lists);
    const there = new Set(rows.map((row) => row.map(String).join(' ')));
    for (const { key, record } of asked) if (!there.has(nameOf(record))) gone.add(key);
  }
  return gone;
}

function finder({ select, isAmong, asText }: Dialect, schema: StoreSchema): Finder {
  const inExperiment = `AND ${experimentIsIn(schema, 'e')}`;
  const inRegistry = (table: string): string => `AND ${registryIsIn(schema, table)}`;
  const isThere = (column: string): string => `(${column} IS NULL OR ${column} <> 'deleted')`;
  return {
    experiment: select(
      [asText('e.experiment_id')],
      `experiments AS e WHERE ${isAmong('e.experiment_id', '?1', 'integer')}
       AND ${isThere('e.lifecycle_stage')} ${inExperiment}`,
    ),
    run: select(
      ['r.run_uuid'],
      `runs AS r JOIN experiments AS e ON e.experiment_id = r.experiment_id
       WHERE ${isAmong('r.run_uuid', '?1', 'text')} AND ${isThere('r.lifecycle_stage')}
       AND ${isThere('e.lifecycle_stage')} ${inExperiment}`,
    ),
    loggedModel: select(
      ['l.model_id'],
      `logged_models AS l JOIN experiments AS e ON e.experiment_id = l.experiment_id
       WHERE ${isAmong('l.model_id', '?1', 'text')} AND ${isThere('l.lifecycle_stage')}
       AND ${isThere('e.lifecycle_stage')} ${inExperiment}`,
    ),
    model: select(
      ['m.name'],
      `registered_models AS m WHERE ${isAmong('m.name', '?1', 'text')} ${inRegistry('m')}`,
    ),
    // Some that were not asked for come along.
    version: select(
      [asText('v.version'), 'v.name'],
      `model_versions AS v WHERE ${isAmong('v.name', '?1', 'text')}
       AND ${isAmong('v.version', '?2', 'integer')}
       AND (v.current_stage IS NULL OR v.current_stage <> 'Deleted_Internal') ${inRegistry('v')}`,
    ),
  };
}

/** One list, or two of which some pair is meant. */
function parametersOf(records: readonly NamedRecord[]): readonly (readonly string[])[] {
  const names = new Set(records.map((one) => ('name' in one ? one.name : one.id)));
  const numbers = new Set(records.flatMap((one) => (one.kind === 'version' ? [one.version] : [])));
  return numbers.size === 0 ? [[...names]] : [[...names], [...numbers]];
}

/** As the columns of a row that says that it is there. A version has digits only. */
function nameOf(record: NamedRecord): string {
  // 007 and 7 are one number.
  if (record.kind === 'version') return `${BigInt(record.version).toString()} ${record.name}`;
  if (record.kind === 'experiment') return BigInt(record.id).toString();
  return record.kind === 'model' ? record.name : record.id;
}

/**
 * False where the database may hold it under another name: SQLite's JSON ends a text at a NUL, what
 * is not UTF-8 came out as U+FFFD, and an id that is no number would be cast to one.
 */
function canBeAsked(record: NamedRecord): boolean {
  if (record.kind === 'experiment' && !/^-?\d{1,18}$/.test(record.id)) return false;
  if (record.kind === 'version' && !/^\d{1,18}$/.test(record.version)) return false;
  return !/[\0\uFFFD]/.test('name' in record ? record.name : record.id);
}
