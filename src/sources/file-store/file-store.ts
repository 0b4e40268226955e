/**
 * MLflow's folder of files (`mlruns`) as a store, as MLflow 1.28 and later write it, without any server.
 */

import { statSync } from 'node:fs';
import { messageOf, PipelineError } from '../../core/errors.js';
import { parseOptions } from '../../core/options.js';
import type { RunHint } from '../../mlflow/filter/run-hint.js';
import type { RecordKey } from '../../mlflow/record-key.js';
import type {
  Experiment,
  LoggedModel,
  ModelVersion,
  RegisteredModel,
  Run,
} from '../../mlflow/types.js';
import type { RunContext } from '../../stream/contracts.js';
import { PageSize } from '../page-size.js';
import type {
  AskedMetrics,
  FoundPoints,
  LoggedModels,
  MlflowStore,
  Registered,
  RunSelection,
  StoreCounts,
  StorePage,
} from '../store.js';
import { BrokenFile } from './broken-file.js';
import { isEmpty, type Outcome, pageOf } from './entities.js';
import {
  type ExperimentFolder,
  experimentFolders,
  readExperiment,
  trashedFolders,
} from './experiments.js';
import { goneRecords } from './gone-records.js';
import { locateRuns } from './located-runs.js';
import { loggedModelPages, loggedModelsById } from './logged-models.js';
import { loadMetaParser } from './meta-yaml.js';
import { pointsOfRun } from './metric-points.js';
import { fileStoreOptions, type FileStoreOptions, type FileStoreSettings } from './options.js';
import { modelNames, readModel, readVersion, versionNumbers } from './registry.js';
import { runLane } from '../run-lane.js';
import { parseRunPlace } from './run-place.js';
import { type Datasets, readMeta, readRun, runPages } from './runs.js';
import type { SortedNames } from './sorted-names.js';
import { StoreFolder } from './store-folder.js';
import { fileStoreUri } from './uri.js';

/**
 * Opens a folder that MLflow keeps its tracking store and registry in. It is only ever read: MLflow can
 * go on writing to it. What vanishes while it is read is as good as never there.
 *
 * @throws PipelineError
 * - `INVALID_OPTIONS` (usage)
 * - `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`: no such folder, or no permission; while reading, too
 * - `SOURCE_NOT_MLFLOW`: a file, or a folder without an experiment
 *
 * @example
 * const store = await openFileStore({ path: 'mlruns' }, context);
 * for await (const { items } of store.experiments()) console.log(items);
 * await store.close();
 */
export async function openFileStore(
  options: FileStoreOptions,
  context: RunContext,
): Promise<MlflowStore> {
  const settings = parseOptions('fileStore', fileStoreOptions, options);
  checkFolder(settings.path);
  const folder = new StoreFolder(await loadMetaParser(), settings.maxOpenFiles, context.signal);
  await recognise(folder, settings.path);
  return new FileStore(folder, settings, context);
}

class FileStore implements MlflowStore {
  readonly server;
  readonly loggedModels: LoggedModels;
  readonly #folder: StoreFolder;
  readonly #settings: FileStoreSettings;
  readonly #context: RunContext;
  readonly #listings = new Set<SortedNames>();

  constructor(folder: StoreFolder, settings: FileStoreSettings, context: RunContext) {
    this.#folder = folder;
    this.#settings = settings;
    this.#context = context;
    this.server = {
      uri: fileStoreUri(settings.path),
      versionText: 'unknown, as a folder does not tell it',
      searchesExperiments: true,
    };
    this.loggedModels = {
      all: (experimentIds, since) => this.#loggedModels(new Set(experimentIds), since),
      byId: async (modelIds) => loggedModelsById(folder, await this.#allFolders(), modelIds),
    };
  }

  async *experiments(): AsyncGenerator<StorePage<Experiment>> {
    const folders = await this.#experimentFolders();
    const size = new PageSize(this.#settings.experimentsPageSize);
    yield* inPages(this.#folder, folders, size, (one) => readExperiment(this.#folder, one));
  }

  runs(
    experimentIds: readonly string[],
    selection?: RunSelection,
    hint?: RunHint,
  ): AsyncIterable<StorePage<Run>> {
    const starts = [selection?.since, hint?.startedSince].filter((start) => start !== undefined);
    const lane = selection === undefined ? undefined : runLane(experimentIds, parseRunPlace);
    return runPages(this.#folder, experimentIds, {
      root: this.#settings.path,
      pageSize: this.#settings.runsPageSize,
      since: starts.length === 0 ? undefined : Math.max(...starts),
      start: lane?.start(selection?.positions),
      positionBehind: lane?.behind,
      onVanished: async () => {
        await this.#experimentFolders();
      },
      listings: this.#listings,
    });
  }

  async *registeredModels(what: Registered = 'models'): AsyncGenerator<StorePage<RegisteredModel>> {
    const { path, modelsPageSize } = this.#settings;
    const names = await modelNames(this.#folder, path);
    const size = new PageSize(modelsPageSize);
    yield* inPages(this.#folder, names, size, (name) => readModel(this.#folder, path, what, name));
  }

  async *modelVersions(what: Registered = 'models'): AsyncGenerator<StorePage<ModelVersion>> {
    const { path, versionsPageSize } = this.#settings;
    const size = new PageSize(versionsPageSize);
    let waiting: (readonly [name: string, version: string])[] = [];
    const read = ([name, version]: readonly [string, string]) =>
      readVersion(this.#folder, path, what, name, version);
    for (const name of await modelNames(this.#folder, path)) {
      for (const version of await this.#versionNumbers(name)) waiting.push([name, version]);
      if (waiting.length < versionsPageSize) continue;
      yield* inPages(this.#folder, waiting, size, read);
      waiting = [];
    }
    yield* inPages(this.#folder, waiting, size, read);
  }

  async runsById(runIds: readonly string[]): Promise<StorePage<Run>> {
    const { found } = await locateRuns(this.#folder, await this.#allFolders(), runIds);
    const datasets: Datasets = new Map();
    const outcomes = await Promise.all(
      [...found].map(([runId, experiments]) => this.#runOf(runId, experiments, datasets)),
    );
    return pageOf(outcomes);
  }

  /** As many files at a time as may be open. */
  metricPoints(asked: readonly AskedMetrics[]): Promise<readonly FoundPoints[]> {
    return Promise.all(asked.map((one) => pointsOfRun(this.#folder, this.#settings.path, one)));
  }

  async findGone(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    try {
      return await goneRecords(this.#folder, this.#settings.path, keys);
    } catch (error) {
      const { recorder, signal } = this.#context;
      signal.throwIfAborted();
      recorder.warn(
        'GONE_NOT_CONFIRMED',
        'Some things were not found, and the folder does not say that they are gone: they are kept',
        messageOf(error),
      );
      return new Set();
    }
  }

  /** Only reading everything tells what is deleted. */
  count(): Promise<StoreCounts> {
    return Promise.resolve({});
  }

  close(): Promise<void> {
    for (const names of this.#listings) names.close();
    return Promise.resolve();
  }

  async *#loggedModels(
    experimentIds: ReadonlySet<string>,
    since: number | undefined,
  ): AsyncGenerator<StorePage<LoggedModel>> {
    const folders = await this.#experimentFolders();
    const asked = folders.filter(({ id }) => experimentIds.has(id));
    const { runsPageSize: pageSize } = this.#settings;
    yield* loggedModelPages(this.#folder, asked, { pageSize, since, listings: this.#listings });
  }

  /** Those of deleted experiments, too. */
  async #allFolders(): Promise<readonly ExperimentFolder[]> {
    const trashed = await trashedFolders(this.#folder, this.#settings.path);
    return [...(await this.#experimentFolders()), ...trashed];
  }

  /** @throws PipelineError where the store has vanished */
  async #experimentFolders(): Promise<readonly ExperimentFolder[]> {
    const { path } = this.#settings;
    const folders = await asFailure(path, experimentFolders(this.#folder, path));
    if (folders === undefined) throw notFound(path);
    return folders;
  }

  /** Of an unreadable model it is told where models are read. */
  async #versionNumbers(name: string): Promise<readonly string[]> {
    try {
      return await versionNumbers(this.#folder, this.#settings.path, name);
    } catch (error) {
      if (error instanceof BrokenFile) return [];
      throw error;
    }
  }

  /** A copy of a run in another experiment's folder is not it. */
  async #runOf(
    runId: string,
    experiments: readonly ExperimentFolder[],
    datasets: Datasets,
  ): Promise<Outcome<Run>> {
    let broken: Outcome<Run>;
    for (const experiment of experiments) {
      const meta = await readMeta(this.#folder, experiment, runId);
      if (meta?.item !== undefined) {
        return readRun(this.#folder, experiment, runId, meta.item, datasets);
      }
      broken ??= meta;
    }
    return broken;
  }
}

/** What `read` makes of each, a page at a time and only when it is asked for. */
async function* inPages<K, T>(
  folder: StoreFolder,
  keys: readonly K[],
  size: PageSize,
  read: (key: K) => Promise<Outcome<T>>,
): AsyncGenerator<StorePage<T>> {
  let start = 0;
  while (start < keys.length) {
    const some = keys.slice(start, start + size.current);
    const before = folder.lengthRead;
    const page = pageOf(await Promise.all(some.map(read)));
    size.saw(some.length, folder.lengthRead - before);
    start += some.length;
    if (!isEmpty(page)) yield page;
  }
}

function checkFolder(path: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw code === 'ENOENT' || code === 'ENOTDIR' ? notFound(path) : unreadable(path, error);
  }
  if (isFolder) return;
  throw new PipelineError(
    `${path} is a file and no folder: give the folder that MLflow writes to, which is often called ` +
      'mlruns; a database is given as sqlite:///…',
    { code: 'SOURCE_NOT_MLFLOW', category: 'unavailable' },
  );
}

/** A store has the experiment 0, unless that was deleted, and a server keeps artifacts alike. */
async function recognise(folder: StoreFolder, path: string): Promise<void> {
  const experiments = (await asFailure(path, experimentFolders(folder, path))) ?? [];
  const trashed = await asFailure(path, trashedFolders(folder, path));
  for (const experiment of [...experiments, ...trashed]) {
    const has = await folder.hasMeta(experiment.path).catch((error: unknown) => {
      // There is something that can't be read: it is told when it is read.
      if (error instanceof BrokenFile) return true;
      throw error;
    });
    if (has) return;
  }
  throw new PipelineError(
    `${path} has no experiment in it: no folder with a meta.yaml. Give the folder that MLflow has ` +
      'behind --backend-store-uri. One that has artifacts only belongs to a database, which is ' +
      'given as sqlite:///mlflow.db',
    { code: 'SOURCE_NOT_MLFLOW', category: 'unavailable' },
  );
}

async function asFailure<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw error instanceof BrokenFile ? unreadable(path, error) : error;
  }
}

function notFound(path: string): PipelineError {
  return new PipelineError(
    `${path} does not exist: give the folder that MLflow has behind --backend-store-uri`,
    { code: 'SOURCE_NOT_FOUND', category: 'unavailable' },
  );
}

function unreadable(path: string, error: unknown): PipelineError {
  return new PipelineError(
    `${path} can't be read: ${messageOf(error)}. Check that the folder and those above it are ` +
      'accessible to this user',
    { code: 'SOURCE_UNREADABLE', category: 'unavailable', cause: error },
  );
}
