/**
 * Sends again what stands in a dead-letter file, once its cause is mended.
 */

import { isUtf8 } from 'node:buffer';
import { lastValueFrom, of, toArray } from 'rxjs';
import { messageOf, PipelineError } from '../core/errors.js';
import { redactor, secretsOf, type Redactor } from '../core/redact.js';
import type { Proposal } from '../datahub/proposal.js';
import type {
  AnyOperator,
  Logger,
  OpenSink,
  Rejection,
  RunContext,
  RunOutcome,
  Sink,
} from './contracts.js';
import { withOnError } from './dead-letter-on-error.js';
import { proposalIn, recordIn } from './dead-letter-content.js';
import { formatEntry, parseEntry, type DeadLetterEntry } from './dead-letter-entry.js';
import { DeadLetterRewrite } from './dead-letter-rewrite.js';
import { withDistinctLabels } from './distinct-labels.js';
import { throughOperators } from './operators.js';
import { Recorder, type RunCounts } from './recorder.js';
import { tellingRepeats } from './repeats.js';
import { StopSwitch } from './stop-switch.js';

export interface ReplayOptions {
  /** The dead-letter file. */
  readonly path: string;
  /** What maps records to proposals. */
  readonly operators: readonly AnyOperator[];
  readonly sinks: readonly Sink[];
  /**
   * Sends what was refused by a sink that is not among them to all of them, for example because it
   * has a new address and so another label. Default false: it stays in the file.
   */
  readonly anySink?: boolean;
  readonly runId: string;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks for a clean stop: what has not been tried stays in the file. */
  readonly signal?: AbortSignal;
  /** Default 10,000. */
  readonly graceMs?: number;
  /** Entries that are tried at a time. Default 500. */
  readonly pageSize?: number;
}

/** What a replay did. Holds no credentials. */
export interface ReplayReport {
  readonly outcome: RunOutcome;
  /** Entries that were tried. */
  readonly tried: number;
  /** Of them, those that are out of the file because everything of them was delivered. */
  readonly done: number;
  /** Of them, records that stay because the operators left them out: nothing of them was to be sent. */
  readonly leftOut: number;
  /** Lines that stand in the file now. */
  readonly left: number;
  /** Of them, those that were not tried because the sink that refused them is not among the sinks. */
  readonly otherSinks: readonly OtherSink[];
  readonly counts: RunCounts;
}

export interface OtherSink {
  /** The label that the entries have. */
  readonly sink: string;
  /** How many entries. */
  readonly count: number;
}

export interface ReplayResult {
  readonly report: ReplayReport;
  readonly failure?: PipelineError;
}

/**
 * Tries each entry of the file once, in the file's order: a record is mapped by the operators and
 * goes to every sink; a proposal goes to the sink that refused it, known by its label. Is that sink
 * not among them, the entry stays as it is and is counted: the others have the proposal already, and
 * taken out, it would never reach the one that lacks it. With `anySink` such a proposal goes to all
 * of them, as does one that names no sink.
 *
 * A record that the operators leave out, such as `filter`, stays as it is and is counted: whoever reads
 * the summary may mend the options or delete the line.
 *
 * What arrives is taken out of the file. What fails again stays, with the new reason and one attempt
 * more; of a record that is mapped now, only the proposals that were refused. Lines that
 * can't be understood stay byte for byte as they are, and where nothing else is to be changed, so
 * does the file.
 *
 * A sink with `onError: 'dead-letter'` that gives up keeps its entries in the file, and the others go
 * on; one without ends the replay.
 *
 * The new state of the file is written beside it and put in its place at the end, also where a sink
 * gave up or a stop was asked for: what was not tried is in it. Killed before, the file is as it
 * was, and what had arrived arrives again the next time.
 *
 * What is sent is as old as the entry: where a later run delivered the same entity, it is the older
 * state that DataHub has afterwards, until the next run. A pipeline's state knows nothing of a
 * replay: where one is kept, until the next run with `full`.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const file = await DeadLetterRewrite.open(options.path);
  const stop = new StopSwitch(options.signal, options.graceMs ?? 10_000);
  const running = new Replay(options, file, stop);
  let failure: PipelineError | undefined;
  try {
    await running.run();
  } catch (error) {
    failure = stop.requested ? undefined : asPipelineError(error);
  }
  try {
    await file.finish();
  } catch (error) {
    failure ??= asPipelineError(error);
  }
  stop.dispose();
  const outcome: RunOutcome =
    failure !== undefined ? 'failed' : stop.requested ? 'interrupted' : 'complete';
  const { tried, done, leftOut, context } = running;
  const counts = context.recorder.counts();
  const otherSinks = [...running.others].map(([sink, count]) => ({ sink, count }));
  const left = file.kept;
  const report: ReplayReport = { outcome, tried, done, leftOut, left, otherSinks, counts };
  return failure === undefined ? { report } : { report, failure };
}

interface NamedSink {
  readonly label: string;
  readonly open: OpenSink;
}

/** An entry that is being tried, and what became of it. */
interface Attempt {
  readonly entry: DeadLetterEntry;
  /** As it stands in the file. */
  readonly line: Buffer;
  /** The operators made nothing of it, and rejected nothing. */
  readonly isLeftOut: boolean;
  /** What of it is for which sink; the same one object for each of them. */
  readonly proposals: readonly Proposal[];
  readonly sinks: readonly NamedSink[];
  /** Why it is kept: the reasons it met this time. */
  readonly reasons: Rejection[];
}

class Replay {
  readonly context: RunContext;
  tried = 0;
  done = 0;
  leftOut = 0;
  /** Entries that are left to sinks that are not here, by label. */
  readonly others = new Map<string, number>();
  readonly #options: ReplayOptions;
  readonly #file: DeadLetterRewrite;
  readonly #stop: StopSwitch;
  readonly #clean: Redactor;
  /** Of the record that is being mapped. */
  #rejected: Rejection[] = [];
  /** Whether all of it was sent before, by this replay. */
  #isRepeat = false;
  readonly #operators: readonly AnyOperator[];

  constructor(options: ReplayOptions, file: DeadLetterRewrite, stop: StopSwitch) {
    this.#options = options;
    this.#operators = tellingRepeats(options.operators, () => (this.#isRepeat = true));
    this.#file = file;
    this.#stop = stop;
    const { runId, log, env } = options;
    this.#clean = redactor(secretsOf(env));
    this.context = {
      runId,
      startedAt: Date.now(),
      signal: stop.halted,
      log,
      recorder: new Recorder(),
      env,
      reject: (rejection) => this.#rejected.push(rejection),
    };
  }

  async run(): Promise<void> {
    const { operators } = this.#options;
    const definitions = this.#options.sinks.map(withOnError);
    for (const operator of operators) operator.open?.(this.context);
    const sinks: NamedSink[] = [];
    let outcome: RunOutcome = 'failed';
    try {
      for (const sink of withDistinctLabels(definitions)) {
        sinks.push({ label: sink.label, open: await sink.open(this.context) });
      }
      const { pageSize = 500 } = this.#options;
      // The lines are not what is iterated over: those on their way at a stop would be lost.
      const turns = this.#stop.until(endless())[Symbol.asyncIterator]();
      while ((await turns.next()).done !== true) {
        const lines = await this.#file.lines(pageSize);
        if (lines.length === 0) break;
        await this.#page(lines, sinks);
      }
      outcome = this.#stop.requested ? 'interrupted' : 'complete';
    } finally {
      await this.#close(sinks, outcome);
    }
  }

  /** What of a page is not settled when a sink gives up stays as it was. */
  async #page(lines: readonly Buffer[], sinks: readonly NamedSink[]): Promise<void> {
    let kept = lines;
    try {
      const attempts: (Attempt | Buffer)[] = [];
      for (const line of lines) attempts.push(await this.#prepare(line, sinks));
      const real = attempts.filter((each): each is Attempt => !Buffer.isBuffer(each));
      await Promise.all(sinks.map((sink) => this.#deliver(sink, real)));
      kept = attempts.flatMap((each) => (Buffer.isBuffer(each) ? [each] : this.#settle(each)));
    } finally {
      await this.#file.keep(kept, lines);
    }
  }

  /** A line as it is, where there is nothing in it that could be tried. */
  async #prepare(line: Buffer, sinks: readonly NamedSink[]): Promise<Attempt | Buffer> {
    const entry = isUtf8(line) ? parseEntry(line.toString('utf8')) : undefined;
    if (entry === undefined) return line;
    const same = sinks.filter(({ label }) => label === entry.sink);
    const attempt = {
      entry,
      line,
      isLeftOut: false,
      reasons: [],
      sinks: same.length > 0 ? same : sinks,
    };
    const proposal = proposalIn(entry);
    if (proposal !== undefined) {
      if (same.length === 0 && this.#isForAnother(entry)) return line;
      return { ...attempt, proposals: [proposal] };
    }
    const record = recordIn(entry);
    if (record === undefined) return line;
    this.#rejected = [];
    this.#isRepeat = false;
    const mapped = throughOperators(of(record), this.#operators).pipe(toArray());
    const proposals = await lastValueFrom(mapped);
    const reasons = this.#rejected;
    const isLeftOut = proposals.length === 0 && reasons.length === 0 && !this.#isRepeat;
    return { ...attempt, proposals, sinks, reasons, isLeftOut };
  }

  /** Counts it then. Which sink has only changed its label can't be known: nothing is guessed. */
  #isForAnother({ kind, sink }: DeadLetterEntry): boolean {
    const { anySink = false } = this.#options;
    if (anySink || kind !== 'proposal' || sink === undefined) return false;
    this.others.set(sink, (this.others.get(sink) ?? 0) + 1);
    return true;
  }

  async #deliver(sink: NamedSink, attempts: readonly Attempt[]): Promise<void> {
    const owners = new Map<Proposal, Attempt>();
    for (const attempt of attempts) {
      if (!attempt.sinks.includes(sink)) continue;
      for (const proposal of attempt.proposals) owners.set(proposal, attempt);
    }
    if (owners.size === 0) return;
    const refusals = await sink.open.write([...owners.keys()]);
    this.context.recorder.delivered(sink.label, owners.size - refusals.length);
    for (const { proposal, code, message, attempts: tries } of refusals) {
      for (const operator of this.#options.operators) operator.onUndelivered?.(proposal);
      owners.get(proposal)?.reasons.push({
        kind: 'proposal',
        code,
        message,
        identity: `${proposal.entityUrn} ${proposal.aspectName}`,
        content: proposal,
        sink: sink.label,
        attempts: tries,
      });
    }
  }

  /** The lines that take the place of the entry's. */
  #settle({ entry, line: before, isLeftOut, reasons }: Attempt): Buffer[] {
    this.tried += 1;
    if (isLeftOut) {
      this.leftOut += 1;
      return [before];
    }
    if (reasons.length === 0) this.done += 1;
    return reasons.map((given) => {
      const reason = { ...given, message: this.#clean(given.message) };
      this.context.recorder.rejected += 1;
      this.context.recorder.warn(reason.code, reason.message, reason.identity);
      // Another operator may reject what it made of the record, and says what that is.
      const again = reason.kind === entry.kind && reason.identity === entry.identity;
      const time = new Date(this.context.startedAt).toISOString();
      const line = formatEntry({
        ...reason,
        ...(again
          ? {
              content: entry.content,
              identity: entry.identity,
              attempts: (entry.attempts ?? 1) + Math.min(1, reason.attempts ?? 1),
            }
          : {}),
        ...(again && entry.origin !== undefined ? { origin: entry.origin } : {}),
        time,
        runId: this.#options.runId,
      });
      return Buffer.from(line);
    });
  }

  async #close(sinks: readonly NamedSink[], outcome: RunOutcome): Promise<void> {
    const results = await Promise.allSettled(sinks.map(({ open }) => open.close(outcome)));
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      const reason: unknown = result.reason;
      this.context.log.error({ err: reason }, 'a sink could not be closed');
      if (outcome !== 'failed') throw reason;
    }
  }
}

function endless(): AsyncIterable<undefined> {
  const next = (): Promise<IteratorResult<undefined>> =>
    Promise.resolve({ done: false, value: undefined });
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

function asPipelineError(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  return new PipelineError(`unexpected: ${messageOf(error)}`, {
    code: 'UNEXPECTED',
    category: 'unavailable',
    cause: error,
  });
}
