/**
 * MLflow's SQLite database as a store, for MLflow 1.28 and later, without any server.
 */

import type { Experiment, ModelVersion, RegisteredModel, Run } from '../../mlflow/types.js';
import { messageOf } from '../../core/errors.js';
import { parseOptions } from '../../core/options.js';
import type { RecordKey } from '../../mlflow/record-key.js';
import type { Rejection, RunContext } from '../../stream/contracts.js';
import type { MlflowStore, RunSelection, StoreCounts, StorePage } from '../store.js';
import { activeExperiments, experimentReader } from './experiments.js';
import { goneRecords } from './gone-records.js';
import {
  sqliteStoreOptions,
  type SqliteStoreOptions,
  type SqliteStoreSettings,
} from './options.js';
import { reportOrphans } from './orphans.js';
import { bytesOf, keyedPages } from './pages.js';
import { ReadOnlyDatabase, select } from './read-only-database.js';
import {
  modelVersionReader,
  registeredModelReader,
  visibleModels,
  visibleVersions,
} from './registry.js';
import { runLane } from './run-lane.js';
import { readRunsById, runReader } from './runs.js';
import { cursorBehind, runsSinceReader } from './runs-since.js';
import { inspectSchema, reportWorkspaces, type StoreSchema } from './schema.js';
import { sqliteUri } from './uri.js';

/**
 * Opens a database that MLflow keeps its tracking store and registry in. It is only ever read, and
 * a page at a time: MLflow can go on writing to it.
 *
 * @throws PipelineError
 * - `INVALID_OPTIONS` (usage)
 * - `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`: no such file, a folder, or no permission
 * - `SOURCE_NOT_A_DATABASE`, `SOURCE_NOT_MLFLOW`, `SOURCE_DAMAGED`
 * - `SOURCE_TOO_OLD`, `SOURCE_SCHEMA_UNKNOWN`: older than 1.28, or newer with columns missing
 * - `SOURCE_LOCKED` after `lockTimeoutMs`, `SOURCE_NEEDS_RECOVERY`: both while reading, too
 *
 * @example
 * const store = await openSqliteStore({ path: 'mlflow.db' }, context);
 * for await (const { items } of store.experiments()) console.log(items);
 * await store.close();
 */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  context: RunContext,
): Promise<MlflowStore> {
  const settings = parseOptions('sqlite', sqliteStoreOptions, options);
  const { path, lockTimeoutMs } = settings;
  const database = ReadOnlyDatabase.open(path, lockTimeoutMs, context);
  try {
    const schema = await database.read((query) => {
      const found = inspectSchema(query, path, context);
      reportWorkspaces(query, found, context);
      reportOrphans(query, context);
      return found;
    });
    return new SqliteStore(database, schema, settings, context);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteStore implements MlflowStore {
  readonly server;
  readonly #database: ReadOnlyDatabase;
  readonly #schema: StoreSchema;
  readonly #settings: SqliteStoreSettings;
  readonly #context: RunContext;

  constructor(
    database: ReadOnlyDatabase,
    schema: StoreSchema,
    settings: SqliteStoreSettings,
    context: RunContext,
  ) {
    this.#database = database;
    this.#schema = schema;
    this.#settings = settings;
    this.#context = context;
    this.server = {
      uri: sqliteUri(settings.path),
      versionText: schema.versionText,
      searchesExperiments: true,
    };
  }

  experiments(): AsyncIterable<StorePage<Experiment>> {
    return keyedPages(
      this.#database,
      experimentReader(this.#schema, this.#settings.experimentsPageSize),
    );
  }

  runs(experimentIds: readonly string[], selection?: RunSelection): AsyncIterable<StorePage<Run>> {
    const { runsPageSize } = this.#settings;
    if (selection === undefined) {
      return keyedPages(this.#database, runReader(this.#schema, runsPageSize, experimentIds));
    }
    const { start, behind } = runLane(experimentIds);
    const place = start(selection.positions);
    if (selection.since === undefined) {
      const reader = runReader(this.#schema, runsPageSize, experimentIds, (hexId) =>
        behind({ hexId }),
      );
      return keyedPages(this.#database, reader, place && [bytesOf(place.hexId)]);
    }
    const reader = runsSinceReader(
      this.#schema,
      runsPageSize,
      experimentIds,
      selection.since,
      behind,
    );
    return keyedPages(this.#database, reader, place && cursorBehind(place));
  }

  registeredModels(): AsyncIterable<StorePage<RegisteredModel>> {
    return keyedPages(
      this.#database,
      registeredModelReader(this.#schema, this.#settings.modelsPageSize),
    );
  }

  modelVersions(): AsyncIterable<StorePage<ModelVersion>> {
    return keyedPages(
      this.#database,
      modelVersionReader(this.#schema, this.#settings.versionsPageSize),
    );
  }

  async runsById(runIds: readonly string[]): Promise<StorePage<Run>> {
    const items: Run[] = [];
    const rejected: Rejection[] = [];
    const ids = [...new Set(runIds)];
    const { runsPageSize } = this.#settings;
    for (let start = 0; start < ids.length; start += runsPageSize) {
      const some = ids.slice(start, start + runsPageSize);
      const page = await this.#database.read((query) => readRunsById(query, this.#schema, some));
      items.push(...page.items);
      rejected.push(...page.rejected);
    }
    return { items, rejected };
  }

  async findGone(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    try {
      return await this.#database.read((query) => goneRecords(query, this.#schema, keys));
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
    const count = (from: string): Promise<number> =>
      this.#database.read((query) =>
        Number(query(select(['number'], `(SELECT count(*) AS number FROM ${from})`))[0]?.[0]),
      );
    const active = activeExperiments(this.#schema);
    return {
      experiments: await count(`experiments AS e WHERE ${active}`),
      runs: await count(
        `runs AS r WHERE r.lifecycle_stage = 'active' AND r.experiment_id IN
         (SELECT e.experiment_id FROM experiments AS e WHERE ${active})`,
      ),
      registeredModels: await count(`registered_models AS m WHERE ${visibleModels(this.#schema)}`),
      modelVersions: await count(`model_versions AS v WHERE ${visibleVersions(this.#schema)}`),
    };
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}
