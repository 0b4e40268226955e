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
} from '../core/rxjs.js';
import type { Proposal } from '../datahub/proposal.js';
import type {
  AnyOperator,
  OpenSink,
  OpenSource,
  Page,
  RunContext,
  RunOutcome,
  Sink,
} from './contracts.js';
import { throughOperators, narrowedPlan } from './operators.js';
import { pull } from './pull.js';
import type { StopSwitch } from './stop-switch.js';

export interface Delivery {
  readonly source: OpenSource<unknown>;
  readonly operators: readonly AnyOperator[];
  readonly sinks: readonly Sink[];
  readonly maxInFlightPages: number;
  readonly context: RunContext;
  readonly stop: StopSwitch;
  readonly flushDeadLetters: () => Promise<void>;
  /** Called when a page is done. */
  readonly onPage: () => void;
}

interface NamedSink {
  readonly label: string;
  readonly sink: OpenSink;
}

/**
 * Reads and delivers until the source ends or a stop is asked for. A page is done when each of its
 * proposals was confirmed by every sink or written to the dead-letter file.
 *
 * @returns `interrupted` where a stop was asked for before the pages came to an end
 * @throws PipelineError when the source, an operator or a sink can't go on
 */
export async function deliverPages(delivery: Delivery): Promise<RunOutcome> {
  const { source, operators, context, stop } = delivery;
  for (const operator of operators) operator.open?.(context);
  const plan = narrowedPlan(operators, source.server);

  const sinks: NamedSink[] = [];
  const writing = new Set<Promise<unknown>>();
  const abandoned = new Subject<void>();
  let outcome: RunOutcome = 'failed';
  try {
    for (const sink of delivery.sinks) {
      const opening = Promise.resolve().then(() => sink.open(context));
      sinks.push({ label: sink.label, sink: await stop.within(opening, `sink ${sink.label}`) });
    }
    const pages = pull(stop.until(source.read(plan)), {
      maxInFlight: delivery.maxInFlightPages,
      project: (page) => processPage(page, delivery, sinks, writing),
    });
    // An operator may never complete a page, and a sink never confirm it.
    const delivered = lastValueFrom(pages.pipe(ignoreElements(), takeUntil(abandoned)), {
      defaultValue: undefined,
    });
    await stop.within(delivered, 'what was on its way');
    outcome = stop.requested ? 'interrupted' : 'complete';
    return outcome;
  } finally {
    abandoned.next();
    if (outcome === 'failed') {
      if (stop.requested) outcome = 'interrupted';
      // The stream ended at once; what other pages are writing is given time to arrive.
      stop.startGrace();
      await stop.within(Promise.allSettled(writing), 'a sink').catch(logged(context));
    }
    await closeAll(sinks, outcome, delivery);
  }
}

function processPage(
  page: Page<unknown>,
  delivery: Delivery,
  sinks: readonly NamedSink[],
  writing: Set<Promise<unknown>>,
): Observable<void> {
  const { context, operators } = delivery;
  for (const rejection of page.rejected) context.reject(rejection);
  return throughOperators(from(page.records), operators).pipe(
    toArray(),
    mergeMap(async (values) => {
      const proposals = values.filter((value) => isProposal(value, context));
      for (const proposal of proposals) context.recorder.proposal(proposal);
      const writes = sinks.map((sink) => write(sink, proposals, delivery));
      for (const each of writes) writing.add(each);
      await Promise.all(writes);
      for (const each of writes) writing.delete(each);
      await delivery.flushDeadLetters();
      context.recorder.pages += 1;
      delivery.onPage();
    }),
  );
}

async function write(
  { label, sink }: NamedSink,
  proposals: readonly Proposal[],
  { context, operators }: Delivery,
): Promise<void> {
  if (proposals.length === 0) return;
  const refusals = await sink.write(proposals);
  context.recorder.delivered(label, proposals.length - refusals.length);
  for (const { proposal, code, message, attempts } of refusals) {
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
      'what came out of the last operator has no entityType, entityUrn, aspectName and aspect',
    identity: typeof entityUrn === 'string' ? entityUrn : `a ${typeof value}`,
    content: value,
  });
  return false;
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
