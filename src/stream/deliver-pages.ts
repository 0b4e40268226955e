/**
 * From the source's pages to the sinks' confirmations.
 */

import { from, ignoreElements, lastValueFrom, mergeMap, toArray, type Observable } from 'rxjs';
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
 * @throws PipelineError when the source, an operator or a sink can't go on
 */
export async function deliverPages(delivery: Delivery): Promise<void> {
  const { source, operators, context, stop } = delivery;
  for (const operator of operators) operator.open?.(context);
  const plan = narrowedPlan(operators, source.server);

  const sinks: NamedSink[] = [];
  const writing = new Set<Promise<unknown>>();
  let outcome: RunOutcome = 'failed';
  try {
    for (const sink of delivery.sinks) {
      sinks.push({ label: sink.label, sink: await sink.open(context) });
    }
    const pages = pull(stop.until(source.read(plan)), {
      maxInFlight: delivery.maxInFlightPages,
      project: (page) => processPage(page, delivery, sinks, writing),
    });
    await lastValueFrom(pages.pipe(ignoreElements()), { defaultValue: undefined });
    outcome = stop.requested ? 'interrupted' : 'complete';
  } finally {
    // An error ends the stream at once; what other pages are writing is given time to arrive.
    stop.startGrace();
    await Promise.allSettled(writing);
    await closeAll(sinks, outcome, context);
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
    mergeMap(async (proposals) => {
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

/** Closes every sink even if one fails to; the first failure is the run's, unless it had one. */
async function closeAll(
  sinks: readonly NamedSink[],
  outcome: RunOutcome,
  context: RunContext,
): Promise<void> {
  const results = await Promise.allSettled(sinks.map(({ sink }) => sink.close(outcome)));
  const failed = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  for (const reason of failed) {
    context.log.error({ err: reason }, 'a sink could not be closed');
    if (outcome !== 'failed') throw reason;
  }
}
