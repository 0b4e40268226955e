/**
 * Reads a store into records, joined so that no entity costs a request of its own:
 *
 *   server ─> experiments (names kept) ─> models (aliases kept) ─> versions (into the index)
 *     ─> runs, each page with the versions of its runs ─> versions left over, with their runs
 *     ─> logged models, where they are asked for ─> datasets, each as the runs described it
 *
 * What is left over are versions without a run, of a deleted run, or of any run where runs
 * themselves are not read. Versions and datasets wait in an index on disk, not in memory.
 *
 * What is not read again where earlier sweeps are remembered: `mlflow-reader/reading-with-memory.ts`.
 */

import { recordFilter } from '../mlflow/filter/record-filter.js';
import { loggedModelsSince, runHint } from '../mlflow/filter/run-hint.js';
import type { FilterRules } from '../mlflow/filter/rules.js';
import type { RecordKind } from '../mlflow/records.js';
import { inWorkspace } from '../mlflow/workspace.js';
import type { OpenSource, ReadPlan, RunContext } from '../stream/contracts.js';
import { concatPages, mapPages } from '../stream/pages.js';
import { FilteredStore } from './filtered-store.js';
import { JoinIndex } from './join-index.js';
import { MetricHistories } from './mlflow-reader/metric-histories.js';
import { ReadingWithMemory } from './mlflow-reader/reading-with-memory.js';
import { RecordPages, type RecordPage } from './mlflow-reader/record-pages.js';
import { mapRunPages } from './mlflow-reader/run-pages.js';
import { originsOfVersions } from './mlflow-reader/version-origins.js';
import type { MlflowStore, Registered } from './store.js';

/** Records of a page made at the end from the index: as many as one lookup of runs can name. */
const LEFTOVER_PAGE_SIZE = 500;

/** Makes a source's reading side out of an open store, which is closed with it. */
export function readMlflow(store: MlflowStore, context: RunContext): OpenSource {
  let index: JoinIndex | undefined;
  /** The store as the last plan has it. */
  let filtered: FilteredStore | undefined;
  return {
    server: store.server,
    read: (plan) => {
      index?.close();
      index = JoinIndex.open();
      filtered = plan.filters && filteredStore(store, context, plan.filters, plan, index);
      return new Reading(store, context, plan, index, filtered).pages();
    },
    count: async (plan) => {
      const counts = await store.count();
      const wanted: Partial<Record<RecordKind, number>> = {};
      const add = (kind: RecordKind, count: number | undefined): void => {
        if (plan.kinds.has(kind) && count !== undefined) wanted[kind] = count;
      };
      add('experiment', counts.experiments);
      add('run', counts.runs);
      // Prompts are not among those that are counted.
      add('registeredModel', plan.prompts ? undefined : counts.registeredModels);
      add('modelVersion', plan.prompts ? undefined : counts.modelVersions);
      add('loggedModel', counts.loggedModels);
      return wanted;
    },
    findGone: (keys) => (filtered ?? store).findGone(keys),
    close: async () => {
      index?.close();
      await store.close();
    },
  };
}

function filteredStore(
  store: MlflowStore,
  context: RunContext,
  filters: readonly FilterRules[],
  { memory }: ReadPlan,
  index: JoinIndex,
): FilteredStore {
  return new FilteredStore(store, {
    filter: recordFilter(filters, context.startedAt),
    hint: runHint(filters, context.startedAt),
    loggedModelsSince: loggedModelsSince(filters, context.startedAt),
    context,
    namesLeftOut: memory !== undefined,
    withAliases: (versions) => index.withAliases(versions),
  });
}

type Section = () => AsyncIterable<RecordPage>;

/** One sweep over a store. */
class Reading {
  readonly #pages: RecordPages;
  readonly #recall: ReadingWithMemory | undefined;
  readonly #store: MlflowStore;
  readonly #registered: readonly Registered[];
  /** Absent where none are wanted. */
  readonly #histories: MetricHistories | undefined;

  constructor(
    store: MlflowStore,
    private readonly context: RunContext,
    plan: ReadPlan,
    private readonly index: JoinIndex,
    filtered?: FilteredStore,
  ) {
    this.#store = filtered ?? store;
    this.#registered = plan.prompts ? ['models', 'prompts'] : ['models'];
    this.#pages = new RecordPages(store.server, context, plan, index);
    const { metricHistory } = plan;
    // Records of runs show them, and nothing else does.
    if (metricHistory !== undefined && plan.kinds.has('run')) {
      this.#histories = new MetricHistories(this.#store, context.recorder, metricHistory);
    }
    const { workspace } = store.server;
    const memory = workspace === undefined ? plan.memory : plan.memory?.inWorkspace(workspace);
    if (memory !== undefined) {
      this.#recall = new ReadingWithMemory(
        this.#store,
        context.recorder,
        memory,
        this.#pages,
        index,
        this.#histories,
        filtered && ((run) => filtered.keepsRun(run)),
      );
    }
  }

  pages(): AsyncIterable<RecordPage> {
    const recall = this.#recall;
    const wants = (...kinds: RecordKind[]): boolean => this.#pages.wants(...kinds);
    const sections: Section[] = [() => this.#server()];
    if (wants('experiment', 'run', 'loggedModel', 'dataset'))
      sections.push(() => this.#experiments());
    if (wants('registeredModel', 'modelVersion', 'run')) sections.push(() => this.#models());
    if (wants('modelVersion', 'run')) sections.push(() => this.#indexVersions());
    if (wants('run', 'dataset')) sections.push(...(recall?.runs() ?? [() => this.#runs()]));
    if (wants('modelVersion')) {
      sections.push(() => recall?.versionsLeftOver() ?? this.#versionsLeftOver());
    }
    if (wants('loggedModel')) {
      sections.push(...(recall?.loggedModels() ?? [() => this.#loggedModels()]));
    }
    if (wants('dataset')) sections.push(() => this.#datasets());
    sections.push(() => this.#end());
    return concatPages(sections);
  }

  /** Yields nothing: where there are more workspaces to read, the index need not wait for them. */
  async *#end(): AsyncGenerator<RecordPage> {
    await Promise.resolve();
    this.index.close();
    yield* [];
  }

  async *#server(): AsyncGenerator<RecordPage> {
    yield await Promise.resolve(this.#pages.of([{ kind: 'server', server: this.#store.server }]));
  }

  #experiments(): AsyncIterable<RecordPage> {
    const { experimentNames, server } = this.#pages;
    return mapPages(this.#store.experiments(), (page) => {
      const { items, rejected } = page;
      for (const { experimentId, name } of items) experimentNames.set(experimentId, name);
      this.#recall?.meet(items);
      if (this.#pages.wants('run')) this.#warnOfRunsOf(rejected);
      return this.#pages.of(
        items.map((experiment) => ({ kind: 'experiment', server, experiment })),
        page,
      );
    });
  }

  /** Without its name an experiment has no URN, and so its runs would have no container. */
  #warnOfRunsOf(rejected: RecordPage['rejected']): void {
    for (const { identity } of rejected) {
      this.context.recorder.warn(
        'RUNS_NOT_READ',
        'the runs of an experiment that could not be read are not read either',
        inWorkspace(identity, this.#store.server.workspace),
      );
    }
  }

  #models(): AsyncIterable<RecordPage> {
    const pages = concatPages(
      this.#registered.map((what) => () => this.#store.registeredModels(what)),
    );
    return mapPages(pages, (page) => {
      const { items } = page;
      for (const model of items) this.index.setAliases(model.name, model.aliases);
      const { server } = this.#store;
      return this.#pages.of(
        items.map((model) => ({ kind: 'registeredModel', server, model })),
        page,
      );
    });
  }

  /** Gives a page only where a version could not be read, or is left out. */
  async *#indexVersions(): AsyncGenerator<RecordPage> {
    const pages = concatPages(
      this.#registered.map((what) => () => this.#store.modelVersions(what)),
    );
    for await (const page of pages) {
      this.index.addVersions(page.items);
      if (page.rejected.length > 0 || page.leftOut !== undefined) yield this.#pages.of([], page);
    }
  }

  #runs(): AsyncIterable<RecordPage> {
    const pages = this.#pages;
    const found = this.#store.runs([...pages.experimentNames.keys()]);
    return mapRunPages(found, this.#histories, (page) => {
      const versions = this.index.takeVersionsOfRuns(page.items.map(({ runId }) => runId));
      return pages.of(pages.runs(page.items, versions), page);
    });
  }

  async *#versionsLeftOver(): AsyncGenerator<RecordPage> {
    for (;;) {
      const versions = this.index.remainingVersions(LEFTOVER_PAGE_SIZE);
      if (versions.length === 0) return;
      const origins = await originsOfVersions(this.#store, versions, this.context.recorder);
      const { rejected } = origins;
      yield this.#pages.of(this.#pages.versions(versions, origins), { rejected });
    }
  }

  #loggedModels(): AsyncIterable<RecordPage> {
    const pages = this.#pages;
    const ids = [...pages.experimentNames.keys()];
    const found = ids.length === 0 ? undefined : this.#store.loggedModels?.all(ids);
    if (found === undefined) return concatPages([]);
    return mapPages(found, (page) => pages.of(pages.loggedModels(page.items), page));
  }

  async *#datasets(): AsyncGenerator<RecordPage> {
    const { server } = this.#store;
    let after: string | undefined;
    for (;;) {
      const datasets = this.index.datasets(LEFTOVER_PAGE_SIZE, after);
      after = datasets.at(-1)?.name;
      if (after === undefined) return;
      yield await Promise.resolve(
        this.#pages.of(datasets.map(({ name, uses }) => ({ kind: 'dataset', server, name, uses }))),
      );
    }
  }
}
