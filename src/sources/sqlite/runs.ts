/**
 * Runs out of the table `runs` and those of their tags, parameters, metrics and datasets.
 */

import { RUN } from '../../mlflow/parse.js';
import type { Run } from '../../mlflow/types.js';
import type { PagePosition } from '../../stream/memory.js';
import type { StorePage } from '../store.js';
import { bytesOf, Lists, type PageReader, parsePage, type TagJson, tagJson } from './pages.js';
import { type Cell, type Query, realOf, type Row, select } from './read-only-database.js';
import type { StoreSchema } from './schema.js';

/** Of the table `runs`, called `r`. */
export const COLUMNS = [
  'r.run_uuid',
  'hex(r.run_uuid)',
  'CAST(r.experiment_id AS TEXT)',
  'r.name',
  'r.user_id',
  'r.status',
  'r.start_time',
  'r.end_time',
  'r.lifecycle_stage',
  'r.artifact_uri',
];

/** A table's rows for the list of run ids that is the parameter; `j.key` is the run's place in it. */
const ofRuns = (table: string): string =>
  `json_each(?) AS j CROSS JOIN ${table} AS c ON c.run_uuid = j.value`;

const PARAMS = select(['j.key', 'c.key', 'c.value'], ofRuns('params'));
const TAGS = select(['j.key', 'c.key', 'c.value'], ofRuns('tags'));
const METRICS = select(
  ['j.key', 'c.key', { real: 'c.value' }, 'c.timestamp', 'c.step', 'c.is_nan'],
  ofRuns('latest_metrics'),
);
const INPUTS = select(
  ['j.key', 'c.source_id', 'c.input_uuid'],
  `json_each(?) AS j CROSS JOIN inputs AS c
   ON c.destination_type = 'RUN' AND c.destination_id = j.value`,
);
const INPUT_TAGS = select(
  ['c.input_uuid', 'c.name', 'c.value'],
  'json_each(?) AS j CROSS JOIN input_tags AS c ON c.input_uuid = j.value',
);
const DATASETS = select(
  [
    'c.dataset_uuid',
    'c.name',
    'c.digest',
    'c.dataset_source_type',
    'c.dataset_source',
    'c.dataset_schema',
    'c.dataset_profile',
  ],
  'json_each(?) AS j CROSS JOIN datasets AS c ON c.dataset_uuid = j.value',
);

/** What follows WHERE for the active runs of experiments; their ids are the parameter ?1. */
export const IN_EXPERIMENTS = `r.lifecycle_stage = 'active'
  AND r.experiment_id IN (SELECT CAST(value AS INTEGER) FROM json_each(?1))`;

/** The parameter. Anything but digits would be cast to 0, which is an experiment. */
export function experimentList(experimentIds: readonly string[]): string {
  return JSON.stringify(experimentIds.filter((id) => /^\d+$/.test(id)));
}

/**
 * Active runs of the experiments named, by id.
 *
 * @param positionBehind - of a run, by its id in hexadecimal digits; absent where none is wanted
 */
export function runReader(
  schema: StoreSchema,
  pageSize: number,
  experimentIds: readonly string[],
  positionBehind?: (hexId: string) => PagePosition,
): PageReader<Run> {
  const experiments = experimentList(experimentIds);
  const runs = select(
    COLUMNS,
    `(SELECT * FROM runs AS r WHERE ${IN_EXPERIMENTS}
      AND r.run_uuid > CAST(?2 AS TEXT) AND r.run_uuid < x''
      ORDER BY r.run_uuid LIMIT ${pageSize}) AS r`,
  );
  // An id that is no text, or an empty one, has no place in the order of ids.
  const withoutId = select(
    COLUMNS,
    `runs AS r WHERE ${IN_EXPERIMENTS}
     AND (r.run_uuid IS NULL OR r.run_uuid = '' OR r.run_uuid >= x'')`,
  );
  return (query, after) => {
    const rows = query(runs, [experiments, ...(after ?? [''])]);
    const last = rows.length < pageSize ? undefined : rows.at(-1);
    const all = last === undefined ? [...rows, ...query(withoutId, [experiments])] : rows;
    const parsed = parsePage(RUN, runsJson(query, schema, all));
    const hexId = rows.at(-1)?.[1];
    const page =
      hexId === undefined || positionBehind === undefined
        ? parsed
        : { ...parsed, position: positionBehind(String(hexId)) };
    return last === undefined ? { page } : { page, next: [bytesOf(last[1])] };
  };
}

/** The runs with these ids, deleted ones too. */
export function readRunsById(
  query: Query,
  schema: StoreSchema,
  runIds: readonly string[],
): StorePage<Run> {
  const workspace = schema.experimentWorkspaces
    ? `AND EXISTS (SELECT 1 FROM experiments AS e
       WHERE e.experiment_id = r.experiment_id AND e.workspace = 'default')`
    : '';
  const rows = query(
    select(COLUMNS, `json_each(?) AS j CROSS JOIN runs AS r ON r.run_uuid = j.value ${workspace}`),
    [JSON.stringify(runIds)],
  );
  return parsePage(RUN, runsJson(query, schema, rows));
}

/** Rows of `COLUMNS` as the same JSON that MLflow's server makes of them. */
export function runsJson(query: Query, schema: StoreSchema, rows: readonly Row[]): unknown[] {
  if (rows.length === 0) return [];
  const runIds = JSON.stringify(rows.map(([runId]) => runId));
  const params = rows.map((): TagJson[] => []);
  for (const [place, key, value] of query(PARAMS, [runIds])) {
    params[Number(place)]?.push(tagJson(key, value));
  }
  const tags = rows.map((): TagJson[] => []);
  for (const [place, key, value] of query(TAGS, [runIds])) {
    tags[Number(place)]?.push(tagJson(key, value));
  }
  const metrics = rows.map((): unknown[] => []);
  for (const [place, key, value, timestamp, step, isNan] of query(METRICS, [runIds])) {
    metrics[Number(place)]?.push({
      key,
      // SQLite keeps NaN as NULL, and MLflow as 0 with a mark.
      value: isNan === 1 || value === null ? NaN : realOf(value),
      timestamp,
      step,
    });
  }
  const inputs = schema.datasets ? datasetInputs(query, runIds) : undefined;
  return rows.map((row, place) => {
    const [runId, , experimentId, name, userId, status, startTime, endTime] = row;
    return {
      info: {
        run_id: runId,
        experiment_id: experimentId,
        ...(schema.runNames ? { run_name: name } : {}),
        user_id: userId,
        status,
        start_time: startTime,
        // The server leaves out a time of 0.
        end_time: endTime === 0 ? null : endTime,
        lifecycle_stage: row[8],
        artifact_uri: row[9],
      },
      data: { params: params[place], metrics: metrics[place], tags: tags[place] },
      inputs: { dataset_inputs: inputs?.of(String(place)) ?? [] },
    };
  });
}

interface InputJson {
  readonly dataset: unknown;
  readonly tags: TagJson[];
}

/** By the run's place. Runs share datasets, whose texts may be long: each is read once a page. */
function datasetInputs(query: Query, runIds: string): Lists<InputJson> {
  const lists = new Lists<InputJson>();
  const inputs = query(INPUTS, [runIds]);
  if (inputs.length === 0) return lists;
  const datasets = new Map<Cell | undefined, unknown>();
  const datasetIds = [...new Set(inputs.map(([, datasetId]) => datasetId))];
  for (const row of query(DATASETS, [JSON.stringify(datasetIds)])) {
    const [id, name, digest, sourceType, source, schema, profile] = row;
    datasets.set(id, { name, digest, source_type: sourceType, source, schema, profile });
  }
  const tags = new Lists<TagJson>();
  for (const [id, name, value] of query(INPUT_TAGS, [
    JSON.stringify(inputs.map(([, , inputId]) => inputId)),
  ])) {
    tags.add(String(id), tagJson(name, value));
  }
  const byRun = new Map<string, InputJson>();
  for (const [place, datasetId, inputId] of inputs) {
    const dataset = datasets.get(datasetId);
    if (dataset === undefined) continue;
    const id = `${String(place)} ${String(datasetId)}`;
    const known = byRun.get(id);
    if (known !== undefined) {
      known.tags.push(...tags.of(String(inputId)));
      continue;
    }
    const input = { dataset, tags: [...tags.of(String(inputId))] };
    byRun.set(id, input);
    lists.add(String(place), input);
  }
  return lists;
}
