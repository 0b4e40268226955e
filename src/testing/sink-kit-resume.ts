/**
 * The sink kit's checks for a sink that goes on where a run broke off: one with `position()`.
 */

import type { JsonValue, Proposal } from '../datahub/proposal.js';
import type { OpenSink } from '../stream/contracts.js';
import { runContext } from './run-context.js';
import { tagProposal } from './sample-proposals.js';
import { deliver, verifyArrived, type SinkSetup } from './sink-setup.js';
import { verify } from './verify.js';

interface ResumeCheck {
  readonly name: string;
  run(setup: SinkSetup): Promise<void>;
}

const [a, b, c] = [tagProposal('a'), tagProposal('b'), tagProposal('c')];

export const resumeChecks: readonly ResumeCheck[] = [
  ...(['interrupted', 'failed'] as const).map((outcome) => ({
    name: `goes on behind what it has confirmed when a run was ${outcome}`,
    run: async (setup: SinkSetup) => {
      const first = await openRun(setup, 'first');
      await deliver(first, [a]);
      await deliver(first, [b]);
      await first.close(outcome);
      const position = positionOf(first, `after close('${outcome}')`);
      const second = await openRun(setup, 'second', position);
      await verifyArrived(setup, [a, b], 'when the next run was opened');
      await deliver(second, [c]);
      await second.close('complete');
      await verifyArrived(setup, [a, b, c], 'after the next run');
    },
  })),
  {
    name: 'goes on over several runs, those without a write among them',
    run: async (setup) => {
      let position: JsonValue | undefined;
      for (const batch of [[a], [], [b], []]) {
        const open = await openRun(setup, `run-${batch.length}`, position);
        await deliver(open, batch);
        await open.close('interrupted');
        position = positionOf(open, "after close('interrupted')");
      }
      const last = await openRun(setup, 'last', position);
      await last.close('complete');
      await verifyArrived(setup, [a, b], 'after the last run');
    },
  },
  {
    name: 'goes on from a position that more was confirmed behind',
    run: async (setup) => {
      const first = await openRun(setup, 'first');
      await deliver(first, [a]);
      const position = positionOf(first, 'after a write');
      await deliver(first, [b]); // a crash keeps its page out of the state
      await first.close('failed');
      const second = await openRun(setup, 'second', position);
      await deliver(second, [b]);
      await deliver(second, [c]);
      await second.close('complete');
      await verifyArrived(setup, [a, b, c], 'after the next run');
    },
  },
  {
    name: 'has a position that covers all that is confirmed, where calls overlap',
    run: async (setup) => {
      const batches = Array.from({ length: 20 }, (_, batch) =>
        Array.from({ length: batch + 1 }, (_, index) => tagProposal(`${batch}-${index}`)),
      );
      const first = await openRun(setup, 'first');
      const confirmed: Proposal[] = [];
      let stored: { position: JsonValue; covered: readonly Proposal[] } | undefined;
      await Promise.all(
        batches.map(async (batch, index) => {
          await deliver(first, batch);
          confirmed.push(...batch);
          if (index !== batches.length / 2) return;
          stored = { position: positionOf(first, 'between writes'), covered: [...confirmed] };
        }),
      );
      await first.close('failed');
      verify(stored !== undefined, 'no write in the middle was confirmed');
      const second = await openRun(setup, 'second', stored.position);
      await verifyArrived(setup, stored.covered, 'when the next run was opened');
      await second.close('complete');
      await verifyArrived(setup, stored.covered, 'after the next run');
    },
  },
  {
    name: 'has nothing to go on with after a run that was complete',
    run: async (setup) => {
      const first = await openRun(setup, 'first');
      await deliver(first, [a]);
      await first.close('complete');
      const position = first.position?.();
      verify(
        position === undefined,
        `after close('complete') there is a position: ${JSON.stringify(position)}`,
      );
      const second = await openRun(setup, 'second');
      await deliver(second, [b]);
      await second.close('complete');
      await verifyArrived(setup, [b], 'after another run');
    },
  },
];

/** Opens the sink in a run with state, whose id is its own. */
function openRun(setup: SinkSetup, runId: string, position?: JsonValue): Promise<OpenSink> {
  return setup.sink.open(runContext({ runId }), position === undefined ? {} : { position });
}

/** The position as it comes back from the state. */
function positionOf(open: OpenSink, when: string): JsonValue {
  verify(open.position !== undefined, 'the sink has no position()');
  const position = open.position();
  verify(position !== undefined, `${when}, position() gave nothing`);
  return JSON.parse(JSON.stringify(position)) as JsonValue;
}
