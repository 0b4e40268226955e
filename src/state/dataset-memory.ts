/**
 * How runs described datasets: of each dataset and source type, the use that counts.
 */

import type { DatasetUse, MlflowRecord, RunRecord } from '../mlflow/records.js';
import type { StateDatabase } from './state-database.js';
import { toKey } from './text-key.js';

/** Notes the uses of a page's runs. In a transaction. */
export function saveDatasetUses(
  database: StateDatabase,
  generation: number,
  records: readonly unknown[],
): void {
  const winners = new Map<string, { readonly use: DatasetUse; readonly workspace: string }>();
  for (const record of records as readonly Partial<MlflowRecord>[]) {
    if (record.kind !== 'run') continue;
    const { run, server } = record as RunRecord;
    const workspace = columnOf(server.workspace);
    for (const input of run.datasetInputs) {
      const use = { input, runId: run.runId, startTime: run.startTime };
      const id = JSON.stringify([workspace, input.dataset.name, input.dataset.sourceType]);
      const other = winners.get(id);
      if (other === undefined || isGreater(use, other.use)) winners.set(id, { use, workspace });
    }
  }
  if (winners.size === 0) return;
  const rows = Array.from(winners.values(), ({ use, workspace }) => [
    workspace,
    toKey(use.input.dataset.name),
    toKey(use.input.dataset.sourceType),
    use.startTime,
    toKey(use.runId),
    toKey(use.input.dataset.digest),
    JSON.stringify(use),
  ]);
  database.run(
    `INSERT INTO dataset_uses
     SELECT ?1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6
     FROM json_each(?2) WHERE true
     ON CONFLICT (generation, workspace, name, source_type) DO UPDATE SET start_time = excluded.start_time,
       run_id = excluded.run_id, digest = excluded.digest, content = excluded.content
     WHERE (excluded.start_time, excluded.run_id, excluded.digest) >=
           (dataset_uses.start_time, dataset_uses.run_id, dataset_uses.digest)`,
    generation,
    JSON.stringify(rows),
  );
}

/**
 * Those of a workspace in the order of (name, source type), after the one given.
 *
 * @param workspace - undefined for `default`
 */
export function datasetUses(
  database: StateDatabase,
  generation: number,
  workspace: string | undefined,
  limit: number,
  after?: DatasetUse,
): DatasetUse[] {
  const rows = database.select<readonly [string]>(
    ['content'],
    `(SELECT content FROM dataset_uses
      WHERE generation = ? AND workspace = ? AND (name, source_type) > (?, ?)
      ORDER BY name, source_type LIMIT ?)`,
    generation,
    columnOf(workspace),
    after === undefined ? '' : toKey(after.input.dataset.name),
    after === undefined ? '' : toKey(after.input.dataset.sourceType),
    limit,
  );
  return rows.map(([content]) => JSON.parse(content) as DatasetUse);
}

function columnOf(workspace: string | undefined): string {
  return workspace ?? '';
}

/** As the datasets of one sweep are compared: by start time, run, digest. */
function isGreater(a: DatasetUse, b: DatasetUse): boolean {
  if (a.startTime !== b.startTime) return a.startTime > b.startTime;
  if (a.runId !== b.runId) return a.runId > b.runId;
  return a.input.dataset.digest > b.input.dataset.digest;
}
