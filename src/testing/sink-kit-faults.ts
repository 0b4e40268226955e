/**
 * The sink kit's checks for an other side that stalls, fails or refuses.
 */

import { PipelineError } from '../core/errors.js';
import type { OpenSink } from '../stream/contracts.js';
import { fingerprint, tagProposal } from './sample-proposals.js';
import { openSink, stateOf, verifyArrived, verifySame, type SinkSetup } from './sink-setup.js';
import { verify } from './verify.js';

/** What the other side of a setup can be made to do. */
export type SinkFault = 'stall' | 'fail' | 'refuse';

export interface FaultCheck {
  readonly name: string;
  readonly fault: SinkFault;
  run(setup: SinkSetup): Promise<void>;
}

/** How long nothing must happen, in milliseconds, to be believed. */
const WHILE_MS = 200;
/** How long anything may take, in milliseconds. */
const SOON_MS = 10_000;

export const faultChecks: readonly FaultCheck[] = [
  {
    name: 'confirms nothing while the other side does not answer',
    fault: 'stall',
    run: async (setup) => {
      const open = await openSink(setup);
      const resume = stallOf(setup);
      const proposals = [tagProposal('a'), tagProposal('b')];
      const writing = open.write(proposals);
      const { state } = await stateOf(writing, WHILE_MS);
      verify(state === 'pending', `the write was ${state} before the other side answered`);
      resume();
      const later = await stateOf(writing, SOON_MS);
      verify(
        later.state === 'fulfilled',
        `the other side answers again, the write is ${later.state}`,
      );
      await open.close('complete');
      await verifyArrived(setup, proposals, 'after the other side answered again');
    },
  },
  {
    name: 'gives up a write when the run is broken off',
    fault: 'stall',
    run: async (setup) => {
      const abort = new AbortController();
      const open = await openSink(setup, abort.signal);
      const resume = stallOf(setup);
      try {
        const writing = open.write([tagProposal('a')]);
        await stateOf(writing, WHILE_MS);
        abort.abort();
        const { state } = await stateOf(writing, SOON_MS);
        verify(state === 'rejected', `the run was aborted and the write is ${state}`);
        const closed = await stateOf(open.close('failed'), SOON_MS);
        verify(closed.state !== 'pending', 'the run was aborted and close never ends');
      } finally {
        resume();
      }
    },
  },
  {
    name: 'fails with a PipelineError when nothing more can be delivered',
    fault: 'fail',
    run: async (setup) => {
      const open = await openSink(setup);
      await open.write([tagProposal('before')]);
      verify(setup.fail !== undefined, 'the setup has no fail()');
      await setup.fail();
      await verifyFails(open, 'first');
      await verifyFails(open, 'second');
      const closed = await stateOf(open.close('failed'), SOON_MS);
      verify(closed.state !== 'pending', 'after a failure close never ends');
    },
  },
  {
    name: 'gives back what is refused for good, and delivers its neighbours',
    fault: 'refuse',
    run: async (setup) => {
      const { refused } = setup;
      verify(refused !== undefined, 'the setup has no refused proposal');
      const before = tagProposal('before');
      const after = tagProposal('after');
      const open = await openSink(setup);
      const refusals = await open.write([before, refused, after]);
      const [refusal] = refusals;
      verify(
        refusals.length === 1 && refusal !== undefined,
        `one proposal of three is refused, write() gave ${refusals.length} refusals`,
      );
      verify(refusal.proposal === refused, 'the refusal must hold the very proposal it is about');
      verify(/^[A-Z][A-Z0-9_]*$/.test(refusal.code), `${refusal.code} is no code: UPPER_CASE`);
      verify(refusal.message !== '', 'the refusal has no message');
      verify(refusal.attempts >= 1, 'the refusal must count its attempts, at least 1');
      const alone = await open.write([refused]);
      verify(alone.length === 1, 'alone in its batch, the proposal was not refused');
      await open.close('complete');
      await verifySame(setup, [before, after]);
    },
  },
];

function stallOf(setup: SinkSetup): () => void {
  verify(setup.stall !== undefined, 'the setup has no stall()');
  return setup.stall();
}

async function verifyFails(open: OpenSink, which: string): Promise<void> {
  const proposal = tagProposal(`after-${which}`);
  const result = await stateOf(open.write([proposal]), SOON_MS);
  verify(
    result.state === 'rejected',
    `the other side is gone, and the ${which} write of ${fingerprint(proposal)} is ${result.state}`,
  );
  verify(
    result.error instanceof PipelineError,
    `the ${which} write failed with something else than a PipelineError: ${String(result.error)}`,
  );
}
