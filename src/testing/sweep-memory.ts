/**
 * What sweeps remember, in memory instead of a state file: for tests of what reads with it. Pages
 * are confirmed in any order, and positions move over the unbroken row of confirmed ones.
 *
 * @example
 * const memory = new SweepMemory();
 * memory.begin();
 * await memory.deliver(source.read({ kinds, memory }));
 * memory.complete();
 */

import type { Page } from '../stream/contracts.js';
import type { KnownVersion, NeededRuns, ReadMemory } from '../stream/memory.js';
import { recordKey, runKey, versionKey, type RecordKey } from '../mlflow/record-key.js';
import type { DatasetUse, MlflowRecord } from '../mlflow/records.js';
import type { Experiment, ModelVersion, Run } from '../mlflow/types.js';

type RecordPage = Page<MlflowRecord>;

export class SweepMemory implements ReadMemory {
  since?: number;
  readonly positions: Map<string, string>;
  /** What was asked of it, by method. */
  readonly asked: Record<string, number>;
  /** Everything that was delivered in this sweep. */
  readonly thisSweep: Set<RecordKey>;
  readonly #workspace: string | undefined;
  /** By workspace. */
  readonly #others = new Map<string, SweepMemory>();
  readonly #runs = new Map<string, Pick<Run, 'runId' | 'startTime' | 'status'>>();
  readonly #versions = new Map<RecordKey, { json: string; runId?: string }>();
  readonly #uses = new Map<string, DatasetUse>();
  readonly #names = new Map<string, string>();
  /** Experiments that it was asked about in this sweep. */
  readonly #met = new Map<string, { readonly name: string; readonly runs: NeededRuns }>();

  /**
   * @param workspace - absent for `default`
   * @param whole - that it is of, where it is a part for another workspace
   */
  constructor(workspace?: string, whole?: SweepMemory) {
    this.#workspace = workspace;
    this.positions = whole?.positions ?? new Map<string, string>();
    this.asked = whole?.asked ?? {};
    this.thisSweep = whole?.thisSweep ?? new Set<RecordKey>();
    if (whole?.since !== undefined) this.since = whole.since;
  }

  /** @param since - of a lookback, milliseconds since 1970 */
  begin(since?: number): void {
    if (since === undefined) delete this.since;
    else this.since = since;
    this.positions.clear();
    this.thisSweep.clear();
    this.#met.clear();
    for (const other of this.#others.values()) other.begin(since);
  }

  /** What was not delivered by a sweep over everything is forgotten. */
  complete(): void {
    if (this.since !== undefined) return;
    for (const key of this.#versions.keys()) {
      if (!this.thisSweep.has(key)) this.#versions.delete(key);
    }
    for (const id of this.#runs.keys()) {
      if (!this.thisSweep.has(this.#runKey(id))) this.#runs.delete(id);
    }
    for (const other of this.#others.values()) other.complete();
  }

  confirm(page: RecordPage): void {
    for (const record of page.records) {
      const { workspace } = record.server;
      (workspace === undefined ? this : this.inWorkspace(workspace)).#remember(record);
    }
    for (const key of page.unchanged ?? []) this.thisSweep.add(key);
  }

  /** A page of the unbroken row. */
  moveTo({ position }: RecordPage): void {
    if (position !== undefined) this.positions.set(position.lane, position.value);
  }

  /**
   * Confirms pages as they come.
   *
   * @param pages - how many; then the run breaks off
   * @param isConfirmed - whether a page, by its place, is confirmed before the run breaks off
   * @returns what was confirmed
   */
  async deliver(
    source: AsyncIterable<RecordPage>,
    pages = Infinity,
    isConfirmed: (place: number) => boolean = () => true,
  ): Promise<MlflowRecord[]> {
    const records: MlflowRecord[] = [];
    let unbroken = true;
    let place = 0;
    for await (const page of source) {
      if (place === pages) break;
      if (isConfirmed(place)) {
        this.confirm(page);
        records.push(...page.records);
        if (unbroken) this.moveTo(page);
      } else unbroken = false;
      place += 1;
    }
    return records;
  }

  delivered(keys: readonly RecordKey[]): ReadonlySet<RecordKey> {
    this.#count('delivered');
    return new Set(keys.filter((key) => this.thisSweep.has(key)));
  }

  neededRuns(
    experiments: readonly Pick<Experiment, 'experimentId' | 'name'>[],
  ): Map<string, NeededRuns> {
    return new Map(experiments.map((one) => [one.experimentId, this.#neededRuns(one)]));
  }

  changedVersions(versions: readonly ModelVersion[]): ReadonlySet<RecordKey> {
    this.#count('changedVersions');
    return new Set(
      versions
        .filter((one) => this.#versions.get(this.#keyOf(one))?.json !== JSON.stringify(one))
        .map((one) => this.#keyOf(one)),
    );
  }

  knownVersions(limit: number, after?: RecordKey): readonly KnownVersion[] {
    const keys = next([...this.#versions.keys()].sort(), limit, after);
    return keys.map((key) => {
      const runId = this.#versions.get(key)?.runId;
      return { key, ...(runId === undefined ? {} : { runId }) };
    });
  }

  openRuns(limit: number, after?: string): readonly string[] {
    const open = [...this.#runs.values()].filter(
      ({ status, startTime }) => status === 'RUNNING' && startTime < (this.since ?? 0),
    );
    return next(open.map(({ runId }) => runId).sort(), limit, after);
  }

  datasetUses(limit: number, after?: DatasetUse): readonly DatasetUse[] {
    const needed = [...this.#uses].filter(
      ([, { runId, startTime }]) =>
        startTime < (this.since ?? 0) || this.thisSweep.has(this.#runKey(runId)),
    );
    const keys = needed.map(([key]) => key).sort();
    const chosen = next(keys, limit, after === undefined ? undefined : useKey(after));
    return chosen.flatMap((key) => this.#uses.get(key) ?? []);
  }

  inWorkspace(workspace: string): SweepMemory {
    const memory = this.#others.get(workspace) ?? new SweepMemory(workspace, this);
    this.#others.set(workspace, memory);
    return memory;
  }

  #neededRuns({ experimentId, name }: Pick<Experiment, 'experimentId' | 'name'>): NeededRuns {
    const met = this.#met.get(experimentId);
    if (met?.name !== name) {
      const known = this.#names.get(experimentId) === name;
      const runs = met !== undefined ? 'again' : known ? 'since' : 'rest';
      this.#met.set(experimentId, { name, runs });
    }
    const runs = this.#met.get(experimentId)?.runs ?? 'rest';
    return runs === 'since' && this.since === undefined ? 'rest' : runs;
  }

  #remember(record: MlflowRecord): void {
    const key = recordKey(record);
    if (key !== undefined) this.thisSweep.add(key);
    if (record.kind === 'experiment') {
      this.#names.set(record.experiment.experimentId, record.experiment.name);
    } else if (record.kind === 'run') {
      const { runId, startTime, status, datasetInputs } = record.run;
      this.#runs.set(runId, { runId, startTime, status });
      for (const input of datasetInputs) {
        const use = { input, runId, startTime };
        this.#uses.set(useKey(use), use);
      }
    } else if (record.kind === 'modelVersion') {
      const { version } = record;
      const run = version.runId === undefined ? {} : { runId: version.runId };
      this.#versions.set(this.#keyOf(version), { json: JSON.stringify(version), ...run });
    }
  }

  #runKey(runId: string): RecordKey {
    return runKey(runId, this.#workspace);
  }

  #keyOf({ name, version }: ModelVersion): RecordKey {
    return versionKey(name, version, this.#workspace);
  }

  #count(method: string): void {
    this.asked[method] = (this.asked[method] ?? 0) + 1;
  }
}

function useKey({ input: { dataset }, runId }: DatasetUse): string {
  return JSON.stringify([dataset.name, dataset.sourceType, runId, dataset.digest]);
}

/** Of a sorted list. */
function next<T extends string>(sorted: readonly T[], limit: number, after: T | undefined): T[] {
  return sorted.filter((one) => after === undefined || one > after).slice(0, limit);
}
