/**
 * Runs a pipeline: source, operators, sinks.
 *
 *   source.open ── facts ──> operators narrow the plan
 *        │
 *   read(plan): page ──> operators (an ordinary Observable) ──> every sink confirms ──> page done
 *        ^                                                             │
 *        └───────────── asked for only while fewer than maxInFlightPages are on their way
 */

import { randomUUID } from 'node:crypto';
import { messageOf, PipelineError } from '../core/errors.js';
import { redactor, secretsOf } from '../core/redact.js';
import type { ServerFacts } from '../mlflow/types.js';
import { DEFAULT_WORKSPACE } from '../mlflow/workspace.js';
import type { StateReport, StateSettings } from '../state/options.js';
import type {
  AnyOperator,
  Logger,
  OpenSource,
  ReadPlan,
  RunContext,
  RunOutcome,
  Sink,
  Source,
} from './contracts.js';
import { openDeadLetter } from './dead-letter.js';
import { withOnError } from './dead-letter-on-error.js';
import { deliverPages } from './deliver-pages.js';
import { withDistinctLabels } from './distinct-labels.js';
import { StateKeeper } from './keep-state.js';
import { Recorder, type RunCounts } from './recorder.js';
import { NOTHING_STALE } from './remove-stale.js';
import { StopSwitch } from './stop-switch.js';

/** A wired pipeline. Made and checked by `definePipeline`. */
export interface PipelineDefinition {
  readonly source: Source<unknown>;
  readonly operators: readonly AnyOperator[];
  readonly sinks: readonly Sink[];
  /** How many pages may be on their way between the source and the sinks' confirmations. */
  readonly maxInFlightPages: number;
  readonly deadLetter: { readonly path: string };
  /** What the run remembers and is told of earlier ones; absent where it keeps no state. */
  readonly state?: StateSettings;
}

export interface RunOptions {
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks for a clean stop: reading ends, what is on its way is delivered within `graceMs`. */
  readonly signal?: AbortSignal;
  /** Default 10,000. */
  readonly graceMs?: number;
  readonly runId?: string;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
  /** Called after each page, with what was counted so far. */
  readonly onProgress?: (counts: RunCounts) => void;
  /** Everything but writing: no sink is opened, no dead letter is written, no state is changed. */
  readonly dryRun?: boolean;
  /** With state: read from the start, whatever an earlier run left unfinished. */
  readonly fresh?: boolean;
  /** With state: read everything and send everything, also what the sinks have. */
  readonly full?: boolean;
}

/** What a run did. Holds no credentials: it is printed and written as it is. */
export interface RunReport {
  readonly runId: string;
  readonly outcome: RunOutcome;
  readonly error?: { readonly code: string; readonly message: string };
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly dryRun: boolean;
  readonly source: string;
  readonly sinks: readonly string[];
  /** The MLflow that was read; absent where it was not reached, or a file of proposals was read. */
  readonly server?: ServerFacts;
  /** Where rejected records are; absent where there were none. */
  readonly deadLetter?: { readonly path: string; readonly count: number };
  /** Absent where no state was kept. */
  readonly state?: StateReport;
  readonly counts: RunCounts;
}

export interface RunResult {
  readonly report: RunReport;
  /** Why the run failed; absent unless the outcome is `failed`. */
  readonly failure?: PipelineError;
}

/**
 * Runs a pipeline to its end. Never throws for what goes wrong in the run: the result says it.
 *
 * @example
 * const { report } = await runPipeline(definePipeline({ source, operators, sinks }), { log, env });
 */
export async function runPipeline(
  given: PipelineDefinition,
  options: RunOptions,
): Promise<RunResult> {
  const definition = { ...given, sinks: withDistinctLabels(given.sinks) };
  const now = options.now ?? Date.now;
  const startedAt = now();
  const runId = options.runId ?? newRunId(startedAt);
  const dryRun = options.dryRun ?? false;
  const recorder = new Recorder();
  const clean = redactor(secretsOf(options.env));
  const stop = new StopSwitch(options.signal, options.graceMs ?? 10_000);
  const remembering: { keeper?: StateKeeper | undefined } = {};
  const deadLetter = openDeadLetter({ path: definition.deadLetter.path, runId, dryRun });

  const context: RunContext = {
    runId,
    startedAt,
    signal: stop.halted,
    log: options.log,
    recorder,
    env: options.env,
    reject: (given) => {
      // What components of ours say is clean; others may quote the URL that they asked.
      const rejection = { ...given, message: clean(given.message) };
      recorder.rejected += 1;
      remembering.keeper?.countRejected(rejection);
      recorder.warn(rejection.code, rejection.message, rejection.identity);
      deadLetter.add(rejection);
    },
  };

  const sinks = (dryRun ? [] : definition.sinks).map(withOnError);
  let server: ServerFacts | undefined;
  let outcome: RunOutcome = 'failed';
  let stale = NOTHING_STALE;
  let failure: PipelineError | undefined;
  try {
    const source = await stop.within(definition.source.open(context), 'the source');
    server = source.server;
    try {
      ({ outcome, stale } = await deliverPages({
        source,
        operators: definition.operators,
        sinks,
        maxInFlightPages: definition.maxInFlightPages,
        dryRun,
        context,
        stop,
        openState: (plan) => {
          remembering.keeper = openState(definition, options, source, plan, startedAt);
          return remembering.keeper;
        },
        flushDeadLetters: () => deadLetter.flush(),
        onPage: () => options.onProgress?.(recorder.counts()),
        now,
      }));
    } finally {
      await closeSource(source, stop, options.log);
      remembering.keeper?.close();
    }
  } catch (error) {
    // What was broken off because the grace time is over is no failure of its own.
    if (stop.requested && stop.halted.aborted) {
      outcome = 'interrupted';
      const what = stop.reading
        ? 'not all was delivered in the grace time'
        : 'stopped before anything was read';
      options.log.warn({ reason: messageOf(error) }, what);
    } else failure = asPipelineError(error);
  }
  try {
    await deadLetter.close();
  } catch (error) {
    failure ??= asPipelineError(error);
  }
  stop.dispose();
  if (failure !== undefined) outcome = 'failed';
  const report: RunReport = {
    runId,
    outcome,
    ...(failure === undefined
      ? {}
      : { error: { code: failure.code, message: clean(failure.message) } }),
    startedAt: new Date(startedAt).toISOString(),
    durationMs: now() - startedAt,
    dryRun,
    source: definition.source.label,
    sinks: sinks.map((sink) => sink.label),
    ...(server === undefined || definition.source.gives === 'proposal' ? {} : { server }),
    ...(deadLetter.count === 0
      ? {}
      : { deadLetter: { path: deadLetter.path, count: deadLetter.count } }),
    ...(remembering.keeper === undefined ? {} : { state: remembering.keeper.report(stale) }),
    counts: recorder.counts(),
  };
  return failure === undefined ? { report } : { report, failure };
}

/**
 * Opens the state of a pipeline; undefined where it keeps none. With `dryRun` nothing of it stays.
 *
 * @throws PipelineError as `PipelineState.open` does
 */
export function openState(
  { source: { label, gives }, sinks, state }: PipelineDefinition,
  { fresh = false, full = false, dryRun = false }: Pick<RunOptions, 'fresh' | 'full' | 'dryRun'>,
  source: OpenSource<unknown>,
  plan: ReadPlan,
  startedAt: number,
): StateKeeper | undefined {
  if (state === undefined) return undefined;
  return StateKeeper.open({
    settings: state,
    // Of a server, where it is, however it was named; a file of proposals knows none.
    pipeline: gives === 'proposal' ? label : source.server.uri,
    sinks: sinks.map((sink) => sink.label),
    plan,
    workspaces: source.workspaces ?? [DEFAULT_WORKSPACE],
    fresh,
    full,
    dryRun,
    startedAt,
  });
}

/** All that was read is delivered: a source that can't be closed takes nothing back. */
async function closeSource(
  source: OpenSource<unknown>,
  stop: StopSwitch,
  log: Logger,
): Promise<void> {
  try {
    await stop.within(source.close(), 'the source');
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'the source could not be closed');
  }
}

/** `mlflow-2026_11_24-10_45_00-1f9a3c`: in the form that DataHub shows its own runs by. */
export function newRunId(startedAt: number): string {
  const [date = '', time = ''] = new Date(startedAt).toISOString().slice(0, 19).split('T');
  const unique = randomUUID().slice(0, 6);
  return `mlflow-${date.replaceAll('-', '_')}-${time.replaceAll(':', '_')}-${unique}`;
}

/** What no component of ours put into words is a defect, of ours or of a component of the user's. */
function asPipelineError(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  return new PipelineError(`unexpected: ${messageOf(error)}`, {
    code: 'UNEXPECTED',
    category: 'unavailable',
    cause: error,
  });
}
