/**
 * What a look-alike server holds, in the shape of MLflow's own JSON: so that tests may put in
 * anything that a server could send.
 */

export interface WirePair {
  key: string;
  value: string;
}

export interface WireMetric {
  key: string;
  value: number | string;
  timestamp?: number;
  step?: number;
}

export interface WireExperiment {
  experiment_id: string;
  name: string;
  artifact_location?: string;
  lifecycle_stage?: string;
  creation_time?: number;
  last_update_time?: number;
  tags?: WirePair[];
}

export interface WireRun {
  info: {
    run_id: string;
    run_uuid?: string;
    experiment_id: string;
    run_name?: string;
    user_id?: string;
    status?: string;
    start_time?: number;
    end_time?: number;
    artifact_uri?: string;
    lifecycle_stage?: string;
  };
  data?: { metrics?: WireMetric[]; params?: WirePair[]; tags?: WirePair[] };
  /** All points of its metrics, in any order; where it is absent, there are the last ones alone. */
  history?: WireMetric[];
  inputs?: {
    dataset_inputs?: { tags?: WirePair[]; dataset: Record<string, string> }[];
  };
}

export interface WireVersion {
  name: string;
  version: string;
  creation_timestamp?: number;
  last_updated_timestamp?: number;
  current_stage?: string;
  description?: string;
  user_id?: string;
  source?: string;
  run_id?: string;
  run_link?: string;
  status?: string;
  tags?: WirePair[];
}

export interface WireModel {
  name: string;
  creation_timestamp?: number;
  last_updated_timestamp?: number;
  description?: string;
  /** Where it is not given, the server makes it from the versions, as MLflow does. */
  latest_versions?: WireVersion[];
  tags?: WirePair[];
  aliases?: { alias: string; version: string }[];
}

export interface WireLoggedModel {
  info: {
    model_id: string;
    experiment_id: string;
    name: string;
    creation_timestamp_ms?: number;
    source_run_id?: string;
    status?: string;
    model_type?: string;
    tags?: WirePair[];
  };
  data?: { params?: WirePair[]; metrics?: (WireMetric & { run_id?: string })[] };
}

/** In any order. Tests may change it while the server runs. */
export interface ServerContent {
  experiments: WireExperiment[];
  runs: WireRun[];
  registeredModels: WireModel[];
  modelVersions: WireVersion[];
  /** Of MLflow 3. */
  loggedModels?: WireLoggedModel[];
}

export interface SampleSize {
  /** Active experiments; a deleted one with a deleted run comes on top. */
  readonly experiments?: number;
  /** Active runs in each active experiment. */
  readonly runsPerExperiment?: number;
  readonly models?: number;
  /** Of each model; they come from the runs in turn, and one of the first model from the deleted run. */
  readonly versionsPerModel?: number;
}

const START = Date.UTC(2026, 0, 1);
const STATUSES = ['FINISHED', 'FAILED', 'KILLED', 'RUNNING'];
const STAGES = ['None', 'Staging', 'Production', 'Archived'];

/** The deleted run of every sample. */
export const DELETED_RUN_ID = 'd'.repeat(32);

/** The same content for the same sizes: experiments "1", "2", ..., and a deleted one behind them. */
export function sampleContent(size: SampleSize = {}): ServerContent {
  const { experiments = 3, runsPerExperiment = 4, models = 2, versionsPerModel = 3 } = size;
  const content: ServerContent = {
    experiments: [],
    runs: [],
    registeredModels: [],
    modelVersions: [],
  };
  for (let number = 1; number <= experiments; number += 1) {
    content.experiments.push(sampleExperiment(number));
    for (let index = 0; index < runsPerExperiment; index += 1) {
      content.runs.push(sampleRun(number, content.runs.length));
    }
  }
  const active = content.runs.length;
  addDeleted(content, experiments + 1);
  for (let number = 1; number <= models; number += 1) {
    content.registeredModels.push(sampleModel(number, versionsPerModel));
    for (let version = 1; version <= versionsPerModel; version += 1) {
      const from = (number * versionsPerModel + version) % Math.max(1, active);
      const runId =
        number === 1 && version === 1 ? DELETED_RUN_ID : content.runs[from]?.info.run_id;
      content.modelVersions.push(sampleVersion(number, version, runId ?? ''));
    }
  }
  return content;
}

/** A run's id from its place: 32 hexadecimal digits, as MLflow makes them. */
export function sampleRunId(index: number): string {
  return (index + 1).toString(16).padStart(32, '0');
}

function sampleExperiment(number: number): WireExperiment {
  return {
    experiment_id: String(number),
    name: `experiment ${number}`,
    artifact_location: `s3://artifacts/${number}`,
    lifecycle_stage: 'active',
    creation_time: START + number,
    last_update_time: START + number * 2,
    tags: [{ key: 'mlflow.note.content', value: `note ${number}` }],
  };
}

function sampleRun(experiment: number, index: number): WireRun {
  const runId = sampleRunId(index);
  const start = START + index * 1_000;
  return {
    info: {
      run_id: runId,
      run_uuid: runId,
      experiment_id: String(experiment),
      run_name: `run ${index}`,
      user_id: `user${index % 3}`,
      status: STATUSES[index % STATUSES.length] ?? 'FINISHED',
      start_time: start,
      ...(index % STATUSES.length === 3 ? {} : { end_time: start + 500 }),
      artifact_uri: `s3://artifacts/${experiment}/${runId}`,
      lifecycle_stage: 'active',
    },
    data: {
      metrics: [
        {
          key: 'loss',
          value: index % 5 === 0 ? 'NaN' : 1 / (index + 1),
          timestamp: start,
          step: 1,
        },
        { key: 'accuracy', value: 0.5, timestamp: start, step: 1 },
      ],
      params: [
        { key: 'lr', value: '0.01' },
        { key: '__proto__', value: 'data' },
      ],
      tags: [
        { key: 'mlflow.user', value: `user${index % 3}` },
        { key: 'mlflow.runName', value: `run ${index}` },
      ],
    },
    inputs: {
      dataset_inputs: [
        {
          tags: [{ key: 'mlflow.data.context', value: 'training' }],
          dataset: {
            name: `dataset ${index % 2}`,
            digest: 'abc',
            source_type: 'local',
            source: '{"uri": "data.csv"}',
          },
        },
      ],
    },
  };
}

function addDeleted(content: ServerContent, number: number): void {
  content.experiments.push({ ...sampleExperiment(number), lifecycle_stage: 'deleted' });
  const run = sampleRun(number, 0);
  content.runs.push({
    ...run,
    info: {
      ...run.info,
      run_id: DELETED_RUN_ID,
      run_uuid: DELETED_RUN_ID,
      lifecycle_stage: 'deleted',
    },
  });
}

function sampleModel(number: number, versions: number): WireModel {
  return {
    name: `model ${number}`,
    creation_timestamp: START + number,
    last_updated_timestamp: START + number,
    description: number % 2 === 0 ? '' : `description ${number}`,
    tags: [{ key: 'team', value: 'blue' }],
    aliases: versions === 0 ? [] : [{ alias: 'champion', version: String(versions) }],
  };
}

function sampleVersion(model: number, version: number, runId: string): WireVersion {
  return {
    name: `model ${model}`,
    version: String(version),
    creation_timestamp: START + version,
    last_updated_timestamp: START + version * 10,
    current_stage: STAGES[(version - 1) % STAGES.length] ?? 'None',
    description: '',
    user_id: '',
    source: `s3://artifacts/${runId}/model`,
    run_id: runId,
    run_link: '',
    status: 'READY',
    tags: [{ key: 'checked', value: 'yes' }],
  };
}
