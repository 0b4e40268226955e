/**
 * What a kind of MLflow store (REST server, database, ...) must be able to do. How its entities
 * are joined into records is the same for all of them: see `mlflow-reader.ts`.
 */

import type { RunHint } from '../mlflow/filter/run-hint.js';
import type { RecordKey } from '../mlflow/record-key.js';
import type { Rejection } from '../stream/contracts.js';
import type { PagePosition } from '../stream/memory.js';
import type {
  Experiment,
  LoggedModel,
  MetricPoint,
  ModelVersion,
  RegisteredModel,
  Run,
  ServerFacts,
} from '../mlflow/types.js';

/** Some entities in the store's order, and those among them that could not be made sense of. */
export interface StorePage<T> {
  readonly items: readonly T[];
  readonly rejected: readonly Rejection[];
  /** Where reading goes on behind this page; only of runs, and of use only where a selection was given. */
  readonly position?: PagePosition;
  /** Those that are there and that filters leave out; only where these are applied, and if asked for. */
  readonly leftOut?: readonly RecordKey[];
}

/** Which runs are read, where not all of them are. */
export interface RunSelection {
  /** Milliseconds since 1970: only runs that started at or after it. A missing start counts as 0. */
  readonly since?: number;
  /**
   * By lane the position that a page came with: reading goes on behind it. Runs that stand at the
   * position may come again. What can't be understood is as good as absent.
   */
  readonly positions?: ReadonlyMap<string, string>;
}

/**
 * An open store. Every iteration starts from the beginning, asks for a page only when `next()` is
 * called, holds nothing open between two pages, and never gives an id twice.
 */
export interface MlflowStore {
  readonly server: ServerFacts;

  /** Active experiments, by id. */
  experiments(): AsyncIterable<StorePage<Experiment>>;

  /**
   * Active runs of the experiments named, in an order that is the same each time. Overlapping calls
   * of `next()` are served in parallel where the store gains by it.
   *
   * @param selection - pages come with their positions where it is given
   * @param hint - runs that are none of these may be left out, and need not be
   */
  runs(
    experimentIds: readonly string[],
    selection?: RunSelection,
    hint?: RunHint,
  ): AsyncIterable<StorePage<Run>>;

  /** By name. */
  registeredModels(what?: Registered): AsyncIterable<StorePage<RegisteredModel>>;

  /** All versions of all of them; `aliases` is empty where the store keeps them on the model. */
  modelVersions(what?: Registered): AsyncIterable<StorePage<ModelVersion>>;

  /** The runs with these ids, deleted ones too; ids that the store does not know are left out. */
  runsById(runIds: readonly string[]): Promise<StorePage<Run>>;

  /**
   * Those of the records that the store says are deleted, or that it does not know; runs of deleted
   * experiments as well. What it does not answer for is not among them, whatever the reason: no
   * failure is thrown, only the signal's reason once that is aborted.
   *
   * @param keys - 500 at most
   */
  findGone(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>>;

  /** How many there are, as far as that can be said cheaply: left out where it can't. */
  count(): Promise<StoreCounts>;

  /**
   * The last points of metrics, for each of what is asked, in that order. What can't be read of one
   * metric for a reason of its own is among what is found; other failures are thrown. Absent where no
   * more than the last values is known.
   */
  metricPoints?(asked: readonly AskedMetrics[]): Promise<readonly FoundPoints[]>;

  /** Those of MLflow 3; absent where there can be none. */
  readonly loggedModels?: LoggedModels;

  /** Those of MLflow 3; absent where there can be none, and in the stores that it gives itself. */
  readonly workspaces?: StoreWorkspaces;

  close(): Promise<void>;
}

/**
 * What is read of a registry: models, as MLflow's own searches do, which is meant where nothing is
 * said, or the prompts that stand among them.
 */
export type Registered = 'models' | 'prompts';

/** Metrics of a run whose points are asked for. */
export interface AskedMetrics {
  readonly run: Pick<Run, 'runId' | 'experimentId'>;
  /** Names of metrics that it has. */
  readonly keys: readonly string[];
  /** Of each, at most. */
  readonly points: number;
}

export interface FoundPoints {
  /** By metric its last points in the order of `comparePoints`, each once. */
  readonly points: ReadonlyMap<string, readonly MetricPoint[]>;
  /** By metric why its points could not be read. */
  readonly unread: ReadonlyMap<string, string>;
}

/** The logged models of a store. */
export interface LoggedModels {
  /**
   * Active ones of the experiments named, in an order that is the same each time.
   *
   * @param since - milliseconds since 1970: only those that were made at or after it
   */
  all(experimentIds: readonly string[], since?: number): AsyncIterable<StorePage<LoggedModel>>;

  /** Those with these ids; ids that the store does not know, or has deleted, are left out. */
  byId(modelIds: readonly string[]): Promise<StorePage<LoggedModel>>;
}

/** The workspaces of a store, which is itself that of `default` or the server's own choice. */
export interface StoreWorkspaces {
  /** Those that the store was opened for, where it could not be reached before they were chosen. */
  readonly chosen?: readonly string[];

  /**
   * The names of all that can be read, sorted; odd ones that MLflow itself would not take as well.
   *
   * @throws PipelineError `NO_WORKSPACES` (usage) where it has none; those of reading
   */
  list(): Promise<readonly string[]>;

  /**
   * Whether one is there and may be read.
   *
   * @param name - as `isWorkspaceName` has it
   * @throws PipelineError as `list` does
   */
  find(name: string): Promise<'there' | WorkspaceLoss>;

  /**
   * The store in one of them, whether it is there or not: it is asked no sooner than the store is.
   * There is nothing to close about it but the store that it is from.
   *
   * @param name - as `isWorkspaceName` has it
   */
  open(name: string): MlflowStore;

  /**
   * Why something asked in one of them failed, where that is because it has been deleted or is
   * hidden by now; undefined where it is there, or the store does not say. Never throws. Absent where
   * what is asked in a workspace that is not there finds nothing, and does not fail.
   */
  lossOf?(name: string, error: unknown): Promise<WorkspaceLoss | undefined>;
}

export type WorkspaceLoss = 'deleted' | 'hidden';

export interface StoreCounts {
  readonly experiments?: number;
  readonly runs?: number;
  readonly registeredModels?: number;
  readonly modelVersions?: number;
  readonly loggedModels?: number;
}
