/**
 * MLflow's SQL database as a store, for MLflow 1.28 and later, without any server.
 */

import type {
  Experiment,
  ModelVersion,
  RegisteredModel,
  Run,
  ServerFacts,
} from '../../mlflow/types.js';
import { messageOf } from '../../core/errors.js';
import type { RunHint } from '../../mlflow/filter/run-hint.js';
import type { RecordKey } from '../../mlflow/record-key.js';
import type { Rejection, RunContext } from '../../stream/contracts.js';
import type { PagePosition } from '../../stream/memory.js';
import { DEFAULT_WORKSPACE } from '../../mlflow/workspace.js';
import type {
  AskedMetrics,
  FoundPoints,
  LoggedModels,
  MlflowStore,
  Registered,
  RunSelection,
  StoreCounts,
  StorePage,
  StoreWorkspaces,
} from '../store.js';
import { activeExperiments, experimentReader } from './experiments.js';
import { goneRecords } from './gone-records.js';
import { isHinted } from './hinted-runs.js';
import { isActiveModel, LoggedModelRows } from './logged-models.js';
import { MetricPointRows, readsOf } from './metric-points.js';
import type { PageSizes } from './options.js';
import { reportOrphans } from './orphans.js';
import { type Cursor, keyedPages, type PageReader } from './pages.js';
import { ask, type Reading, type SqlDatabase } from './query.js';
import {
  modelVersionReader,
  registeredModelReader,
  visibleModels,
  visibleVersions,
} from './registry.js';
import { runLane } from '../run-lane.js';
import { parseRunPlace, type RunPlace } from './run-place.js';
import { RunRows } from './run-rows.js';
import { readRunsById, runReader } from './runs.js';
import { runsSinceReader } from './runs-since.js';
import { inspectSchema, type DatabaseNames, type StoreSchema } from './schema.js';
import { reportWorkspaces, workspaceNames } from './workspaces.js';

/** What a kind of database says of itself, or does in its own way. */
export interface SqlStoreSetup extends DatabaseNames {
  /** As MLflow names it, without any password. */
  readonly uri: string;
  readonly pageSizes: PageSizes;
  /** That is read, or `*` for all: what others hold is warned of. Undefined for `default`. */
  readonly workspace: string | undefined;
  /** Where not by their ids. */
  readonly runsSince?: {
    readonly reader: (
      runRows: RunRows,
      experimentIds: readonly string[],
      since: number,
      condition: string,
      positionBehind: (place: RunPlace) => PagePosition,
    ) => PageReader<Run>;
    readonly cursorBehind: (place: RunPlace) => Cursor | undefined;
  };
}

/**
 * Looks at what is in a database, which is closed with the store, or at once where it can't be read.
 *
 * @throws PipelineError
 * - `SOURCE_NOT_MLFLOW`
 * - `SOURCE_TOO_OLD`, `SOURCE_SCHEMA_UNKNOWN`: older than 1.28, or newer with columns missing
 * - what reading this kind of database does
 */
export async function openSqlStore(
  database: SqlDatabase,
  setup: SqlStoreSetup,
  context: RunContext,
): Promise<MlflowStore> {
  const { dialect } = database;
  try {
    const schema = await database.read(() => inspectSchema(dialect, setup, context));
    await database.read(function* () {
      yield* reportWorkspaces(dialect, schema, setup.workspace, context);
      yield* reportOrphans(dialect, context);
    });
    return new SqlStore(database, schema, setup, context);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Before every start that there can be. */
const ANY_TIME = Number.MIN_SAFE_INTEGER;

class SqlStore implements MlflowStore {
  readonly server: ServerFacts;
  readonly loggedModels?: LoggedModels;
  readonly workspaces?: StoreWorkspaces;
  readonly #database: SqlDatabase;
  readonly #schema: StoreSchema;
  readonly #setup: SqlStoreSetup;
  readonly #context: RunContext;
  readonly #runRows: RunRows;
  readonly #metricPoints: MetricPointRows;
  /** Whether it is a workspace of another one, with which it is closed. */
  readonly #isPart: boolean;

  constructor(
    database: SqlDatabase,
    schema: StoreSchema,
    setup: SqlStoreSetup,
    context: RunContext,
    isPart = false,
  ) {
    this.#database = database;
    this.#schema = schema;
    this.#setup = setup;
    this.#context = context;
    this.#runRows = new RunRows(database.dialect, schema);
    this.#metricPoints = new MetricPointRows(database.dialect);
    this.server = {
      uri: setup.uri,
      versionText: schema.versionText,
      searchesExperiments: true,
      ...(schema.workspace === DEFAULT_WORKSPACE ? {} : { workspace: schema.workspace }),
    };
    this.#isPart = isPart;
    if (schema.loggedModels) this.loggedModels = this.#loggedModels();
    if (isPart || !schema.experimentWorkspaces || !schema.registryWorkspaces) return;
    const list = () => database.read(() => workspaceNames(database.dialect, schema));
    this.workspaces = {
      list,
      find: async (name) => ((await list()).includes(name) ? 'there' : 'deleted'),
      open: (name) => new SqlStore(database, { ...schema, workspace: name }, setup, context, true),
    };
  }

  experiments(): AsyncIterable<StorePage<Experiment>> {
    const { experimentsPageSize } = this.#setup.pageSizes;
    const { dialect } = this.#database;
    return keyedPages(this.#database, experimentReader(dialect, this.#schema), experimentsPageSize);
  }

  runs(
    experimentIds: readonly string[],
    selection?: RunSelection,
    hint?: RunHint,
  ): AsyncIterable<StorePage<Run>> {
    const { runsPageSize } = this.#setup.pageSizes;
    const { dialect } = this.#database;
    const rows = this.#runRows;
    const pages = (reader: PageReader<Run>, after?: Cursor) =>
      keyedPages(this.#database, reader, runsPageSize, after);
    if (selection === undefined && hint === undefined) {
      return pages(runReader(dialect, rows, experimentIds));
    }
    const { start, behind } = runLane(experimentIds, parseRunPlace);
    const behindId = (hexId: string): PagePosition => behind({ hexId });
    const place = start(selection?.positions);
    const byId = place && [dialect.keyOfHex(place.hexId)];
    if (selection?.since === undefined && hint === undefined) {
      return pages(runReader(dialect, rows, experimentIds, behindId), byId);
    }
    // Few may match either way, and then each read looks at so many rows and no more.
    const since = Math.max(selection?.since ?? ANY_TIME, hint?.startedSince ?? ANY_TIME);
    const condition = isHinted(hint ?? {});
    const { runsSince } = this.#setup;
    if (runsSince === undefined) {
      const reader = runsSinceReader(dialect, rows, experimentIds, since, condition, behindId);
      return pages(reader, byId);
    }
    const reader = runsSince.reader(rows, experimentIds, since, condition, behind);
    return pages(reader, place && runsSince.cursorBehind(place));
  }

  registeredModels(what?: Registered): AsyncIterable<StorePage<RegisteredModel>> {
    const { modelsPageSize } = this.#setup.pageSizes;
    const { dialect } = this.#database;
    const reader = registeredModelReader(dialect, this.#schema, what);
    return keyedPages(this.#database, reader, modelsPageSize);
  }

  modelVersions(what?: Registered): AsyncIterable<StorePage<ModelVersion>> {
    const { versionsPageSize } = this.#setup.pageSizes;
    const { dialect } = this.#database;
    const reader = modelVersionReader(dialect, this.#schema, what);
    return keyedPages(this.#database, reader, versionsPageSize);
  }

  runsById(runIds: readonly string[]): Promise<StorePage<Run>> {
    return this.#inSlices(runIds, (some) =>
      readRunsById(this.#database.dialect, this.#schema, this.#runRows, some),
    );
  }

  async metricPoints(asked: readonly AskedMetrics[]): Promise<readonly FoundPoints[]> {
    const found: FoundPoints[] = [];
    for (const some of readsOf(asked)) {
      found.push(...(await this.#database.read(() => this.#metricPoints.read(some))));
    }
    return found;
  }

  #loggedModels(): LoggedModels {
    const rows = new LoggedModelRows(this.#database.dialect, this.#schema);
    const { runsPageSize } = this.#setup.pageSizes;
    return {
      all: (experimentIds, since) =>
        keyedPages(this.#database, rows.reader(experimentIds, since), runsPageSize),
      byId: (modelIds) => this.#inSlices(modelIds, (some) => rows.byId(some)),
    };
  }

  /** Things by their ids, no more in a read than there are in a page of runs. */
  async #inSlices<T>(
    wanted: readonly string[],
    read: (ids: readonly string[]) => Reading<StorePage<T>>,
  ): Promise<StorePage<T>> {
    const items: T[] = [];
    const rejected: Rejection[] = [];
    const ids = [...new Set(wanted)];
    const { runsPageSize } = this.#setup.pageSizes;
    for (let start = 0; start < ids.length; start += runsPageSize) {
      const some = ids.slice(start, start + runsPageSize);
      const page = await this.#database.read(() => read(some));
      items.push(...page.items);
      rejected.push(...page.rejected);
    }
    return { items, rejected };
  }

  async findGone(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    try {
      return await this.#database.read(() =>
        goneRecords(this.#database.dialect, this.#schema, keys),
      );
    } catch (error) {
      const { recorder, signal } = this.#context;
      signal.throwIfAborted();
      recorder.warn(
        'GONE_NOT_CONFIRMED',
        'Some things were not found, and the database does not say that they are gone: they are kept',
        messageOf(error),
      );
      return new Set();
    }
  }

  async count(): Promise<StoreCounts> {
    const { select } = this.#database.dialect;
    const count = async (from: string): Promise<number> => {
      const sql = select(['o.number'], `(SELECT count(*) AS number FROM ${from}) AS o`);
      const [row] = await this.#database.read(() => ask(sql));
      return Number(row?.[0]);
    };
    const active = activeExperiments(this.#schema);
    return {
      experiments: await count(`experiments AS e WHERE ${active}`),
      runs: await count(
        `runs AS r WHERE r.lifecycle_stage = 'active' AND r.experiment_id IN
         (SELECT e.experiment_id FROM experiments AS e WHERE ${active})`,
      ),
      registeredModels: await count(`registered_models AS m WHERE ${visibleModels(this.#schema)}`),
      modelVersions: await count(`model_versions AS v WHERE ${visibleVersions(this.#schema)}`),
      ...(this.#schema.loggedModels
        ? {
            loggedModels: await count(
              `logged_models AS l WHERE ${isActiveModel} AND l.experiment_id IN
               (SELECT e.experiment_id FROM experiments AS e WHERE ${active})`,
            ),
          }
        : {}),
    };
  }

  async close(): Promise<void> {
    if (!this.#isPart) await this.#database.close();
  }
}
