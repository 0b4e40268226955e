/**
 * From the source's pages to the sinks' confirmations.
 */

import { messageOf } from '../core/errors.js';
import {
  from,
  ignoreElements,
  lastValueFrom,
  mergeMap,
  type Observable,
  Subject,
  takeUntil,
  toArray,
} from 'rxjs';
import type { Proposal } from '../datahub/proposal.js';
import type { StaleReport } from '../state/options.js';
import type {
  AnyOperator,
  OpenSink,
  OpenSource,
  Page,
  ReadPlan,
  RunContext,
  RunOutcome,
  Sink,
} from './contracts.js';
import { forgetful, type PageNotes, type StateKeeper } from './keep-state.js';
import { throughOperators, narrowedPlan } from './operators.js';
import { pull } from './pull.js';
import { NOTHING_STALE, removeStale } from './remove-stale.js';
import type { StopSwitch } from './stop-switch.js';

export interface Delivery {
  readonly source: OpenSource<unknown>;
  readonly operators: readonly AnyOperator[];
  readonly sinks: readonly Sink[];
  readonly maxInFlightPages: number;
  readonly dryRun: boolean;
  readonly context: RunContext;
  readonly stop: StopSwitch;
  /** Opens the state, once it is known what is read; gives nothing where none is kept. */
  readonly openState: (plan: ReadPlan) => StateKeeper | undefined;
  readonly flushDeadLetters: () => Promise<void>;
  /** Called when a page is done. */
  readonly onPage: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Delivered {
  /** `interrupted` where a stop was asked for before the pages came to an end. */
  readonly outcome: RunOutcome;
  readonly stale: StaleReport;
}

interface NamedSink {
  readonly label: string;
  readonly sink: OpenSink;
}

/** What a run works with once everything is open. */
interface Opened extends Delivery {
  readonly plan: ReadPlan;
  readonly keeper: StateKeeper | undefined;
  readonly open: NamedSink[];
  readonly writing: Set<Promise<unknown>>;
}

/**
 * Reads and delivers until the source ends or a stop is asked for. A page is done when each of its
 * proposals was confirmed by every sink or written to the dead-letter file, and that is noted in
 * the state where one is kept.
 *
 * @throws PipelineError when the source, an operator, a sink or the state can't go on
 */
export async function deliverPages(delivery: Delivery): Promise<Delivered> {
  const { source, operators, context, stop } = delivery;
  for (const operator of operators) operator.open?.(context);
  const narrowed = narrowedPlan(operators, source.server);
  const keeper = delivery.openState(narrowed);
  const plan = keeper?.plan(narrowed) ?? narrowed;
  keeper?.mappedBy(operators, source.server);
  const opened: Opened = { ...delivery, plan, keeper, open: [], writing: new Set() };

  const abandoned = new Subject<void>();
  let outcome: RunOutcome = 'failed';
  let stale = NOTHING_STALE;
  try {
    await openSinks(opened);
    const pages = pull(stop.until(source.read(plan)), {
      maxInFlight: delivery.maxInFlightPages,
      project: (page) => processPage(page, opened),
    });
    // An operator may never complete a page, and a sink never confirm it.
    const delivered = lastValueFrom(pages.pipe(ignoreElements(), takeUntil(abandoned)), {
      defaultValue: undefined,
    });
    await stop.within(delivered, 'what was on its way');
    if (!stop.requested) stale = await stop.within(removeGone(opened), 'what is to be removed');
    outcome = stop.requested ? 'interrupted' : 'complete';
  } finally {
    abandoned.next();
    if (outcome === 'failed') {
      if (stop.requested) outcome = 'interrupted';
      // The stream ended at once; what other pages are writing is given time to arrive.
      stop.startGrace();
      await stop.within(Promise.allSettled(opened.writing), 'a sink').catch(logged(context));
    }
    await closeAll(opened.open, outcome, delivery);
  }
  keeper?.noteSinks();
  if (outcome === 'complete') keeper?.complete(delivery.now(), source.lostWorkspaces);
  return { outcome, stale };
}

async function openSinks({ sinks, open, keeper, context, stop }: Opened): Promise<void> {
  for (const sink of sinks) {
    const { label } = sink;
    const opening = Promise.resolve().then(() => sink.open(context, keeper?.sinkMemory(label)));
    const named = { label, sink: await stop.within(opening, `sink ${label}`) };
    open.push(named);
    keeper?.opened(label, named.sink);
  }
  // Before anything is written: what a run that is killed at once leaves must be found again.
  keeper?.noteSinks();
}

function processPage(page: Page<unknown>, opened: Opened): Observable<void> {
  const { context, operators, keeper } = opened;
  for (const rejection of page.rejected) context.reject(rejection);
  const { records, unchanged, notes } = keeper?.begin(page) ?? forgetful(page);
  if (unchanged > 0) context.recorder.skipped('unchanged since it was delivered', unchanged);
  return throughOperators(from(records), operators).pipe(
    toArray(),
    mergeMap(async (values) => {
      const proposals = values.filter((value) => isProposal(value, context));
      for (const proposal of proposals) context.recorder.proposal(proposal);
      await deliver(notes(proposals), opened);
      context.recorder.pages += 1;
      opened.onPage();
    }),
  );
}

/** To every sink what it does not have; done when all is confirmed and noted. */
async function deliver(notes: PageNotes, opened: Opened): Promise<void> {
  const { writing } = opened;
  if (opened.dryRun) for (const label of opened.keeper?.labels ?? []) notes.unsent(label);
  const writes = opened.open.map((sink) => write(sink, notes, opened));
  for (const each of writes) writing.add(each);
  await Promise.all(writes);
  for (const each of writes) writing.delete(each);
  await opened.flushDeadLetters();
  await notes.delivered();
}

async function write(
  { label, sink }: NamedSink,
  notes: PageNotes,
  { context, operators }: Delivery,
): Promise<void> {
  const proposals = notes.unsent(label);
  if (proposals.length === 0) return;
  const refusals = await sink.write(proposals);
  context.recorder.delivered(label, proposals.length - refusals.length);
  for (const { proposal, code, message, attempts } of refusals) {
    notes.refused(label, proposal);
    for (const operator of operators) operator.onUndelivered?.(proposal);
    context.reject({
      kind: 'proposal',
      code,
      message,
      identity: `${proposal.entityUrn} ${proposal.aspectName}`,
      content: proposal,
      sink: label,
      attempts,
    });
  }
}

async function removeGone(opened: Opened): Promise<StaleReport> {
  const { keeper, source, plan, context, dryRun } = opened;
  if (keeper === undefined) return NOTHING_STALE;
  return removeStale({
    keeper,
    source,
    plan,
    context,
    dryRun,
    deliver: (notes) => deliver(notes, opened),
  });
}

/** Operators of one's own may give anything: what is no proposal is set aside by itself. */
function isProposal(value: unknown, context: RunContext): value is Proposal {
  const { entityType, entityUrn, aspectName, aspect } = (value ?? {}) as Partial<Proposal>;
  if (isText(entityType) && isText(entityUrn) && isText(aspectName) && typeof aspect === 'object') {
    return true;
  }
  context.reject({
    kind: 'record',
    code: 'NOT_A_PROPOSAL',
    message:
      'what came out of the last operator is no proposal, which has entityType, entityUrn, ' +
      'aspectName and aspect: is mapToProposals() missing, or does an operator give something else?',
    identity: typeof entityUrn === 'string' && entityUrn !== '' ? entityUrn : looksOf(value),
    content: value,
  });
  return false;
}

/** `record of kind run`, `number`. */
function looksOf(value: unknown): string {
  const { kind } = (value ?? {}) as { readonly kind?: unknown };
  return typeof kind === 'string' ? `record of kind ${kind}` : typeof value;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** Closes every sink even if one fails to; the first failure is the run's, unless it had one. */
async function closeAll(
  sinks: readonly NamedSink[],
  outcome: RunOutcome,
  { context, stop }: Delivery,
): Promise<void> {
  const results = await Promise.allSettled(
    sinks.map(async ({ label, sink }) => stop.within(sink.close(outcome), `sink ${label}`)),
  );
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    if (outcome === 'complete') throw result.reason;
    logged(context)(result.reason);
  }
}

/** For what goes wrong after the run has failed: the first error is the one to report. */
function logged({ log }: RunContext): (error: unknown) => void {
  return (error) => {
    log.error({ reason: messageOf(error) }, 'after the run had failed, more went wrong');
  };
}
