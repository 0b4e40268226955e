/**
 * Logged models out of the tables that MLflow 3 brought.
 */

import { numberedStatus } from '../../mlflow/parse-logged-model.js';
import { LOGGED_MODEL } from '../../mlflow/parse.js';
import type { LoggedModel } from '../../mlflow/types.js';
import type { StorePage } from '../store.js';
import { Lists, type PageReader, parsePage, type TagJson, tagJson } from './pages.js';
import { ask, type Dialect, type Parameter, type Reading, type Row } from './query.js';
import { experimentNumbers } from './runs.js';
import type { StoreSchema } from './schema.js';
import { experimentIsIn } from './workspaces.js';

/** What follows WHERE for models that are not deleted; `l` is the table. */
export const isActiveModel = `l.lifecycle_stage <> 'deleted'`;

/** Made once for a database: its statements are. */
export class LoggedModelRows {
  readonly #dialect: Dialect;
  readonly #workspace: string;
  readonly #byId: string;
  readonly #params: string;
  readonly #tags: string;
  readonly #metrics: string;

  constructor(dialect: Dialect, schema: StoreSchema) {
    this.#dialect = dialect;
    this.#workspace = schema.experimentWorkspaces
      ? `AND EXISTS (SELECT 1 FROM experiments AS e
         WHERE e.experiment_id = l.experiment_id AND ${experimentIsIn(schema, 'e')})`
      : '';
    const { select, isAmong } = dialect;
    this.#byId = select(
      this.#columns(),
      `logged_models AS l WHERE ${isAmong('l.model_id', '?1', 'text')} AND ${isActiveModel} ${this.#workspace}`,
    );
    const ofModels = (table: string, ...columns: readonly string[]): string =>
      select(
        ['c.model_id', ...columns],
        `${table} AS c WHERE ${isAmong('c.model_id', '?1', 'text')}`,
      );
    this.#params = ofModels('logged_model_params', 'c.param_key', 'c.param_value');
    this.#tags = ofModels('logged_model_tags', 'c.tag_key', 'c.tag_value');
    // Every value that was logged has a row, and only the last for each dataset counts.
    this.#metrics = select(
      [
        'c.model_id',
        'c.metric_name',
        { real: 'c.metric_value' },
        'c.metric_timestamp_ms',
        'c.metric_step',
        'c.run_id',
        'c.dataset_name',
        'c.dataset_digest',
      ],
      `(SELECT m.*, row_number() OVER (
          PARTITION BY m.model_id, m.metric_name, coalesce(m.dataset_name, ''), coalesce(m.dataset_digest, '')
          ORDER BY m.metric_step DESC, m.metric_timestamp_ms DESC, m.metric_value DESC, m.run_id) AS place
        FROM logged_model_metrics AS m WHERE ${isAmong('m.model_id', '?1', 'text')}) AS c
       WHERE c.place = 1`,
    );
  }

  /** Of the experiments named, by id. */
  reader(experimentIds: readonly string[], since?: number): PageReader<LoggedModel> {
    const { select, isAmong, isBehind, list, beginning, keyOf } = this.#dialect;
    const experiments = list(experimentNumbers(experimentIds));
    const made = since === undefined ? '' : `AND l.creation_timestamp_ms >= ${Math.floor(since)}`;
    const models = select(
      this.#columns(),
      `(SELECT * FROM logged_models AS l WHERE ${isActiveModel} ${made}
        AND ${isAmong('l.experiment_id', '?1', 'integer')} AND ${isBehind('l.model_id', '?2')}
        ORDER BY l.model_id LIMIT ?3) AS l`,
    );
    const page = (rows: readonly Row[]) => this.#page(rows);
    return function* (after, pageSize) {
      const rows = yield* ask(models, [experiments, ...(after ?? [beginning]), pageSize]);
      const last = rows.length < pageSize ? undefined : rows.at(-1);
      const found = yield* page(rows);
      return last === undefined ? { page: found } : { page: found, next: [keyOf(last[1])] };
    };
  }

  *byId(modelIds: readonly string[]): Reading<StorePage<LoggedModel>> {
    const rows = yield* ask(this.#byId, [this.#dialect.list(modelIds)]);
    return yield* this.#page(rows);
  }

  /** The second one is the key. */
  #columns(): readonly string[] {
    const { asText, keyColumn } = this.#dialect;
    return [
      'l.model_id',
      keyColumn('l.model_id'),
      asText('l.experiment_id'),
      'l.name',
      'l.artifact_location',
      'l.creation_timestamp_ms',
      'l.last_updated_timestamp_ms',
      'l.status',
      'l.model_type',
      'l.source_run_id',
      'l.status_message',
    ];
  }

  /** As the same JSON that MLflow's server makes of rows of `#columns`. */
  *#page(rows: readonly Row[]): Reading<StorePage<LoggedModel>> {
    if (rows.length === 0) return { items: [], rejected: [] };
    const { list, realOf } = this.#dialect;
    const ids = list(rows.map(([modelId]) => String(modelId)));
    const params = yield* pairs(this.#params, ids);
    const tags = yield* pairs(this.#tags, ids);
    const metrics = new Lists<unknown>();
    for (const [model, key, value, timestamp, step, runId, name, digest] of yield* ask(
      this.#metrics,
      [ids],
    )) {
      metrics.add(String(model), {
        key,
        value: value === null ? 0 : realOf(value),
        timestamp,
        step,
        run_id: runId,
        dataset_name: name,
        dataset_digest: digest,
      });
    }
    return parsePage(
      LOGGED_MODEL,
      rows.map((row) => {
        const [modelId, , experimentId, name, artifactUri, created, updated] = row;
        return {
          info: {
            model_id: modelId,
            experiment_id: experimentId,
            name,
            artifact_uri: artifactUri,
            creation_timestamp_ms: created,
            last_updated_timestamp_ms: updated,
            status: numberedStatus(row[7]) ?? String(row[7]),
            model_type: row[8],
            source_run_id: row[9],
            status_message: row[10],
            tags: tags.of(String(modelId)),
          },
          data: { params: params.of(String(modelId)), metrics: metrics.of(String(modelId)) },
        };
      }),
    );
  }
}

function* pairs(sql: string, ids: Parameter): Reading<Lists<TagJson>> {
  const lists = new Lists<TagJson>();
  for (const [model, key, value] of yield* ask(sql, [ids])) {
    lists.add(String(model), tagJson(key, value));
  }
  return lists;
}
