/**
 * Experiments and runs out of MLflow's JSON.
 */

import {
  compareText,
  double,
  keyValues,
  list,
  object,
  optionalInteger,
  optionalText,
  anyText,
  requiredText,
  sortedByKey,
} from './parse-values.js';
import { tagValue } from './tag-value.js';
import type { DatasetInput, Experiment, Metric, Run } from './types.js';

/** 1.x keeps a run's name here and nowhere else. */
const RUN_NAME_TAG = 'mlflow.runName';

/** @throws MalformedError */
export function readExperiment(value: unknown): Experiment {
  const json = object(value, 'the experiment');
  const artifactLocation = optionalText(json['artifact_location'], 'artifact_location');
  const creationTime = optionalInteger(json['creation_time'], 'creation_time');
  const lastUpdateTime = optionalInteger(json['last_update_time'], 'last_update_time');
  return {
    experimentId: requiredText(json['experiment_id'], 'experiment_id'),
    name: requiredText(json['name'], 'name'),
    lifecycleStage: optionalText(json['lifecycle_stage'], 'lifecycle_stage') ?? 'active',
    tags: keyValues(json['tags'], 'tags'),
    ...(artifactLocation === undefined ? {} : { artifactLocation }),
    ...(creationTime === undefined ? {} : { creationTime }),
    ...(lastUpdateTime === undefined ? {} : { lastUpdateTime }),
  };
}

/** @throws MalformedError */
export function readRun(value: unknown): Run {
  const json = object(value, 'the run');
  const info = object(json['info'], 'info');
  const data = json['data'] === undefined ? EMPTY : object(json['data'], 'data');
  const inputs = json['inputs'] === undefined ? EMPTY : object(json['inputs'], 'inputs');
  const tags = keyValues(data['tags'], 'tags');
  const runName = optionalText(info['run_name'], 'run_name') ?? tagValue(tags, RUN_NAME_TAG);
  const userId = optionalText(info['user_id'], 'user_id');
  const endTime = optionalInteger(info['end_time'], 'end_time');
  const artifactUri = optionalText(info['artifact_uri'], 'artifact_uri');
  return {
    runId: requiredText(info['run_id'] ?? info['run_uuid'], 'run_id'),
    experimentId: requiredText(info['experiment_id'], 'experiment_id'),
    status: optionalText(info['status'], 'status') ?? 'UNKNOWN',
    startTime: optionalInteger(info['start_time'], 'start_time') ?? 0,
    lifecycleStage: optionalText(info['lifecycle_stage'], 'lifecycle_stage') ?? 'active',
    params: keyValues(data['params'], 'params'),
    metrics: metrics(data['metrics']),
    tags,
    datasetInputs: datasetInputs(inputs['dataset_inputs']),
    ...(runName === undefined ? {} : { runName }),
    ...(userId === undefined ? {} : { userId }),
    ...(endTime === undefined ? {} : { endTime }),
    ...(artifactUri === undefined ? {} : { artifactUri }),
  };
}

const EMPTY: Readonly<Record<string, unknown>> = {};

function metrics(value: unknown): readonly Metric[] {
  const items = list(value, 'metrics');
  const read: Metric[] = [];
  for (const item of items) {
    const { key, value: number, timestamp, step } = object(item, 'an item of metrics');
    read.push({
      key: requiredText(key, 'a key of metrics'),
      value: double(number, 'a value of metrics'),
      timestamp: optionalInteger(timestamp, 'a timestamp of metrics') ?? 0,
      step: optionalInteger(step, 'a step of metrics') ?? 0,
    });
  }
  return sortedByKey(read);
}

/** By name, then by digest. */
function datasetInputs(value: unknown): readonly DatasetInput[] {
  const read = list(value, 'dataset_inputs').map(datasetInput);
  return read.sort(
    (a, b) =>
      compareText(a.dataset.name, b.dataset.name) ||
      compareText(a.dataset.digest, b.dataset.digest),
  );
}

function datasetInput(value: unknown): DatasetInput {
  const json = object(value, 'an item of dataset_inputs');
  const dataset = object(json['dataset'], 'dataset');
  const schema = optionalText(dataset['schema'], 'schema');
  const profile = optionalText(dataset['profile'], 'profile');
  return {
    dataset: {
      name: requiredText(dataset['name'], 'the name of a dataset'),
      digest: anyText(dataset['digest'], 'digest'),
      sourceType: anyText(dataset['source_type'], 'source_type'),
      source: anyText(dataset['source'], 'source'),
      ...(schema === undefined ? {} : { schema }),
      ...(profile === undefined ? {} : { profile }),
    },
    tags: keyValues(json['tags'], 'the tags of a dataset'),
  };
}
