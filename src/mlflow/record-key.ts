/**
 * Names of records that stay the same from one reading of a store to the next.
 */

import type { MlflowRecord } from './records.js';

/** `run 4f2a…`, `experiment 3`, `model churn`, `version 3 churn`. */
export type RecordKey = `${'experiment' | 'model' | 'run' | 'version'} ${string}`;

/** What a key names, in its parts. */
export type NamedRecord =
  | { readonly kind: 'experiment' | 'run'; readonly id: string }
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'version'; readonly name: string; readonly version: string };

export function experimentKey(experimentId: string): RecordKey {
  return `experiment ${experimentId}`;
}

export function runKey(runId: string): RecordKey {
  return `run ${runId}`;
}

export function modelKey(name: string): RecordKey {
  return `model ${name}`;
}

/** The number first: it holds no blank, and a name may hold any. */
export function versionKey(name: string, version: string): RecordKey {
  return `version ${version} ${name}`;
}

/** Undefined for what is no thing of MLflow's that could be deleted: the server, a dataset. */
export function recordKey(record: MlflowRecord): RecordKey | undefined {
  switch (record.kind) {
    case 'experiment':
      return experimentKey(record.experiment.experimentId);
    case 'run':
      return runKey(record.run.runId);
    case 'registeredModel':
      return modelKey(record.model.name);
    case 'modelVersion':
      return versionKey(record.version.name, record.version.version);
    case 'server':
    case 'dataset':
      return undefined;
  }
}

/**
 * The parts of a key.
 *
 * @example
 * parseRecordKey('version 3 churn'); // { kind: 'version', name: 'churn', version: '3' }
 */
export function parseRecordKey(key: RecordKey): NamedRecord {
  const blank = key.indexOf(' ');
  const kind = key.slice(0, blank) as NamedRecord['kind'];
  const rest = key.slice(blank + 1);
  if (kind === 'model') return { kind, name: rest };
  if (kind !== 'version') return { kind, id: rest };
  const second = rest.indexOf(' ');
  return { kind, version: rest.slice(0, second), name: rest.slice(second + 1) };
}
