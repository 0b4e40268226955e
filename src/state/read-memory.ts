/**
 * What a source is told of what was delivered, by this or an earlier sweep.
 */

import type { RecordKey } from '../mlflow/record-key.js';
import type { DatasetUse } from '../mlflow/records.js';
import type { Experiment, ModelVersion } from '../mlflow/types.js';
import { datasetUses } from './dataset-memory.js';
import { meetExperiments, type NeededRuns } from './met-experiments.js';
import { changedVersions, deliveredRecords, knownVersions, openRuns } from './records.js';
import type { StateDatabase } from './state-database.js';
import type { Sweep } from './sweeps.js';

type NamedExperiment = Pick<Experiment, 'experimentId' | 'name'>;

/**
 * The methods of a `ReadMemory`, for one sweep and one workspace.
 *
 * @param workspace - absent for `default`
 */
export function readMemory(database: StateDatabase, sweep: Sweep, workspace?: string) {
  return {
    delivered: (keys: readonly RecordKey[]): Set<RecordKey> =>
      deliveredRecords(database, sweep.number, keys),
    neededRuns: (experiments: readonly NamedExperiment[]): Map<string, NeededRuns> => {
      const needed = meetExperiments(database, experiments, workspace);
      if (sweep.kind === 'lookback') return needed;
      return new Map(Array.from(needed, ([id, runs]) => [id, runs === 'since' ? 'rest' : runs]));
    },
    changedVersions: (versions: readonly ModelVersion[]): Set<RecordKey> =>
      changedVersions(database, versions, workspace),
    knownVersions: (limit: number, after?: RecordKey) =>
      knownVersions(database, workspace, limit, after),
    openRuns: (limit: number, after?: string): string[] =>
      openRuns(database, workspace, sweep.since ?? 0, limit, after),
    datasetUses: (limit: number, after?: DatasetUse): DatasetUse[] =>
      datasetUses(database, sweep.generation, workspace, limit, after),
  };
}
