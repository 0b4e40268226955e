/**
 * The records that a source emits: an entity of MLflow together with what its mapping needs, so
 * that no operator ever has to ask a server.
 */

import type {
  Experiment,
  LoggedModel,
  ModelVersion,
  Placement,
  RegisteredModel,
  Run,
  ServerFacts,
  DatasetInput,
  VersionName,
} from './types.js';

interface RecordBase {
  readonly server: ServerFacts;
  /** Which `redact`s it has gone through, by digests of their options. No source says it. */
  readonly redacted?: readonly string[];
  /**
   * Of a record from a dead-letter file: which it had gone through when it was written there. Each of
   * them lets it pass as it is and takes itself out, so that behind the last one it is as in a run.
   */
  readonly redactedBefore?: readonly string[];
}

/** Comes first, once: the store itself. Model stages, which every registry has, are mapped from it. */
export interface ServerRecord extends RecordBase {
  readonly kind: 'server';
}

export interface ExperimentRecord extends RecordBase {
  readonly kind: 'experiment';
  readonly experiment: Experiment;
}

export interface RunRecord extends RecordBase {
  readonly kind: 'run';
  readonly run: Run;
  /** The experiment it belongs to: all that the mapping of a run needs of it. */
  readonly experiment: Pick<Experiment, 'experimentId' | 'name' | keyof Placement>;
  /** Every model version that came from this run, by name, then by version number. */
  readonly versions: readonly ModelVersion[];
  /** The versions of prompts that it used. Only given where an operator asks for prompts. */
  readonly prompts?: readonly VersionName[];
}

export interface RegisteredModelRecord extends RecordBase {
  readonly kind: 'registeredModel';
  readonly model: RegisteredModel;
  /** Who owns it in DataHub, as of a version. */
  readonly owner?: string;
}

export interface ModelVersionRecord extends RecordBase {
  readonly kind: 'modelVersion';
  readonly version: ModelVersion;
  /** The run it came from, deleted ones too; absent where it came from none or the run is gone. */
  readonly run?: Run;
  /**
   * The logged model that it was made from: only where the run is absent, or known from nowhere but
   * the logged model.
   */
  readonly loggedModel?: LoggedModel;
  /** Who owns it in DataHub: a user, or a URN. Operators may say it, no source does. */
  readonly owner?: string;
}

/** A logged model of MLflow 3. Only given where an operator asks for such. */
export interface LoggedModelRecord extends RecordBase {
  readonly kind: 'loggedModel';
  readonly model: LoggedModel;
  /** The experiment it belongs to. */
  readonly experiment: Pick<Experiment, 'experimentId' | 'name' | keyof Placement>;
}

/** How one run describes a dataset. */
export interface DatasetUse {
  readonly input: DatasetInput;
  readonly runId: string;
  /** Start time of that run, milliseconds since 1970. */
  readonly startTime: number;
}

/**
 * A dataset by name, after all runs were read. Runs may describe it differently: for each source
 * type there is the use by the run with the greatest (start time, id), and the list is in
 * ascending order of (start time, run id), so that the last one is the winner over all.
 */
export interface DatasetRecord extends RecordBase, Placement {
  readonly kind: 'dataset';
  readonly name: string;
  readonly uses: readonly DatasetUse[];
}

export type MlflowRecord =
  | ServerRecord
  | ExperimentRecord
  | RunRecord
  | RegisteredModelRecord
  | ModelVersionRecord
  | LoggedModelRecord
  | DatasetRecord;

export type RecordKind = MlflowRecord['kind'];

/** All of them, in the order that they are read in. */
export const RECORD_KINDS = [
  'server',
  'experiment',
  'run',
  'registeredModel',
  'modelVersion',
  'loggedModel',
  'dataset',
] as const satisfies readonly RecordKind[];

/** Those of them that are only read where an operator asks for them, by `OperatorHooks.reads`. */
export const OPTIONAL_KINDS: ReadonlySet<RecordKind> = new Set(['loggedModel']);
