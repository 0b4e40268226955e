/**
 * Rows of runs, with their tags, parameters, metrics and datasets, as MLflow's server would send them.
 */

import { Lists, type TagJson, tagJson } from './pages.js';
import { ask, type Cell, type Dialect, type Parameter, type Reading, type Row } from './query.js';
import type { StoreSchema } from './schema.js';

/** Of the table `runs`, under the name it has in the query. The second one is its key. */
export function runColumns({ asText, keyColumn }: Dialect, table = 'r'): readonly string[] {
  const column = (name: string): string => `${table}.${name}`;
  return [
    column('run_uuid'),
    keyColumn(column('run_uuid')),
    asText(column('experiment_id')),
    column('name'),
    column('user_id'),
    column('status'),
    column('start_time'),
    column('end_time'),
    column('lifecycle_stage'),
    column('artifact_uri'),
  ];
}

interface InputJson {
  readonly dataset: unknown;
  readonly tags: TagJson[];
}

/** SQLite keeps NaN as NULL, and MLflow as 0 with a mark. */
export function metricValue(
  value: Cell | undefined,
  isNan: Cell | undefined,
  realOf: Dialect['realOf'],
): Cell | undefined {
  return isNan === 1 || isNan === true || value === null ? NaN : realOf(value);
}

/** Made once for a database: its statements are. */
export class RunRows {
  readonly #dialect: Dialect;
  readonly #schema: StoreSchema;
  readonly #params: string;
  readonly #tags: string;
  readonly #metrics: string;
  readonly #inputs: string;
  readonly #inputTags: string;
  readonly #datasets: string;

  constructor(dialect: Dialect, schema: StoreSchema) {
    this.#dialect = dialect;
    this.#schema = schema;
    const { select, ofOwners } = dialect;
    const ofRuns = (table: string, ...columns: Parameters<Dialect['select']>[0]): string => {
      const { owner, from } = ofOwners(table, 'run_uuid');
      return select([owner, ...columns], from);
    };
    this.#params = ofRuns('params', 'c.key', 'c.value');
    this.#tags = ofRuns('tags', 'c.key', 'c.value');
    this.#metrics = ofRuns(
      'latest_metrics',
      'c.key',
      { real: 'c.value' },
      'c.timestamp',
      'c.step',
      'c.is_nan',
    );
    const inputs = ofOwners('inputs', 'destination_id', `AND c.destination_type = 'RUN'`);
    this.#inputs = select([inputs.owner, 'c.source_id', 'c.input_uuid'], inputs.from);
    this.#inputTags = select(
      ['c.input_uuid', 'c.name', 'c.value'],
      ofOwners('input_tags', 'input_uuid').from,
    );
    this.#datasets = select(
      [
        'c.dataset_uuid',
        'c.name',
        'c.digest',
        'c.dataset_source_type',
        'c.dataset_source',
        'c.dataset_schema',
        'c.dataset_profile',
      ],
      ofOwners('datasets', 'dataset_uuid').from,
    );
  }

  /** Rows of `runColumns` as the same JSON that MLflow's server makes of them. */
  *json(rows: readonly Row[]): Reading<unknown[]> {
    if (rows.length === 0) return [];
    const { list, places, realOf } = this.#dialect;
    const ids = rows.map(([runId]) => runId ?? null);
    const placeOf = places(ids);
    const runIds = list(ids as string[]);
    const params = rows.map((): TagJson[] => []);
    for (const [run, key, value] of yield* ask(this.#params, [runIds])) {
      params[placeOf(run)]?.push(tagJson(key, value));
    }
    const tags = rows.map((): TagJson[] => []);
    for (const [run, key, value] of yield* ask(this.#tags, [runIds])) {
      tags[placeOf(run)]?.push(tagJson(key, value));
    }
    const metrics = rows.map((): unknown[] => []);
    for (const [run, key, value, timestamp, step, isNan] of yield* ask(this.#metrics, [runIds])) {
      metrics[placeOf(run)]?.push({
        key,
        value: metricValue(value, isNan, realOf),
        timestamp,
        step,
      });
    }
    const inputs = this.#schema.datasets
      ? yield* this.#datasetInputs(runIds, placeOf)
      : new Lists<InputJson>();
    return rows.map((row, place) => {
      const [runId, , experimentId, name, userId, status, startTime, endTime] = row;
      return {
        info: {
          run_id: runId,
          experiment_id: experimentId,
          ...(this.#schema.runNames ? { run_name: name } : {}),
          user_id: userId,
          status,
          start_time: startTime,
          // The server leaves out a time of 0.
          end_time: endTime === 0 ? null : endTime,
          lifecycle_stage: row[8],
          artifact_uri: row[9],
        },
        data: { params: params[place], metrics: metrics[place], tags: tags[place] },
        inputs: { dataset_inputs: inputs.of(String(place)) },
      };
    });
  }

  /** By the run's place. Runs share datasets, whose texts may be long: each is read once a page. */
  *#datasetInputs(
    runIds: Parameter,
    placeOf: (owner: Cell | undefined) => number,
  ): Reading<Lists<InputJson>> {
    const { list } = this.#dialect;
    const lists = new Lists<InputJson>();
    const inputs = yield* ask(this.#inputs, [runIds]);
    if (inputs.length === 0) return lists;
    const datasets = new Map<Cell | undefined, unknown>();
    const datasetIds = [...new Set(inputs.map(([, datasetId]) => datasetId ?? null))];
    for (const row of yield* ask(this.#datasets, [list(datasetIds as string[])])) {
      const [id, name, digest, sourceType, source, schema, profile] = row;
      datasets.set(id, { name, digest, source_type: sourceType, source, schema, profile });
    }
    const tags = new Lists<TagJson>();
    const inputIds = inputs.map(([, , inputId]) => inputId ?? null);
    for (const [id, name, value] of yield* ask(this.#inputTags, [list(inputIds as string[])])) {
      tags.add(String(id), tagJson(name, value));
    }
    const byRun = new Map<string, InputJson>();
    for (const [run, datasetId, inputId] of inputs) {
      const dataset = datasets.get(datasetId);
      if (dataset === undefined) continue;
      const place = String(placeOf(run));
      const id = `${place} ${String(datasetId)}`;
      const known = byRun.get(id);
      if (known !== undefined) {
        known.tags.push(...tags.of(String(inputId)));
        continue;
      }
      const input = { dataset, tags: [...tags.of(String(inputId))] };
      byRun.set(id, input);
      lists.add(place, input);
    }
    return lists;
  }
}
