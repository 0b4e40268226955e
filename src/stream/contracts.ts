/**
 * What a source, an operator and a sink must be. The runner knows these, and no component.
 */

import type { OperatorFunction } from 'rxjs';
import type { JsonValue, Proposal } from '../datahub/proposal.js';
import type { FilterRules } from '../mlflow/filter/rules.js';
import type { MetricHistoryChoice } from '../mlflow/metric-points.js';
import type { RecordKey } from '../mlflow/record-key.js';
import type { MlflowRecord, RecordKind } from '../mlflow/records.js';
import type { ServerFacts } from '../mlflow/types.js';
import type { PagePosition, ReadMemory, SinkMemory } from './memory.js';
import type { Recorder } from './recorder.js';

/** The part of pino's logger that components use. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What every component of a run is given. */
export interface RunContext {
  /** Unique to this run of the pipeline; goes into systemMetadata and dead letters. */
  readonly runId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Aborted when the run fails or its grace time is over: every wait must end on it. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly recorder: Recorder;
  /** The environment, for MLflow's and DataHub's own variables; components read no other. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Sets a record aside for the dead-letter file; the page being processed is not done before it
   * is written there. May be called by an operator at any time while a page runs through it.
   */
  reject(rejection: Rejection): void;
}

/** A thing that could not be read, mapped or delivered: data for the dead-letter file. */
export interface Rejection {
  /** `record`: could not be read or mapped; `proposal`: could not be delivered. */
  readonly kind: 'record' | 'proposal';
  /** Stable, upper-case: `MALFORMED_RECORD`. */
  readonly code: string;
  readonly message: string;
  /** What it is and which: `run 4f2a…`, `urn:li:mlModel:… mlModelProperties`. */
  readonly identity: string;
  /** The thing itself, as far as it could be read. */
  readonly content: unknown;
  /** What its mapping needs beside the content, where that is an item as the server sent it. */
  readonly origin?: RecordOrigin;
  readonly sink?: string;
  /** How often its delivery was tried; 0 where the sink had given up before its turn. */
  readonly attempts?: number;
}

/** Where an item came from that could not be read. */
export interface RecordOrigin {
  readonly server: ServerFacts;
  /** Of a run: its experiment. */
  readonly experiment?: { readonly experimentId: string; readonly name: string };
}

/** The unit of work: done when every sink has confirmed all that became of its records. */
export interface Page<T> {
  readonly records: readonly T[];
  /** Records that the source could not make sense of. */
  readonly rejected: readonly Rejection[];
  /** Where reading goes on behind this page; only for a plan with a memory. */
  readonly position?: PagePosition;
  /** Records that are there and what they were: not given again. Only for a plan with a memory. */
  readonly unchanged?: readonly RecordKey[];
  /** Records that are there, and the plan's filters leave out. Only for a plan with a memory. */
  readonly leftOut?: readonly RecordKey[];
}

/** What a source is asked to read. Operators narrow it before the reading starts. */
export interface ReadPlan {
  readonly kinds: ReadonlySet<RecordKind>;
  /** Whether prompts are read among registered models and versions, and runs say which they used. */
  readonly prompts?: boolean;
  /**
   * What of these kinds is left out, by any of the filters: see `RecordFilter`. Experiments and models
   * that are left out take their runs and versions with them, and runs that are left out describe no
   * dataset; they are still given beside versions that are kept. A source that gives what is left out
   * does no harm, but where state is kept: then it must not.
   */
  readonly filters?: readonly FilterRules[];
  /**
   * Of which metrics of runs the earlier points are read as well. Not for runs that are given beside
   * versions alone. A source that has none does no harm.
   */
  readonly metricHistory?: MetricHistoryChoice;
  /** What is known from earlier sweeps; absent where the run keeps no state. */
  readonly memory?: ReadMemory;
}

/** Something that records are read from. Its options are validated when it is made. */
export interface Source<T = MlflowRecord> {
  /** For logs, errors and the graph; without credentials: `mlflow http://host:5000`. */
  readonly label: string;
  /** The file that it reads as it goes, where it reads one: dead letters must not be added to it. */
  readonly path?: string;
  /** `proposal`: what it gives is mapped already. Records of MLflow where it is absent. */
  readonly gives?: 'record' | 'proposal';
  /** Reaches the store and finds out what it is. Reads no record yet. */
  open(context: RunContext): Promise<OpenSource<T>>;
}

export interface OpenSource<T = MlflowRecord> {
  readonly server: ServerFacts;
  /** Names of the workspaces that are read, sorted; absent where that is `default` alone. */
  readonly workspaces?: readonly string[];
  /** Those of them that the last reading did not read to their end for sure, as far as it has come. */
  readonly lostWorkspaces?: ReadonlySet<string>;
  /**
   * The pages, in an order that is the same each time. `next()` is the only demand there is: a
   * page is fetched for a call and never ahead of it. Calls may overlap, and an iterator that can
   * serve them in parallel does so; pages are answered in the order of the calls.
   */
  read(plan: ReadPlan): AsyncIterable<Page<T>>;
  /** How many there are of each kind, as far as the store can say cheaply. For `check`. */
  count(plan: ReadPlan): Promise<Readonly<Partial<Record<RecordKind, number>>>>;
  /**
   * Those of the records that the store itself says are deleted, or that it does not know. What it
   * does not answer for (no permission, a failure) is not among them. A source that can't say has
   * no such method, and nothing of it is ever taken for gone.
   */
  findGone?(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>>;
  close(): Promise<void>;
}

/** What a component may add to an ordinary RxJS operator function. All of it is optional. */
export interface OperatorHooks {
  /** For errors and the graph: `versionGate 1.28.0`. */
  readonly label?: string;
  /**
   * `record`: it takes records of MLflow, and so has no place behind a source of proposals, nor has
   * what stands before it. Absent where that is all the same.
   */
  readonly takes?: 'record';
  /**
   * Set where what becomes of a record depends on nothing but the record and this text: what the
   * operator is and its options. With state, records that are what they were when they were
   * delivered are not sent through operators that all have one. Set it for your own operator only if
   * that holds, and change it when what the operator does changes.
   */
  readonly signature?: string;
  /** What it wants beside that which is read without anybody asking for it. */
  readonly reads?: readonly (RecordKind | 'prompt')[];
  /** Called once at the start of a run; state of an earlier run is forgotten here. */
  open?(context: RunContext): void;
  /**
   * Takes out of the plan what the operator would drop anyway, so that it is not even read; or puts in
   * what else it wants of the records that are read.
   */
  narrow?(plan: ReadPlan, server: ServerFacts): ReadPlan;
  /** Told of each proposal that a sink did not take. */
  onUndelivered?(proposal: Proposal): void;
}

/**
 * An RxJS operator function. It is subscribed once for each page, and the page is done when its
 * output completes: dropping, adding and delaying records are all fine, never completing is not.
 * State that must outlive a page lives in the closure that made the operator.
 */
export type Operator<In, Out> = OperatorFunction<In, Out> & OperatorHooks;

/** One of a chain whose neighbours' types were checked where the chain was written down. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyOperator = Operator<any, any>;

/** Something that proposals are delivered to. Its options are validated when it is made. */
export interface Sink {
  /**
   * For logs, errors, counts and the graph; without credentials: `file out.json`. Where two sinks
   * of a pipeline have the same, the second is called `file out.json (2)`.
   */
  readonly label: string;
  /**
   * What becomes of the run when the sink gives up: it fails (the default), or goes on, with what
   * was for the sink in the dead-letter file.
   */
  readonly onError?: 'fail' | 'dead-letter';
  /** The file that it writes, where it writes one (`-` is standard output): nothing else may. */
  readonly path?: string;
  /**
   * Reaches the other side and makes ready.
   *
   * @param memory - where the run keeps state
   */
  open(context: RunContext, memory?: SinkMemory): Promise<OpenSink>;
  /** Reaches the other side and changes nothing; says in a line what it found. For `check`. */
  check(context: RunContext): Promise<string>;
}

/** A proposal that the other side refused for good. */
export interface Refusal {
  readonly proposal: Proposal;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
}

export interface OpenSink {
  /**
   * Resolves when the other side has confirmed, or refused for good, each proposal of the batch;
   * gives those it refused. Rejects with a `PipelineError` when nothing more can be delivered.
   * Never resolves on mere buffering. Calls may overlap (one for each page on its way); proposals
   * for one URN are delivered in the order of the calls.
   */
  write(proposals: readonly Proposal[]): Promise<readonly Refusal[]>;
  /**
   * For a sink that has to go on where a run broke off: what it wants to be told then, as
   * `SinkMemory.position`. Asked for after writes have settled and after `close`; covers all that
   * was confirmed. Undefined where there is nothing to go on with.
   */
  position?(): JsonValue | undefined;
  /**
   * Called once, after the last write has settled. `complete`: every page was delivered.
   * `interrupted`: a signal ended the run early. `failed`: an error did.
   */
  close(outcome: RunOutcome): Promise<void>;
}

export type RunOutcome = 'complete' | 'interrupted' | 'failed';
