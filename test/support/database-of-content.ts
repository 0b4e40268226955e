/**
 * A database of MLflow's with what a look-alike server holds.
 */

import type { MlflowVersion } from './mlflow-database.js';
import { copyOf, writerOf } from './mlflow-database.js';
import type {
  ServerContent,
  WireLoggedModel,
  WireMetric,
  WirePair,
  WireRun,
} from './mlflow-server.js';

type Row = Readonly<Record<string, string | number | null>>;

const TABLES = [
  'logged_model_metrics',
  'logged_model_params',
  'logged_model_tags',
  'logged_models',
  'inputs',
  'datasets',
  'latest_metrics',
  'params',
  'tags',
  'metrics',
  'model_version_tags',
  'registered_model_aliases',
  'registered_model_tags',
  'model_versions',
  'registered_models',
  'runs',
  'experiment_tags',
  'experiments',
];

/** As it numbers them. */
const MODEL_STATUSES = [
  '',
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_READY',
  'LOGGED_MODEL_UPLOAD_FAILED',
];

/** Made by that MLflow; what it has no table or column for is left out. Gone when the test ends. */
export function databaseWith(content: ServerContent, version: MlflowVersion): string {
  const path = copyOf(version);
  fill(path, content);
  return path;
}

/** In place of all that a database holds. */
export function fill(path: string, content: ServerContent): void {
  const writer = writerOf(path);
  const columns = new Map<string, ReadonlySet<string>>();
  for (const table of TABLES) {
    const rows = writer.prepare(`PRAGMA table_info(${table})`).raw().all([]) as unknown[][];
    columns.set(table, new Set(rows.map(([, name]) => String(name))));
  }
  writer.exec('BEGIN');
  for (const [table, there] of columns) if (there.size > 0) writer.exec(`DELETE FROM ${table}`);
  for (const [table, row] of rowsOf(content)) {
    const known = columns.get(table) ?? new Set();
    const cells = Object.entries(row).filter(([name]) => known.has(name));
    if (known.size === 0) continue;
    const names = cells.map(([name]) => name).join(', ');
    writer
      .prepare(`INSERT INTO ${table}(${names}) VALUES (${cells.map(() => '?').join(', ')})`)
      .run(cells.map(([, value]) => value));
  }
  writer.exec('COMMIT');
  writer.close();
}

function* rowsOf(content: ServerContent): Generator<readonly [table: string, row: Row]> {
  const workspace = 'default';
  for (const { experiment_id: experiment, tags = [], ...one } of content.experiments) {
    yield [
      'experiments',
      {
        experiment_id: Number(experiment),
        name: one.name,
        artifact_location: one.artifact_location ?? null,
        lifecycle_stage: one.lifecycle_stage ?? 'active',
        creation_time: one.creation_time ?? null,
        last_update_time: one.last_update_time ?? null,
        workspace,
      },
    ];
    yield* tagsOf('experiment_tags', { experiment_id: Number(experiment) }, tags);
  }
  const datasets = new Map<string, string>();
  for (const run of content.runs) yield* rowsOfRun(run, datasets);
  for (const { name, tags = [], aliases = [], ...one } of content.registeredModels) {
    yield [
      'registered_models',
      {
        name,
        creation_time: one.creation_timestamp ?? null,
        last_updated_time: one.last_updated_timestamp ?? null,
        description: one.description ?? null,
        workspace,
      },
    ];
    yield* tagsOf('registered_model_tags', { name, workspace }, tags);
    for (const { alias, version } of aliases) {
      yield ['registered_model_aliases', { alias, version: Number(version), name, workspace }];
    }
  }
  for (const { name, version: number, tags = [], ...one } of content.modelVersions) {
    const version = Number(number);
    yield [
      'model_versions',
      {
        name,
        version,
        creation_time: one.creation_timestamp ?? null,
        last_updated_time: one.last_updated_timestamp ?? null,
        description: one.description ?? null,
        user_id: one.user_id ?? null,
        current_stage: one.current_stage ?? 'None',
        source: one.source ?? null,
        run_id: one.run_id ?? null,
        run_link: one.run_link ?? null,
        status: one.status ?? 'READY',
        workspace,
      },
    ];
    yield* tagsOf('model_version_tags', { name, version, workspace }, tags);
  }
  for (const model of content.loggedModels ?? []) yield* rowsOfLoggedModel(model);
}

/** Without its metrics. */
function* rowsOfLoggedModel({
  info,
  data,
}: WireLoggedModel): Generator<readonly [table: string, row: Row]> {
  const owner = { model_id: info.model_id, experiment_id: Number(info.experiment_id) };
  yield [
    'logged_models',
    {
      ...owner,
      name: info.name,
      artifact_location: '',
      creation_timestamp_ms: info.creation_timestamp_ms ?? 0,
      last_updated_timestamp_ms: info.creation_timestamp_ms ?? 0,
      status: MODEL_STATUSES.indexOf(info.status ?? ''),
      lifecycle_stage: 'active',
      model_type: info.model_type ?? '',
      source_run_id: info.source_run_id ?? null,
    },
  ];
  for (const { key, value } of info.tags ?? []) {
    yield ['logged_model_tags', { ...owner, tag_key: key, tag_value: value }];
  }
  for (const { key, value } of data?.params ?? []) {
    yield ['logged_model_params', { ...owner, param_key: key, param_value: value }];
  }
}

function* rowsOfRun(
  { info, data, inputs, history }: WireRun,
  known: Map<string, string>,
): Generator<readonly [string, Row]> {
  const id = info.run_id;
  yield [
    'runs',
    {
      run_uuid: id,
      name: info.run_name ?? null,
      source_type: 'LOCAL',
      user_id: info.user_id ?? null,
      status: info.status ?? null,
      start_time: info.start_time ?? null,
      end_time: info.end_time ?? null,
      lifecycle_stage: info.lifecycle_stage ?? 'active',
      artifact_uri: info.artifact_uri ?? null,
      experiment_id: Number(info.experiment_id),
    },
  ];
  yield* tagsOf('tags', { run_uuid: id }, data?.tags ?? []);
  yield* tagsOf('params', { run_uuid: id }, data?.params ?? []);
  if (history !== undefined) yield* rowsOfMetrics(id, data?.metrics ?? [], history);
  for (const [place, { dataset }] of (inputs?.dataset_inputs ?? []).entries()) {
    // Runs of an experiment share what they name alike.
    const of = JSON.stringify([info.experiment_id, dataset['name'], dataset['digest']]);
    const isNew = !known.has(of);
    const dataset_uuid = known.get(of) ?? `dataset ${known.size}`;
    known.set(of, dataset_uuid);
    if (isNew)
      yield [
        'datasets',
        {
          dataset_uuid,
          experiment_id: Number(info.experiment_id),
          name: dataset['name'] ?? '',
          digest: dataset['digest'] ?? '',
          dataset_source_type: dataset['source_type'] ?? '',
          dataset_source: dataset['source'] ?? '',
        },
      ];
    yield [
      'inputs',
      {
        input_uuid: `${id.slice(-30)}-${place}`,
        source_type: 'DATASET',
        source_id: dataset_uuid,
        destination_type: 'RUN',
        destination_id: id,
        step: 0,
      },
    ];
  }
}

/** Of runs alone that say what their metrics were before. */
function* rowsOfMetrics(
  run_uuid: string,
  last: readonly WireMetric[],
  history: readonly WireMetric[],
): Generator<readonly [string, Row]> {
  const row = ({ key, value, timestamp = 0, step = 0 }: WireMetric): Row => ({
    run_uuid,
    key,
    value: value === 'NaN' ? 0 : Number(value),
    timestamp,
    step,
    is_nan: value === 'NaN' ? 1 : 0,
  });
  for (const metric of last) yield ['latest_metrics', row(metric)];
  // A point that is the same is none to a database.
  const rows = new Map(history.map((point) => [JSON.stringify(row(point)), row(point)]));
  for (const point of rows.values()) yield ['metrics', point];
}

function* tagsOf(table: string, owner: Row, tags: readonly WirePair[]) {
  for (const { key, value } of tags) yield [table, { ...owner, key, value }] as const;
}
