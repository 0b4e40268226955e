/**
 * Logged models of MLflow 3 out of its JSON.
 */

import {
  compareText,
  double,
  keyValues,
  list,
  object,
  optionalInteger,
  optionalText,
  requiredText,
} from './parse-values.js';
import type { LoggedModel, LoggedModelMetric } from './types.js';

/** What MLflow's JSON calls the states that it shows as `READY`, `PENDING` and `FAILED`. */
const STATUSES: ReadonlyMap<string, string> = new Map([
  ['LOGGED_MODEL_PENDING', 'PENDING'],
  ['LOGGED_MODEL_READY', 'READY'],
  ['LOGGED_MODEL_UPLOAD_FAILED', 'FAILED'],
]);

/** As databases and files number them: in the order of MLflow's enumeration, from 0. */
const NUMBERED_STATUSES = ['UNSPECIFIED', 'PENDING', 'READY', 'FAILED'];

/** As MLflow makes them: no path can be hidden in one, and none breaks out of a filter. */
const MODEL_ID = /^m-[\w-]{1,100}$/;

/** What a source of a model version names a logged model by. */
const MODEL_URI = /^models:\/(m-[^/]+)$/;

/** @throws MalformedError */
export function readLoggedModel(value: unknown): LoggedModel {
  const json = object(value, 'the logged model');
  const info = object(json['info'], 'info');
  const data = json['data'] === undefined ? {} : object(json['data'], 'data');
  const artifactUri = optionalText(info['artifact_uri'], 'artifact_uri');
  const modelType = optionalText(info['model_type'], 'model_type');
  const sourceRunId = optionalText(info['source_run_id'], 'source_run_id');
  const statusMessage = optionalText(info['status_message'], 'status_message');
  const status = optionalText(info['status'], 'status') ?? 'UNSPECIFIED';
  return {
    modelId: requiredText(info['model_id'], 'model_id'),
    experimentId: requiredText(info['experiment_id'], 'experiment_id'),
    name: requiredText(info['name'], 'name'),
    creationTimestamp: optionalInteger(info['creation_timestamp_ms'], 'creation_timestamp_ms') ?? 0,
    lastUpdatedTimestamp:
      optionalInteger(info['last_updated_timestamp_ms'], 'last_updated_timestamp_ms') ?? 0,
    status: STATUSES.get(status) ?? status,
    tags: keyValues(info['tags'], 'tags'),
    params: keyValues(data['params'], 'params'),
    metrics: lastMetrics(data['metrics']),
    ...(artifactUri === undefined ? {} : { artifactUri }),
    ...(modelType === undefined ? {} : { modelType }),
    ...(sourceRunId === undefined ? {} : { sourceRunId }),
    ...(statusMessage === undefined ? {} : { statusMessage }),
  };
}

/** Whether a text can be the id of a logged model. */
export function isModelId(text: string): boolean {
  return MODEL_ID.test(text);
}

/** The status that a database or a file has a number for; undefined for any other value. */
export function numberedStatus(value: unknown): string | undefined {
  return NUMBERED_STATUSES[Number(value)];
}

/**
 * The logged model that a model version was made from; undefined where it was from anything else.
 *
 * @example
 * modelIdOfSource('models:/m-1a2b'); // 'm-1a2b'
 * modelIdOfSource('models:/churn/3'); // undefined
 */
export function modelIdOfSource(source: string | undefined): string | undefined {
  return source === undefined ? undefined : MODEL_URI.exec(source)?.[1];
}

/**
 * A database gives every value that was ever logged, a folder of files the last one for each
 * dataset: that is the one with the greatest (step, timestamp, value).
 */
function lastMetrics(value: unknown): readonly LoggedModelMetric[] {
  const last = new Map<string, LoggedModelMetric>();
  for (const item of list(value, 'metrics')) {
    const metric = readMetric(item);
    const place = JSON.stringify([metric.key, metric.datasetName, metric.datasetDigest]);
    const known = last.get(place);
    if (known === undefined || isLater(metric, known)) last.set(place, metric);
  }
  return [...last.values()].sort(
    (a, b) =>
      compareText(a.key, b.key) ||
      compareText(a.datasetName ?? '', b.datasetName ?? '') ||
      compareText(a.datasetDigest ?? '', b.datasetDigest ?? ''),
  );
}

function readMetric(item: unknown): LoggedModelMetric {
  const json = object(item, 'an item of metrics');
  const runId = optionalText(json['run_id'], 'the run_id of a metric');
  const datasetName = optionalText(json['dataset_name'], 'the dataset_name of a metric');
  const datasetDigest = optionalText(json['dataset_digest'], 'the dataset_digest of a metric');
  return {
    key: requiredText(json['key'], 'a key of metrics'),
    value: double(json['value'], 'a value of metrics'),
    timestamp: optionalInteger(json['timestamp'], 'a timestamp of metrics') ?? 0,
    step: optionalInteger(json['step'], 'a step of metrics') ?? 0,
    ...(runId === undefined ? {} : { runId }),
    ...(datasetName === undefined ? {} : { datasetName }),
    ...(datasetDigest === undefined ? {} : { datasetDigest }),
  };
}

/** Of two that are the same otherwise the one of the first run by id counts, in any order of rows. */
function isLater(a: LoggedModelMetric, b: LoggedModelMetric): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  if (a.value !== b.value) return a.value > b.value;
  return compareText(a.runId ?? '', b.runId ?? '') < 0;
}
