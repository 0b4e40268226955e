/**
 * What a database has of the tables that MLflow keeps its entities in.
 */

import { PipelineError } from '../../core/errors.js';
import type { RunContext } from '../../stream/contracts.js';
import { DEFAULT_WORKSPACE } from '../../mlflow/workspace.js';
import { ask, type Dialect, type Reading } from './query.js';
import { NEWEST_KNOWN, releaseOf } from './revisions.js';

/** What MLflow 1.28 has, and every later one. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  experiments: ['experiment_id', 'name', 'artifact_location', 'lifecycle_stage'],
  experiment_tags: ['experiment_id', 'key', 'value'],
  runs: [
    'run_uuid',
    'name',
    'user_id',
    'status',
    'start_time',
    'end_time',
    'lifecycle_stage',
    'artifact_uri',
    'experiment_id',
  ],
  params: ['run_uuid', 'key', 'value'],
  tags: ['run_uuid', 'key', 'value'],
  latest_metrics: ['run_uuid', 'key', 'value', 'timestamp', 'step', 'is_nan'],
  registered_models: ['name', 'creation_time', 'last_updated_time', 'description'],
  registered_model_tags: ['name', 'key', 'value'],
  model_versions: [
    'name',
    'version',
    'creation_time',
    'last_updated_time',
    'description',
    'user_id',
    'current_stage',
    'source',
    'run_id',
    'run_link',
    'status',
    'status_message',
  ],
  model_version_tags: ['name', 'version', 'key', 'value'],
};

/** What later ones brought: all of a group is there or nothing is read from it. */
const ALIASES = { registered_model_aliases: ['name', 'alias', 'version'] } as const;
const DATASETS = {
  datasets: [
    'dataset_uuid',
    'name',
    'digest',
    'dataset_source_type',
    'dataset_source',
    'dataset_schema',
    'dataset_profile',
  ],
  inputs: ['input_uuid', 'source_id', 'destination_type', 'destination_id'],
  input_tags: ['input_uuid', 'name', 'value'],
} as const;
const LOGGED_MODELS = {
  logged_models: [
    'model_id',
    'experiment_id',
    'name',
    'artifact_location',
    'creation_timestamp_ms',
    'last_updated_timestamp_ms',
    'status',
    'lifecycle_stage',
    'model_type',
    'source_run_id',
    'status_message',
  ],
  logged_model_params: ['model_id', 'param_key', 'param_value'],
  logged_model_tags: ['model_id', 'tag_key', 'tag_value'],
  logged_model_metrics: [
    'model_id',
    'metric_name',
    'metric_timestamp_ms',
    'metric_step',
    'metric_value',
    'run_id',
    'dataset_name',
    'dataset_digest',
  ],
} as const;
/** Keys of the registry have the workspace in front where its tables have the column. */
const REGISTRY = [
  'registered_models',
  'registered_model_tags',
  'model_versions',
  'model_version_tags',
  'registered_model_aliases',
] as const;

/** What can be read from a database. */
export interface StoreSchema {
  readonly versionText: string;
  /** Creation and update of experiments, since 1.29. */
  readonly experimentTimes: boolean;
  /** Whether the server takes a run's name from its column before the tag: not on 1.28. */
  readonly runNames: boolean;
  /** Since 2.3. */
  readonly aliases: boolean;
  /** Since 2.4. */
  readonly datasets: boolean;
  /** Since 3.0. */
  readonly loggedModels: boolean;
  /** Since 3.10: whether the tables have the column `workspace`. */
  readonly experimentWorkspaces: boolean;
  readonly registryWorkspaces: boolean;
  /** Whether there is a table that names them. */
  readonly workspaceNames: boolean;
  /** The one that is read. */
  readonly workspace: string;
}

type Tables = ReadonlyMap<string, ReadonlySet<string>>;

/** What messages call a database. */
export interface DatabaseNames {
  /** A path or a URI, without any password. */
  readonly shown: string;
  /** What to give instead, where this is none of MLflow's: `the file that MLflow has behind …`. */
  readonly wanted: string;
  /** A command on a copy: `mlflow db upgrade …`. */
  readonly upgrade: string;
}

/** @throws PipelineError when the database is not MLflow's, too old, or too new */
export function* inspectSchema(
  dialect: Dialect,
  { shown, wanted, upgrade }: DatabaseNames,
  context: RunContext,
): Reading<StoreSchema> {
  const tables = yield* readTables(dialect);
  const refuse = (code: string, text: string): PipelineError =>
    new PipelineError(`${shown} ${text}`, { code, category: 'unavailable' });
  const absent = Object.keys(NEEDED).filter((table) => !tables.has(table));
  if (!tables.has('alembic_version') || absent.length === Object.keys(NEEDED).length) {
    const lacks = tables.has('alembic_version') ? absent : ['alembic_version', ...absent];
    const found = tables.size === 0 ? 'has no table of MLflow' : 'is not a database of MLflow';
    throw refuse(
      'SOURCE_NOT_MLFLOW',
      `${found} (it lacks the tables ${lacks.join(', ')}): give ${wanted}`,
    );
  }
  const revisions = yield* ask(dialect.select(['version_num'], 'alembic_version'));
  const revision = revisions.map(([cell]) => String(cell)).join(', ');
  const { age, versionText } = releaseOf(revision);
  if (age === 'older') {
    throw refuse(
      'SOURCE_TOO_OLD',
      `was made by an MLflow older than 1.28.0 (its schema is ${revision}). Copy it and upgrade ` +
        `the copy with MLflow 1.28.0 or later: ${upgrade}`,
    );
  }
  const groups = [
    NEEDED,
    ...[ALIASES, DATASETS, LOGGED_MODELS].filter((group) =>
      Object.keys(group).some((name) => tables.has(name)),
    ),
  ];
  const lacking = groups.flatMap((group) => missing(group, tables));
  if (lacking.length > 0) {
    const cause =
      age === 'known'
        ? 'The database is damaged or a migration has not ended'
        : `Its schema ${revision} is of an MLflow newer than ${NEWEST_KNOWN}, which needs a newer version of this package`;
    throw refuse('SOURCE_SCHEMA_UNKNOWN', `lacks ${lacking.join(', ')}. ${cause}`);
  }
  if (age === 'unknown') {
    context.recorder.warn(
      'NEWER_SCHEMA',
      `The database has a schema newer than that of MLflow ${NEWEST_KNOWN}: all that is needed is there, and what is new in it is not read`,
      `${shown}: ${revision === '' ? 'no revision' : revision}`,
    );
  }
  const has = (table: string, column: string): boolean => tables.get(table)?.has(column) ?? false;
  return {
    versionText,
    experimentTimes: has('experiments', 'creation_time') && has('experiments', 'last_update_time'),
    runNames: has('experiments', 'creation_time'),
    aliases: tables.has('registered_model_aliases'),
    datasets: tables.has('datasets'),
    loggedModels: tables.has('logged_models'),
    experimentWorkspaces: has('experiments', 'workspace'),
    registryWorkspaces: REGISTRY.every((table) => !tables.has(table) || has(table, 'workspace')),
    workspaceNames: has('workspaces', 'name'),
    workspace: DEFAULT_WORKSPACE,
  };
}

function* readTables({ columnsOf }: Dialect): Reading<Tables> {
  const kept = Object.keys({ ...NEEDED, ...ALIASES, ...DATASETS, ...LOGGED_MODELS });
  const wanted = ['alembic_version', 'workspaces', ...kept];
  const rows = yield* ask(columnsOf(wanted));
  const tables = new Map<string, Set<string>>();
  for (const [table, column] of rows) {
    const columns = tables.get(String(table)) ?? new Set();
    columns.add(String(column));
    tables.set(String(table), columns);
  }
  return tables;
}

function missing(group: Readonly<Record<string, readonly string[]>>, tables: Tables): string[] {
  return Object.entries(group).flatMap(([table, columns]) => {
    const there = tables.get(table);
    if (there === undefined) return [table];
    return columns.filter((column) => !there.has(column)).map((column) => `${table}.${column}`);
  });
}
