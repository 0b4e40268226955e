/**
 * What of a reading is other than usual where it is told of earlier sweeps, or of the part of this
 * one that was delivered before it broke off:
 *
 *   datasets' uses of runs that are not read ─> runs in a row, first those that go by another name
 *     since the sweep broke off (in a lookback: all of some experiments, and of the others those
 *     since a time) ─> in a lookback: runs by their ids, for what else may have changed
 *     ─> versions left over, but for those that are what they were
 *     ─> logged models, of the same experiments and times as the runs in a row
 */

import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { loggedModelKey, runKey, versionKey, type RecordKey } from '../../mlflow/record-key.js';
import type { DatasetUse } from '../../mlflow/records.js';
import type { Experiment, LoggedModel, ModelVersion, Run } from '../../mlflow/types.js';
import type { NeededRuns, PagePosition, ReadMemory } from '../../stream/memory.js';
import { concatPages, mapPages } from '../../stream/pages.js';
import type { Recorder } from '../../stream/recorder.js';
import type { JoinIndex } from '../join-index.js';
import type { MlflowStore } from '../store.js';
import type { MetricHistories } from './metric-histories.js';
import type { RecordPage, RecordPages } from './record-pages.js';
import { mapRunPages, partsOf } from './run-pages.js';
import { LOOKUP, PIECE, runsToRead } from './runs-to-read.js';
import { originsOfVersions } from './version-origins.js';

/** Versions looked at in one go at the end: a page may hold what two of them gave. */
const VERSIONS_PIECE = LOOKUP / 2;

/** Keys of what is unchanged in a page, at most: that costs next to nothing. */
const UNCHANGED = 10 * PIECE;

/** What `Recorder.skipped` is told. */
export const DELIVERED_RUN = 'run: delivered before the sweep broke off';
export const DELIVERED_VERSION = 'modelVersion: delivered before the sweep broke off';
export const DELIVERED_LOGGED_MODEL = 'loggedModel: delivered before the sweep broke off';
export const UNCHANGED_VERSION = 'modelVersion: unchanged';

type Section = () => AsyncIterable<RecordPage>;

export class ReadingWithMemory {
  /** Ids and names of the active experiments, by which of their runs are read. */
  readonly #experiments = {
    since: new Map<string, string>(),
    rest: new Map<string, string>(),
    again: new Map<string, string>(),
  } as const satisfies Record<NeededRuns, Map<string, string>>;
  /** Undefined for `default`. */
  readonly #workspace: string | undefined;

  /**
   * @param memory - of the store's workspace
   * @param histories - absent where none are wanted
   * @param keepsRun - whether a run that was found by its id is not left out
   */
  constructor(
    private readonly store: MlflowStore,
    private readonly recorder: Recorder,
    private readonly memory: ReadMemory,
    private readonly pages: RecordPages,
    private readonly index: JoinIndex,
    private readonly histories?: MetricHistories,
    private readonly keepsRun: (run: Run) => boolean = () => true,
  ) {
    this.#workspace = store.server.workspace;
  }

  /** To be told before the experiments are given: once delivered, they are no longer new. */
  meet(experiments: readonly Experiment[]): void {
    const needed = this.memory.neededRuns(experiments);
    for (const { experimentId, name } of experiments) {
      this.#experiments[needed.get(experimentId) ?? 'rest'].set(experimentId, name);
    }
  }

  /** To be opened when all experiments have been met, and versions are in the index. */
  runs(): readonly Section[] {
    const { since } = this.memory;
    const sections: Section[] = [];
    if (this.pages.wants('dataset')) sections.push(() => this.#datasetUses());
    sections.push(
      () => this.#runsOf('again'),
      () => this.#runsOf('rest'),
      () => this.#runsOf('since'),
    );
    if (since !== undefined) sections.push(() => this.#runsById(since));
    return sections;
  }

  /** To be opened when all experiments have been met. They are read from the start each time. */
  loggedModels(): readonly Section[] {
    const { loggedModels } = this.store;
    if (loggedModels === undefined) return [];
    const { since } = this.memory;
    return (['again', 'rest', 'since'] as const).map((needed) => () => {
      const ids = [...this.#experiments[needed].keys()];
      if (ids.length === 0) return concatPages([]);
      const found = loggedModels.all(ids, needed === 'since' ? since : undefined);
      return mapPages(found, (page) => {
        const { items } = page;
        const left = needed === 'again' ? items : this.#modelsNotDelivered(items);
        return this.pages.of(this.pages.loggedModels(left), page);
      });
    });
  }

  /**
   * Versions whose runs were not read just now. Of those that changed, or are new, the run is given
   * as well, for it refers to them; what is unchanged is only named. A sweep over everything gives
   * the unchanged ones again, too, as far as it has not delivered them.
   */
  async *versionsLeftOver(): AsyncGenerator<RecordPage> {
    for (let ended = false; !ended;) {
      const again: ModelVersion[] = [];
      const unchanged: RecordKey[] = [];
      while (again.length <= LOOKUP - VERSIONS_PIECE && unchanged.length < UNCHANGED && !ended) {
        const versions = this.index.remainingVersions(VERSIONS_PIECE);
        ended = versions.length < VERSIONS_PIECE;
        this.#divide(versions, again, unchanged);
        await nextTurn();
      }
      if (again.length === 0 && unchanged.length === 0) continue;
      yield* this.#versionsAgain(again, unchanged);
    }
  }

  /** Yields nothing: the index has them, as if their runs had been read. */
  async *#datasetUses(): AsyncGenerator<RecordPage> {
    let after: DatasetUse | undefined;
    do {
      const uses = this.memory.datasetUses(PIECE, after);
      this.index.addDatasetUses(uses);
      after = uses.at(-1);
      await nextTurn();
    } while (after !== undefined);
    yield* [];
  }

  #runsOf(needed: NeededRuns): AsyncIterable<RecordPage> {
    const experiments = this.#experiments[needed];
    // A database would look through all of its runs to find none.
    if (experiments.size === 0) return concatPages([]);
    const lanes = this.#lanesOf(needed, experiments);
    const { since, positions } = this.memory;
    const selection = {
      positions: positionsOf(lanes, positions),
      ...(needed !== 'since' || since === undefined ? {} : { since }),
    };
    const found = this.store.runs([...experiments.keys()], selection);
    const left =
      needed === 'again'
        ? found
        : mapPages(found, (page) => ({ ...page, items: this.#runsNotDelivered(page.items) }));
    return mapRunPages(left, this.histories, (page) => {
      const versions = this.index.takeVersionsOfRuns(page.items.map(({ runId }) => runId));
      const made = this.pages.of(this.pages.runs(page.items, versions), page);
      return page.position === undefined
        ? made
        : { ...made, position: positionIn(lanes, page.position) };
    });
  }

  #runsNotDelivered(runs: readonly Run[]): readonly Run[] {
    return this.#notDelivered(runs, (run) => this.#runKey(run), DELIVERED_RUN);
  }

  #modelsNotDelivered(models: readonly LoggedModel[]): readonly LoggedModel[] {
    const keyOf = ({ modelId }: LoggedModel): RecordKey => loggedModelKey(modelId, this.#workspace);
    return this.#notDelivered(models, keyOf, DELIVERED_LOGGED_MODEL);
  }

  #notDelivered<T>(
    items: readonly T[],
    keyOf: (item: T) => RecordKey,
    reason: string,
  ): readonly T[] {
    const delivered = this.memory.delivered(items.map(keyOf));
    if (delivered.size === 0) return items;
    const left = items.filter((item) => !delivered.has(keyOf(item)));
    this.recorder.skipped(reason, items.length - left.length);
    return left;
  }

  async *#runsById(since: number): AsyncGenerator<RecordPage> {
    // Where versions are not wanted, none was delivered that could be gone.
    const withVersions = this.pages.wants('run') && this.pages.wants('modelVersion');
    const index = withVersions ? this.index : undefined;
    for await (const ids of runsToRead(this.memory, this.#workspace, index)) {
      const { items, rejected } = await this.store.runsById(ids);
      const runs = items.filter(
        (run) =>
          this.#isActive(run) &&
          run.startTime < since &&
          this.#experiments.since.has(run.experimentId),
      );
      if (runs.length > 0 || rejected.length > 0) {
        yield* this.#withAllVersions(runs, [], { rejected });
      }
    }
  }

  #divide(versions: readonly ModelVersion[], again: ModelVersion[], unchanged: RecordKey[]): void {
    const changed = this.memory.changedVersions(versions);
    const same = versions.filter((version) => !changed.has(this.#versionKey(version)));
    const full = this.memory.since === undefined;
    const delivered = full
      ? this.memory.delivered(same.map((version) => this.#versionKey(version)))
      : new Set<RecordKey>();
    for (const version of versions) {
      const key = this.#versionKey(version);
      if (changed.has(key)) again.push(version);
      else if (delivered.has(key)) this.recorder.skipped(DELIVERED_VERSION);
      else if (full) again.push(version);
      else unchanged.push(key);
    }
    if (!full) this.recorder.skipped(UNCHANGED_VERSION, same.length);
  }

  async *#versionsAgain(
    versions: readonly ModelVersion[],
    unchanged: readonly RecordKey[],
  ): AsyncGenerator<RecordPage, undefined> {
    const origins = await originsOfVersions(this.store, versions, this.recorder);
    const active = origins.runs.filter((run) => this.#isActive(run));
    // In a sweep over everything, a run that has not been delivered has come into being meanwhile.
    const delivered =
      this.memory.since === undefined
        ? this.memory.delivered(active.map((run) => this.#runKey(run)))
        : undefined;
    const touched = active.filter((run) => delivered?.has(this.#runKey(run)) ?? true);
    const ids = new Set(touched.map(({ runId }) => runId));
    const others = versions.filter(({ runId }) => runId === undefined || !ids.has(runId));
    yield* this.#withAllVersions(touched, this.pages.versions(others, origins), {
      rejected: origins.rejected,
      ...(unchanged.length === 0 ? {} : { unchanged }),
    });
  }

  /** What else is to be said stands behind the runs, with the last page. */
  async *#withAllVersions(
    runs: readonly Run[],
    more: RecordPage['records'],
    { rejected, ...rest }: Pick<RecordPage, 'rejected' | 'unchanged'>,
  ): AsyncGenerator<RecordPage, undefined> {
    for await (const { runs: part, isLast } of partsOf(runs, this.histories)) {
      const versions = this.index.allVersionsOfRuns(part.map(({ runId }) => runId));
      const records = this.pages.runs(part, versions);
      yield isLast
        ? { ...this.pages.of([...records, ...more], { rejected }), ...rest }
        : this.pages.of(records);
    }
  }

  /** Neither deleted nor left out, nor of an experiment that is. */
  #isActive(run: Run): boolean {
    const { lifecycleStage, experimentId } = run;
    return (
      lifecycleStage === 'active' &&
      this.pages.experimentNames.has(experimentId) &&
      this.keepsRun(run)
    );
  }

  #runKey({ runId }: Run): RecordKey {
    return runKey(runId, this.#workspace);
  }

  #versionKey({ name, version }: ModelVersion): RecordKey {
    return versionKey(name, version, this.#workspace);
  }

  /**
   * Lanes go by their workspace and what they are for: no experiment goes on where others are in
   * lanes of another kind. What is delivered again begins at its start whenever one more experiment
   * has been renamed.
   */
  #lanesOf(needed: NeededRuns, experiments: ReadonlyMap<string, string>): string {
    const place = this.#workspace === undefined ? '' : `@${this.#workspace} `;
    if (needed !== 'again') return `${place}${needed}`;
    const names = JSON.stringify([...experiments].sort());
    return `${place}again ${createHash('sha256').update(names).digest('base64url')}`;
  }
}

function positionIn(lanes: string, { lane, value }: PagePosition): PagePosition {
  return { lane: `${lanes} ${lane}`, value };
}

function positionsOf(
  lanes: string,
  positions: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const prefix = `${lanes} `;
  const found = new Map<string, string>();
  for (const [lane, value] of positions) {
    if (lane.startsWith(prefix)) found.set(lane.slice(prefix.length), value);
  }
  return found;
}
