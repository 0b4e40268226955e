/**
 * Records for tests of operators, each with what a test says and defaults for the rest.
 */

import type {
  DatasetRecord,
  DatasetUse,
  ExperimentRecord,
  LoggedModelRecord,
  ModelVersionRecord,
  RegisteredModelRecord,
  RunRecord,
  ServerRecord,
} from '../../src/mlflow/records.js';
import type {
  Dataset,
  Experiment,
  LoggedModel,
  ModelVersion,
  RegisteredModel,
  Run,
  ServerFacts,
} from '../../src/mlflow/types.js';

export const server: ServerFacts = {
  uri: 'http://host:5000',
  webUrl: 'http://host:5000',
  version: '2.22.5',
  versionText: '2.22.5',
  searchesExperiments: true,
};

export function serverRecord(facts: ServerFacts = server): ServerRecord {
  return { kind: 'server', server: facts };
}

export function experimentRecord(experiment: Partial<Experiment> = {}): ExperimentRecord {
  return {
    kind: 'experiment',
    server,
    experiment: {
      experimentId: '7',
      name: 'churn',
      lifecycleStage: 'active',
      tags: [],
      ...experiment,
    },
  };
}

export function run(parts: Partial<Run> = {}): Run {
  return {
    runId: 'aa11',
    runName: 'first',
    experimentId: '7',
    userId: 'ada',
    status: 'FINISHED',
    startTime: 1_000,
    endTime: 3_500,
    artifactUri: 's3://bucket/aa11',
    lifecycleStage: 'active',
    params: [],
    metrics: [],
    tags: [],
    datasetInputs: [],
    ...parts,
  };
}

export function runRecord(
  parts: Partial<Run> = {},
  versions: readonly ModelVersion[] = [],
): RunRecord {
  return {
    kind: 'run',
    server,
    run: run(parts),
    experiment: { experimentId: '7', name: 'churn' },
    versions,
  };
}

export function modelRecord(parts: Partial<RegisteredModel> = {}): RegisteredModelRecord {
  return {
    kind: 'registeredModel',
    server,
    model: {
      name: 'churn',
      creationTimestamp: 10,
      lastUpdatedTimestamp: 20,
      tags: [],
      aliases: [],
      ...parts,
    },
  };
}

export function version(parts: Partial<ModelVersion> = {}): ModelVersion {
  return {
    name: 'churn',
    version: '3',
    currentStage: 'None',
    creationTimestamp: 30,
    lastUpdatedTimestamp: 40,
    status: 'READY',
    tags: [],
    aliases: [],
    ...parts,
  };
}

export function versionRecord(parts: Partial<ModelVersion> = {}, ofRun?: Run): ModelVersionRecord {
  return {
    kind: 'modelVersion',
    server,
    version: version({ ...parts, ...(ofRun === undefined ? {} : { runId: ofRun.runId }) }),
    ...(ofRun === undefined ? {} : { run: ofRun }),
  };
}

export function loggedModel(parts: Partial<LoggedModel> = {}): LoggedModel {
  return {
    modelId: 'm-1a',
    experimentId: '7',
    name: 'logged',
    creationTimestamp: 50,
    lastUpdatedTimestamp: 60,
    status: 'READY',
    tags: [],
    params: [{ key: 'depth', value: '3' }],
    metrics: [{ key: 'f1', value: 0.5, timestamp: 1, step: 1, runId: 'bb22', datasetName: 'test' }],
    ...parts,
  };
}

export function loggedModelRecord(parts: Partial<LoggedModel> = {}): LoggedModelRecord {
  return {
    kind: 'loggedModel',
    server,
    model: loggedModel(parts),
    experiment: { experimentId: '7', name: 'churn' },
  };
}

export function dataset(parts: Partial<Dataset> = {}): Dataset {
  return { name: 'data', digest: 'd1', sourceType: 'local', source: '{}', ...parts };
}

export function use(
  parts: Partial<Dataset> = {},
  tags: Readonly<Record<string, string>> = {},
): DatasetUse {
  return {
    input: {
      dataset: dataset(parts),
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
    runId: 'aa11',
    startTime: 1_000,
  };
}

export function datasetRecord(...uses: readonly DatasetUse[]): DatasetRecord {
  return { kind: 'dataset', server, name: uses[0]?.input.dataset.name ?? 'data', uses };
}
