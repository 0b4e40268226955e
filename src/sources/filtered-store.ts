/**
 * A store without what filters leave out.
 *
 *   experiments, models ─> those left out are remembered ─> runs of the others are asked for,
 *     versions of the others given ─> by id, every run is found: versions that are kept need theirs
 */

import { messageOf } from '../core/errors.js';
import { leftOutBy, type RecordFilter } from '../mlflow/filter/record-filter.js';
import type { RunHint } from '../mlflow/filter/run-hint.js';
import {
  experimentKey,
  loggedModelKey,
  modelKey,
  parseRecordKey,
  runKey,
  versionKey,
  type RecordKey,
} from '../mlflow/record-key.js';
import type { RecordKind } from '../mlflow/records.js';
import type { Experiment, ModelVersion, RegisteredModel, Run } from '../mlflow/types.js';
import type { RunContext } from '../stream/contracts.js';
import { mapPages } from '../stream/pages.js';
import type {
  LoggedModels,
  MlflowStore,
  Registered,
  RunSelection,
  StoreCounts,
  StorePage,
} from './store.js';

export interface FilteredStoreOptions {
  readonly filter: RecordFilter;
  /** What the store is told of the runs that `filter` keeps. */
  readonly hint: RunHint | undefined;
  /** Milliseconds since 1970: those that `filter` keeps were made at or after it. */
  readonly loggedModelsSince: number | undefined;
  readonly context: RunContext;
  /** Whether pages name what they leave out. */
  readonly namesLeftOut: boolean;
  /** The versions with the aliases that stores keep on their models, which come first. */
  readonly withAliases: (versions: readonly ModelVersion[]) => readonly ModelVersion[];
}

/** For one reading, which asks for experiments before runs and for models before versions. */
export class FilteredStore implements MlflowStore {
  readonly server;
  readonly loggedModels?: LoggedModels;
  /** Whatever filters leave out. */
  readonly metricPoints?: NonNullable<MlflowStore['metricPoints']>;
  readonly #experiments = new Set<string>();
  /** But for those that their names alone leave out. */
  readonly #models = new Set<string>();
  #isAnswering = true;

  /** @param store - which is not closed with it */
  constructor(
    private readonly store: MlflowStore,
    private readonly options: FilteredStoreOptions,
  ) {
    this.server = store.server;
    if (store.loggedModels !== undefined) this.loggedModels = this.#modelsOf(store.loggedModels);
    if (store.metricPoints !== undefined) this.metricPoints = store.metricPoints.bind(store);
  }

  experiments(): AsyncIterable<StorePage<Experiment>> {
    const { filter } = this.options;
    const whyNot = (experiment: Experiment): string | undefined => {
      const why = filter.experiment(experiment);
      if (why !== undefined) this.#experiments.add(experiment.experimentId);
      return why;
    };
    const { workspace } = this.server;
    return this.#kept('experiment', this.store.experiments(), whyNot, ({ experimentId }) =>
      experimentKey(experimentId, workspace),
    );
  }

  runs(experimentIds: readonly string[], selection?: RunSelection): AsyncIterable<StorePage<Run>> {
    const pages = this.store.runs(experimentIds, selection, this.options.hint);
    const { workspace } = this.server;
    return this.#kept(
      'run',
      pages,
      (run) => this.options.filter.run(run),
      ({ runId }) => runKey(runId, workspace),
    );
  }

  registeredModels(what?: Registered): AsyncIterable<StorePage<RegisteredModel>> {
    const { filter } = this.options;
    const whyNot = (model: RegisteredModel): string | undefined => {
      const named = filter.modelNamed(model.name);
      if (named !== undefined) return named;
      const why = filter.model(model);
      if (why !== undefined) this.#models.add(model.name);
      return why;
    };
    const { workspace } = this.server;
    return this.#kept('registeredModel', this.store.registeredModels(what), whyNot, ({ name }) =>
      modelKey(name, workspace),
    );
  }

  modelVersions(what?: Registered): AsyncIterable<StorePage<ModelVersion>> {
    const { filter, withAliases } = this.options;
    const pages = filter.needsAliases
      ? mapPages(this.store.modelVersions(what), (page) => ({
          ...page,
          items: withAliases(page.items),
        }))
      : this.store.modelVersions(what);
    const whyNot = (version: ModelVersion): string | undefined =>
      filter.modelNamed(version.name) ??
      (this.#models.has(version.name) ? 'models' : undefined) ??
      filter.version(version);
    const { workspace } = this.server;
    return this.#kept('modelVersion', pages, whyNot, ({ name, version }) =>
      versionKey(name, version, workspace),
    );
  }

  /** Whatever filters leave out. */
  runsById(runIds: readonly string[]): Promise<StorePage<Run>> {
    return this.store.runsById(runIds);
  }

  /** Whether a run that was found by its id is none that filters leave out. */
  keepsRun(run: Run): boolean {
    return !this.#experiments.has(run.experimentId) && this.options.filter.run(run) === undefined;
  }

  /** By id, they are found whatever filters leave out. */
  #modelsOf(models: LoggedModels): LoggedModels {
    const { workspace } = this.server;
    return {
      all: (experimentIds, since) =>
        this.#kept(
          'loggedModel',
          models.all(experimentIds, latest(since, this.options.loggedModelsSince)),
          (model) => this.options.filter.loggedModel(model),
          ({ modelId }) => loggedModelKey(modelId, workspace),
        ),
      byId: (modelIds) => models.byId(modelIds),
    };
  }

  /**
   * Runs and logged models that are there and left out are among those that are gone. Others are named
   * in pages.
   */
  async findGone(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    const leftOut = await this.#leftOut(keys);
    const gone = await this.store.findGone(keys.filter((key) => !leftOut.has(key)));
    return new Set([...leftOut, ...gone]);
  }

  count(): Promise<StoreCounts> {
    return this.store.count();
  }

  async close(): Promise<void> {
    // The store is its owner's.
  }

  async #leftOut(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    if (!this.#isAnswering) return new Set();
    const { context } = this.options;
    try {
      return new Set([...(await this.#runsLeftOut(keys)), ...(await this.#modelsLeftOut(keys))]);
    } catch (error) {
      context.signal.throwIfAborted();
      this.#isAnswering = false;
      context.recorder.warn(
        'LEFT_OUT_NOT_CONFIRMED',
        'Some runs were not met, and could not be asked for to see whether filters leave them out: they are kept',
        messageOf(error),
      );
      return new Set();
    }
  }

  async #runsLeftOut(keys: readonly RecordKey[]): Promise<readonly RecordKey[]> {
    const ids = idsOf('run', keys);
    if (ids.length === 0) return [];
    const { items } = await this.store.runsById(ids);
    const leftOut = items.filter((run) => !this.keepsRun(run));
    return leftOut.map(({ runId }) => runKey(runId, this.server.workspace));
  }

  async #modelsLeftOut(keys: readonly RecordKey[]): Promise<readonly RecordKey[]> {
    const ids = idsOf('loggedModel', keys);
    if (ids.length === 0 || this.loggedModels === undefined) return [];
    const { items } = await this.loggedModels.byId(ids);
    const leftOut = items.filter(
      (model) =>
        this.#experiments.has(model.experimentId) ||
        this.options.filter.loggedModel(model) !== undefined,
    );
    return leftOut.map(({ modelId }) => loggedModelKey(modelId, this.server.workspace));
  }

  #kept<T>(
    kind: RecordKind,
    pages: AsyncIterable<StorePage<T>>,
    whyNot: (item: T) => string | undefined,
    keyOf: (item: T) => RecordKey,
  ): AsyncIterable<StorePage<T>> {
    const { context, namesLeftOut } = this.options;
    return mapPages(pages, (page) => {
      const leftOut: RecordKey[] = [];
      const items = page.items.filter((item) => {
        const why = whyNot(item);
        if (why === undefined) return true;
        context.recorder.skipped(leftOutBy(kind, why));
        if (namesLeftOut) leftOut.push(keyOf(item));
        return false;
      });
      if (items.length === page.items.length) return page;
      return { ...page, items, ...(leftOut.length === 0 ? {} : { leftOut }) };
    });
  }
}

/** Of those that there are. */
function latest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function idsOf(kind: 'run' | 'loggedModel', keys: readonly RecordKey[]): readonly string[] {
  return keys.flatMap((key) => {
    const record = parseRecordKey(key);
    return record.kind === kind ? [record.id] : [];
  });
}
