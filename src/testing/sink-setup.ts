/**
 * What the sink kit works on, and how it looks at it.
 */

import { messageOf } from '../core/errors.js';
import type { Proposal } from '../datahub/proposal.js';
import type { OpenSink, Sink } from '../stream/contracts.js';
import { runContext } from './run-context.js';
import { fingerprint } from './sample-proposals.js';
import { verify } from './verify.js';

/** A sink and the other side that it delivers to. Made afresh for every check. */
export interface SinkSetup {
  readonly sink: Sink;
  /**
   * The proposals that are on the other side by now, in the order of their arrival. Asked before,
   * while and after the sink is open. For a sink whose runs replace each other: those of the last.
   */
  read(): Promise<readonly Proposal[]> | readonly Proposal[];
  /** For the fault `stall`: the other side stops answering until what this gives is called. */
  readonly stall?: () => () => void;
  /** For the fault `fail`: the other side is gone for good. */
  readonly fail?: () => Promise<void> | void;
  /** For the fault `refuse`: a proposal that the other side refuses for good. */
  readonly refused?: Proposal;
  /** Called after the check, passed or not. */
  readonly dispose?: () => Promise<void> | void;
}

/** Opens the sink of a setup in a run of its own. */
export function openSink(setup: SinkSetup, signal?: AbortSignal): Promise<OpenSink> {
  return setup.sink.open(runContext(signal === undefined ? {} : { signal }));
}

/** Delivers a batch and verifies that nothing of it was refused. */
export async function deliver(open: OpenSink, proposals: readonly Proposal[]): Promise<void> {
  const refusals = await open.write(proposals);
  const [first] = refusals;
  verify(
    first === undefined,
    `${refusals.length} of ${proposals.length} legal proposals were refused; the first: ` +
      `${first?.proposal.entityUrn ?? ''} ${first?.code ?? ''} ${first?.message ?? ''}`,
  );
}

/** Verifies that each of these is on the other side by now. */
export async function verifyArrived(
  setup: SinkSetup,
  expected: readonly Proposal[],
  when: string,
): Promise<void> {
  const arrived = new Set((await setup.read()).map(fingerprint));
  const missing = expected.map(fingerprint).filter((each) => !arrived.has(each));
  verify(
    missing.length === 0,
    `${when}, ${missing.length} of ${expected.length} proposals are missing or changed on the ` +
      `other side; the first: ${missing[0] ?? ''}`,
  );
}

/** Verifies that the other side has exactly these, for each URN in this order. */
export async function verifySame(setup: SinkSetup, expected: readonly Proposal[]): Promise<void> {
  const arrived = byUrn(await setup.read());
  const wanted = byUrn(expected);
  for (const [urn, prints] of wanted) {
    const found = arrived.get(urn) ?? [];
    verify(
      found.join('\n') === prints.join('\n'),
      `for ${urn} were delivered, in this order:\n${prints.join('\n')}\non the other side are:\n` +
        found.join('\n'),
    );
  }
  const extra = [...arrived.keys()].find((urn) => !wanted.has(urn));
  verify(extra === undefined, `${extra ?? ''} is on the other side, but was not delivered`);
}

function byUrn(proposals: readonly Proposal[]): Map<string, string[]> {
  const prints = new Map<string, string[]>();
  for (const proposal of proposals) {
    const list = prints.get(proposal.entityUrn) ?? [];
    list.push(fingerprint(proposal));
    prints.set(proposal.entityUrn, list);
  }
  return prints;
}

/** How a promise stands, after giving it `ms` milliseconds. */
export async function stateOf(
  promise: Promise<unknown>,
  ms: number,
): Promise<
  | { readonly state: 'pending' | 'fulfilled' }
  | { readonly state: 'rejected'; readonly error: unknown }
> {
  let timer: NodeJS.Timeout | undefined;
  const pending = new Promise<{ state: 'pending' }>((resolve) => {
    timer = setTimeout(() => {
      resolve({ state: 'pending' });
    }, ms);
  });
  try {
    return await Promise.race([
      pending,
      promise.then(
        () => ({ state: 'fulfilled' as const }),
        (error: unknown) => ({ state: 'rejected' as const, error }),
      ),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a step whose failure would otherwise not say what was being tried. */
export async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
  }
}
