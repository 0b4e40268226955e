/**
 * What a kind of MLflow store (REST server, database, ...) must be able to do. How its entities
 * are joined into records is the same for all of them: see `mlflow-reader.ts`.
 */

import type { Rejection } from '../stream/contracts.js';
import type {
  Experiment,
  ModelVersion,
  RegisteredModel,
  Run,
  ServerFacts,
} from '../mlflow/types.js';

/** Some entities in the store's order, and those among them that could not be made sense of. */
export interface StorePage<T> {
  readonly items: readonly T[];
  readonly rejected: readonly Rejection[];
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
   */
  runs(experimentIds: readonly string[]): AsyncIterable<StorePage<Run>>;

  /** By name; prompts are left out, as MLflow's own search does. */
  registeredModels(): AsyncIterable<StorePage<RegisteredModel>>;

  /** All versions of all models but prompts; `aliases` is empty where the store keeps them on the model. */
  modelVersions(): AsyncIterable<StorePage<ModelVersion>>;

  /** The runs with these ids, deleted ones too; ids that the store does not know are left out. */
  runsById(runIds: readonly string[]): Promise<StorePage<Run>>;

  /** How many there are, as far as that can be said cheaply: left out where it can't. */
  count(): Promise<StoreCounts>;

  close(): Promise<void>;
}

export interface StoreCounts {
  readonly experiments?: number;
  readonly runs?: number;
  readonly registeredModels?: number;
  readonly modelVersions?: number;
}
