/**
 * Names of records that stay the same from one reading of a store to the next.
 */

import type { MlflowRecord } from './records.js';

type Kind = 'experiment' | 'model' | 'run' | 'version' | 'loggedModel';

/**
 * `run 4f2a…`, `experiment 3`, `model churn`, `version 3 churn`, `loggedModel m-1a2b…`; of another workspace than `default`
 * with its name, which holds neither a blank nor `@`: `run@team-a 4f2a…`.
 */
export type RecordKey = `${Kind}${'' | `@${string}`} ${string}`;

/** What a key names, in its parts. */
export type NamedRecord = (
  | { readonly kind: 'experiment' | 'run' | 'loggedModel'; readonly id: string }
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'version'; readonly name: string; readonly version: string }
) & {
  /** Absent for `default`. */
  readonly workspace?: string;
};

/** @param workspace - absent for `default`, here and in what follows */
export function experimentKey(experimentId: string, workspace?: string): RecordKey {
  return `${keyStart('experiment', workspace)}${experimentId}`;
}

export function runKey(runId: string, workspace?: string): RecordKey {
  return `${keyStart('run', workspace)}${runId}`;
}

export function modelKey(name: string, workspace?: string): RecordKey {
  return `${keyStart('model', workspace)}${name}`;
}

/** The number first: it holds no blank, and a name may hold any. */
export function versionKey(name: string, version: string, workspace?: string): RecordKey {
  return `${keyStart('version', workspace)}${version} ${name}`;
}

export function loggedModelKey(modelId: string, workspace?: string): RecordKey {
  return `${keyStart('loggedModel', workspace)}${modelId}`;
}

/**
 * What all keys of a kind and a workspace begin with, and no others.
 *
 * @example
 * keyStart('run'); // 'run '
 * keyStart('run', 'team-a'); // 'run@team-a '
 */
export function keyStart<K extends Kind>(kind: K, workspace?: string): `${K}${'' | `@${string}`} ` {
  return workspace === undefined ? `${kind} ` : `${kind}@${workspace} `;
}

/** Undefined for what is no thing of MLflow's that could be deleted: the server, a dataset. */
export function recordKey(record: MlflowRecord): RecordKey | undefined {
  const { workspace } = record.server;
  switch (record.kind) {
    case 'experiment':
      return experimentKey(record.experiment.experimentId, workspace);
    case 'run':
      return runKey(record.run.runId, workspace);
    case 'registeredModel':
      return modelKey(record.model.name, workspace);
    case 'modelVersion':
      return versionKey(record.version.name, record.version.version, workspace);
    case 'loggedModel':
      return loggedModelKey(record.model.modelId, workspace);
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
 * parseRecordKey('run@team-a 4f2a'); // { kind: 'run', workspace: 'team-a', id: '4f2a' }
 */
export function parseRecordKey(key: RecordKey): NamedRecord {
  const blank = key.indexOf(' ');
  const [kind, workspace] = key.slice(0, blank).split('@') as [Kind, string?];
  const place = workspace === undefined ? {} : { workspace };
  const rest = key.slice(blank + 1);
  if (kind === 'model') return { kind, ...place, name: rest };
  if (kind !== 'version') return { kind, ...place, id: rest };
  const second = rest.indexOf(' ');
  return { kind, ...place, version: rest.slice(0, second), name: rest.slice(second + 1) };
}
