/**
 * Databases with several workspaces, and what sources over workspaces give, for the tests in this
 * folder.
 */

import { RECORD_KINDS, type MlflowRecord, type RecordKind } from '../../../src/mlflow/records.js';
import type { OpenSource } from '../../../src/stream/contracts.js';
import { change, copyOf } from '../../support/mlflow-database.js';

export const ALL: ReadonlySet<RecordKind> = new Set(RECORD_KINDS);

/** With several pages asked for at a time. */
export async function readAll(source: OpenSource): Promise<readonly MlflowRecord[]> {
  const records: MlflowRecord[] = [];
  const pages = source.read({ kinds: ALL })[Symbol.asyncIterator]();
  for (let ended = false; !ended;) {
    const some = await Promise.all([pages.next(), pages.next(), pages.next()]);
    for (const { done, value } of some) {
      if (done === true) ended = true;
      else records.push(...value.records);
    }
  }
  return records;
}

/** Workspaces in the order in which they come, each once. */
export function placesIn(records: readonly MlflowRecord[]): readonly string[] {
  const places: string[] = [];
  for (const { server } of records) {
    const { workspace = 'default' } = server;
    if (places.at(-1) !== workspace) places.push(workspace);
  }
  return places;
}

/** Added to the ids of experiments, and in front of those of runs, that are copied to a workspace. */
export const SHIFT = 1_000_000;
const PREFIX = 'ffff';

const REGISTRY = [
  'registered_models(name, creation_time, last_updated_time, description, workspace)',
  'registered_model_tags(key, value, name, workspace)',
  'registered_model_aliases(alias, version, name, workspace)',
  `model_versions(name, version, creation_time, last_updated_time, description, user_id,
    current_stage, source, status, status_message, run_link, storage_location, workspace)`,
  'model_version_tags(key, value, name, version, workspace)',
];

/** Everything of `default` once more in another workspace, under the same names. */
export function withCopyIn(workspace: string): string {
  const path = copyOf('3.17.2');
  change(
    path,
    `INSERT INTO workspaces(name) VALUES ('${workspace}'), ('empty')`,
    `INSERT INTO experiments SELECT experiment_id + ${SHIFT}, name, artifact_location,
       lifecycle_stage, creation_time, last_update_time, '${workspace}' FROM experiments`,
    `INSERT INTO experiment_tags(key, value, experiment_id)
       SELECT key, value, experiment_id + ${SHIFT} FROM experiment_tags`,
    `INSERT INTO runs SELECT '${PREFIX}' || substr(run_uuid, 5), name, source_type, source_name,
       entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage,
       artifact_uri, experiment_id + ${SHIFT}, deleted_time FROM runs`,
    `INSERT INTO logged_models SELECT 'm-${PREFIX}' || substr(model_id, 7), experiment_id + ${SHIFT},
       name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status,
       lifecycle_stage, model_type, source_run_id, status_message FROM logged_models`,
    `INSERT INTO logged_model_params SELECT 'm-${PREFIX}' || substr(model_id, 7),
       experiment_id + ${SHIFT}, param_key, param_value FROM logged_model_params`,
    ...REGISTRY.map((table) => {
      const columns = /\((.*)\)$/s.exec(table)?.[1] ?? '';
      const values = columns.replace(/\bworkspace$/, `'${workspace}'`);
      return `INSERT INTO ${table} SELECT ${values} FROM ${table.split('(')[0] ?? ''}`;
    }),
  );
  return path;
}
