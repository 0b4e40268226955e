/**
 * Reads a store into records, joined so that no entity costs a request of its own:
 *
 *   server ─> experiments (names kept) ─> models (aliases kept) ─> versions (into the index)
 *     ─> runs, each page with the versions of its runs ─> versions left over, with their runs
 *     ─> datasets, each as the runs described it
 *
 * What is left over are versions without a run, of a deleted run, or of any run where runs
 * themselves are not read. Versions and datasets wait in an index on disk, not in memory.
 */

import type { ModelVersion, Run } from '../mlflow/types.js';
import type { DatasetUse, MlflowRecord, RecordKind } from '../mlflow/records.js';
import type { OpenSource, Page, ReadPlan, Rejection, RunContext } from '../stream/contracts.js';
import { concatPages, mapPages } from '../stream/pages.js';
import { JoinIndex } from './join-index.js';
import type { MlflowStore, StorePage } from './store.js';

/** Records of a page made at the end from the index: as many as one lookup of runs can name. */
const LEFTOVER_PAGE_SIZE = 500;

/** Makes a source's reading side out of an open store, which is closed with it. */
export function readMlflow(store: MlflowStore, context: RunContext): OpenSource {
  let index: JoinIndex | undefined;
  return {
    server: store.server,
    read: (plan) => {
      index?.close();
      index = JoinIndex.open();
      return new Reading(store, context, plan, index).pages();
    },
    count: async (plan) => {
      const counts = await store.count();
      const wanted: Partial<Record<RecordKind, number>> = {};
      const add = (kind: RecordKind, count: number | undefined): void => {
        if (plan.kinds.has(kind) && count !== undefined) wanted[kind] = count;
      };
      add('experiment', counts.experiments);
      add('run', counts.runs);
      add('registeredModel', counts.registeredModels);
      add('modelVersion', counts.modelVersions);
      return wanted;
    },
    close: async () => {
      index?.close();
      await store.close();
    },
  };
}

type RecordPage = Page<MlflowRecord>;

/** One sweep over a store. */
class Reading {
  readonly #experimentNames = new Map<string, string>();

  constructor(
    private readonly store: MlflowStore,
    private readonly context: RunContext,
    private readonly plan: ReadPlan,
    private readonly index: JoinIndex,
  ) {}

  pages(): AsyncIterable<RecordPage> {
    const sections: (() => AsyncIterable<RecordPage>)[] = [() => this.#server()];
    if (this.#wants('experiment', 'run')) sections.push(() => this.#experiments());
    if (this.#wants('registeredModel', 'modelVersion', 'run')) sections.push(() => this.#models());
    if (this.#wants('modelVersion', 'run')) sections.push(() => this.#indexVersions());
    if (this.#wants('run', 'dataset')) sections.push(() => this.#runs());
    if (this.#wants('modelVersion')) sections.push(() => this.#versionsLeftOver());
    if (this.#wants('dataset')) sections.push(() => this.#datasets());
    return concatPages(sections);
  }

  async *#server(): AsyncGenerator<RecordPage> {
    yield await Promise.resolve(this.#page([{ kind: 'server', server: this.store.server }]));
  }

  #experiments(): AsyncIterable<RecordPage> {
    return mapPages(this.store.experiments(), ({ items, rejected }) => {
      for (const { experimentId, name } of items) this.#experimentNames.set(experimentId, name);
      if (this.#wants('run')) this.#warnOfRunsOf(rejected);
      const { server } = this.store;
      return this.#page(
        items.map((experiment) => ({ kind: 'experiment', server, experiment })),
        rejected,
      );
    });
  }

  /** Without its name an experiment has no URN, and so its runs would have no container. */
  #warnOfRunsOf(rejected: RecordPage['rejected']): void {
    for (const { identity } of rejected) {
      this.context.recorder.warn(
        'RUNS_NOT_READ',
        'the runs of an experiment that could not be read are not read either',
        identity,
      );
    }
  }

  #models(): AsyncIterable<RecordPage> {
    return mapPages(this.store.registeredModels(), ({ items, rejected }) => {
      for (const model of items) this.index.setAliases(model.name, model.aliases);
      const { server } = this.store;
      return this.#page(
        items.map((model) => ({ kind: 'registeredModel', server, model })),
        rejected,
      );
    });
  }

  /** Gives a page only where a version could not be read. */
  async *#indexVersions(): AsyncGenerator<RecordPage> {
    for await (const { items, rejected } of this.store.modelVersions()) {
      this.index.addVersions(items);
      if (rejected.length > 0) yield this.#page([], rejected);
    }
  }

  #runs(): AsyncIterable<RecordPage> {
    return mapPages(this.store.runs([...this.#experimentNames.keys()]), (page) =>
      this.#joinRuns(page),
    );
  }

  #joinRuns({ items, rejected }: StorePage<Run>): RecordPage {
    const { server } = this.store;
    const versions = this.index.takeVersionsOfRuns(items.map((run) => run.runId));
    const records: MlflowRecord[] = [];
    const uses: DatasetUse[] = [];
    for (const run of items) {
      const { runId, experimentId, startTime } = run;
      const ofRun = versions.get(runId) ?? [];
      const name = this.#experimentNames.get(experimentId) ?? experimentId;
      records.push({
        kind: 'run',
        server,
        run,
        experiment: { experimentId, name },
        versions: ofRun,
      });
      for (const version of ofRun) records.push({ kind: 'modelVersion', server, version, run });
      for (const input of run.datasetInputs) uses.push({ input, runId, startTime });
    }
    if (this.#wants('dataset')) this.index.addDatasetUses(uses);
    return this.#page(records, rejected);
  }

  async *#versionsLeftOver(): AsyncGenerator<RecordPage> {
    for (;;) {
      const versions = this.index.remainingVersions(LEFTOVER_PAGE_SIZE);
      if (versions.length === 0) return;
      const { items, rejected } = await this.#runsOf(versions);
      const runs = new Map(items.map((run) => [run.runId, run]));
      const { server } = this.store;
      yield this.#page(
        versions.map((version) => {
          const run = version.runId === undefined ? undefined : runs.get(version.runId);
          return { kind: 'modelVersion', server, version, ...(run === undefined ? {} : { run }) };
        }),
        rejected,
      );
    }
  }

  #runsOf(versions: readonly ModelVersion[]): Promise<StorePage<Run>> {
    const ids = new Set(versions.flatMap(({ runId }) => (runId === undefined ? [] : [runId])));
    return ids.size === 0
      ? Promise.resolve({ items: [], rejected: [] })
      : this.store.runsById([...ids]);
  }

  async *#datasets(): AsyncGenerator<RecordPage> {
    const { server } = this.store;
    let after: string | undefined;
    for (;;) {
      const datasets = this.index.datasets(LEFTOVER_PAGE_SIZE, after);
      after = datasets.at(-1)?.name;
      if (after === undefined) return;
      yield await Promise.resolve(
        this.#page(datasets.map(({ name, uses }) => ({ kind: 'dataset', server, name, uses }))),
      );
    }
  }

  #wants(...kinds: RecordKind[]): boolean {
    return kinds.some((kind) => this.plan.kinds.has(kind));
  }

  /** Leaves out what was read only to be joined. */
  #page(records: readonly MlflowRecord[], rejected: RecordPage['rejected'] = []): RecordPage {
    const wanted = records.filter(({ kind }) => this.plan.kinds.has(kind));
    for (const { kind } of wanted) if (kind !== 'server') this.context.recorder.read(kind);
    return { records: wanted, rejected: rejected.map((each) => this.#withOrigin(each)) };
  }

  /** With what a later try needs to know: the item itself does not say where it came from. */
  #withOrigin(rejection: Rejection): Rejection {
    const { server } = this.store;
    const experimentId = experimentIdIn(rejection.content);
    const name = experimentId === undefined ? undefined : this.#experimentNames.get(experimentId);
    const experiment =
      experimentId === undefined || name === undefined
        ? {}
        : { experiment: { experimentId, name } };
    return { ...rejection, origin: { server, ...experiment } };
  }
}

/** Of a run as the server sent it. */
function experimentIdIn(content: unknown): string | undefined {
  const { info } = (content ?? {}) as {
    readonly info?: { readonly experiment_id?: unknown } | null;
  };
  const id = info?.experiment_id;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}
