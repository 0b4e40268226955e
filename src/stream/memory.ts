/**
 * What a run with state remembers, as sources and sinks see it. Without state there is none of it.
 */

import type { JsonValue } from '../datahub/proposal.js';
import type { RecordKey } from '../mlflow/record-key.js';
import type { DatasetUse } from '../mlflow/records.js';
import type { Experiment, ModelVersion } from '../mlflow/types.js';
import type { NeededRuns } from '../state/met-experiments.js';

export type { NeededRuns };

/**
 * Where a lane of pages goes on: behind the page that this stands on. Pages of a lane come in an
 * order that is the same each time; lanes are independent of each other.
 */
export interface PagePosition {
  /** Tells the lanes of a reading apart. */
  readonly lane: string;
  /** Made and understood by the source alone. */
  readonly value: string;
}

/**
 * What a source is told of earlier sweeps over the same store, and of this one, where it goes on
 * after having broken off. A page counts as delivered when every sink has confirmed it.
 *
 * Lists come in pieces: `limit` of them, after the one named; an empty list is the end. What the
 * methods take and give is of one workspace of the store's: `default`, or that of `inWorkspace`.
 */
export interface ReadMemory {
  /**
   * Milliseconds since 1970. Only runs that started at or after it have to be read, beside those
   * that the methods below ask for. Absent: every run has to be.
   */
  readonly since?: number;
  /**
   * Where a sweep that broke off goes on: by lane the last position before which everything was
   * delivered. Empty where a sweep begins. Experiments, models and versions have no lane: they are
   * read from the start each time.
   */
  readonly positions: ReadonlyMap<string, string>;
  /** Those of the records that this sweep has delivered already. They need not be given again. */
  delivered(keys: readonly RecordKey[]): ReadonlySet<RecordKey>;
  /**
   * By id, which runs of each experiment have to be read. To be asked before the experiments are
   * given; the answer stays until the sweep is complete, or the experiment is renamed.
   */
  neededRuns(
    experiments: readonly Pick<Experiment, 'experimentId' | 'name'>[],
  ): ReadonlyMap<string, NeededRuns>;
  /** Those of the versions (aliases filled in) that are not what was delivered last. */
  changedVersions(versions: readonly ModelVersion[]): ReadonlySet<RecordKey>;
  /** Versions that were delivered by this or an earlier sweep, in the order of their keys. */
  knownVersions(limit: number, after?: RecordKey): readonly KnownVersion[];
  /** Ids of runs that started before `since` and had not ended when they were delivered last. */
  openRuns(limit: number, after?: string): readonly string[];
  /** How runs that were delivered, and need not be read now, described datasets. */
  datasetUses(limit: number, after?: DatasetUse): readonly DatasetUse[];
  /** The same of another workspace. Positions are those of all of them. */
  inWorkspace(workspace: string): ReadMemory;
}

export interface KnownVersion {
  readonly key: RecordKey;
  readonly runId?: string;
}

/** What a sink left of itself in the state. */
export interface SinkMemory {
  /** What `OpenSink.position` gave last; absent where it gave nothing yet. */
  readonly position?: JsonValue;
}
