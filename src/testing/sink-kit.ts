/**
 * The checks that every sink must pass, for any test framework: what `Sink` and `OpenSink` promise,
 * tried out.
 */

import type { Proposal } from '../datahub/proposal.js';
import type { RunOutcome } from '../stream/contracts.js';
import { runContext } from './run-context.js';
import { awkwardProposals, deepFrozen, fingerprint, tagProposal } from './sample-proposals.js';
import { faultChecks, type SinkFault } from './sink-kit-faults.js';
import { resumeChecks } from './sink-kit-resume.js';
import {
  deliver,
  openSink,
  step,
  verifyArrived,
  verifySame,
  type SinkSetup,
} from './sink-setup.js';
import { verify, withSetups, type KitCheck } from './verify.js';

export interface SinkKitOptions {
  /** Makes a sink and an other side that holds nothing yet. */
  readonly open: () => Promise<SinkSetup> | SinkSetup;
  /** Which faults the setups can bring about; their checks are added. Default: none. */
  readonly faults?: readonly SinkFault[];
  /**
   * Whether the sink has `position()`, and so goes on where a run with state broke off; the checks
   * for that are added. Default: no.
   */
  readonly resumes?: boolean;
  /** How many proposals the large batch has. Default 5,000. */
  readonly largeBatch?: number;
}

/**
 * The checks for a sink, each a name and a function that rejects when the sink breaks its contract.
 *
 * @example
 * const open = () => {
 *   const server = startServer();
 *   return { sink: mySink({ url: server.url }), read: () => server.received };
 * };
 * for (const check of sinkKit({ open })) test(check.name, () => check.run());
 */
export function sinkKit(options: SinkKitOptions): readonly KitCheck[] {
  const { open, faults = [], resumes = false, largeBatch = 5_000 } = options;
  const ordinary: readonly Check[] = [
    ...deliveryChecks,
    largeBatchCheck(largeBatch),
    ...closingChecks,
    ...(resumes ? resumeChecks : []),
  ];
  const checks = [...ordinary, ...faultChecks.filter(({ fault }) => faults.includes(fault))];
  return withSetups(open, checks);
}

interface Check {
  readonly name: string;
  run(setup: SinkSetup): Promise<void>;
}

const deliveryChecks: readonly Check[] = [
  {
    name: 'has a label of one line',
    run: ({ sink }) => {
      verify(/^\S.*$/.test(sink.label), `the label is ${JSON.stringify(sink.label)}`);
      return Promise.resolve();
    },
  },
  {
    name: 'checks the other side and changes nothing there',
    run: async (setup) => {
      const found = await setup.sink.check(runContext());
      verify(/^\S.*$/.test(found), `check() must say in a line what it found: ${found}`);
      await verifySame(setup, []);
    },
  },
  {
    name: 'delivers nothing where nothing was written',
    run: async (setup) => {
      const open = await openSink(setup);
      await open.close('complete');
      await verifySame(setup, []);
    },
  },
  {
    name: 'takes an empty batch anywhere',
    run: async (setup) => {
      const open = await openSink(setup);
      await deliver(open, []);
      await deliver(open, [tagProposal('a')]);
      await deliver(open, []);
      await deliver(open, [tagProposal('b')]);
      await open.close('complete');
      await verifySame(setup, [tagProposal('a'), tagProposal('b')]);
    },
  },
  {
    name: 'confirms a batch only after its delivery',
    run: async (setup) => {
      const open = await openSink(setup);
      const delivered: Proposal[] = [];
      for (const size of [1, 3, 20]) {
        const batch = Array.from({ length: size }, (_, index) => tagProposal(`${size}-${index}`));
        await deliver(open, batch);
        delivered.push(...batch);
        await verifyArrived(setup, delivered, `when the write of ${size} was confirmed`);
      }
      await open.close('complete');
      await verifySame(setup, delivered);
    },
  },
  {
    name: 'delivers what is for one entity in the order of the calls',
    run: async (setup) => {
      const open = await openSink(setup);
      const batches = versionsOf(3, 10);
      for (const batch of batches) await deliver(open, batch);
      await open.close('complete');
      await verifySame(setup, batches.flat());
    },
  },
  {
    name: 'keeps that order where calls overlap',
    run: async (setup) => {
      const open = await openSink(setup);
      const batches = versionsOf(7, 40);
      await Promise.all(batches.map((batch) => deliver(open, batch)));
      await verifyArrived(setup, batches.flat(), 'when all overlapping writes were confirmed');
      await open.close('complete');
      await verifySame(setup, batches.flat());
    },
  },
  {
    name: 'delivers awkward but legal content as it is',
    run: async (setup) => {
      const open = await openSink(setup);
      const proposals = awkwardProposals();
      // One at a time first: a message about a batch would not say which one it is.
      for (const proposal of proposals) {
        await step(fingerprint(proposal), () => deliver(open, [proposal]));
      }
      const again = proposals.map((proposal) => ({ ...proposal, aspectName: 'tagKey' }));
      await deliver(open, again);
      await open.close('complete');
      await verifySame(setup, [...proposals, ...again]);
    },
  },
  {
    name: 'leaves the proposals as they are',
    run: async (setup) => {
      const open = await openSink(setup);
      const batch = Object.freeze([...awkwardProposals()].map(deepFrozen));
      await step('writing frozen proposals', () => deliver(open, batch));
      await open.close('complete');
    },
  },
];

function largeBatchCheck(size: number): Check {
  return {
    name: `delivers a batch of ${size} proposals, with a large one among them`,
    run: async (setup) => {
      const open = await openSink(setup);
      const batch = Array.from({ length: size }, (_, index) => tagProposal(`tag-${index}`));
      batch.splice(size / 2, 0, tagProposal('large', { name: 'ü'.repeat(400_000) }));
      await deliver(open, batch);
      await open.close('complete');
      await verifySame(setup, batch);
    },
  };
}

const outcomes: readonly RunOutcome[] = ['complete', 'interrupted', 'failed'];

const closingChecks: readonly Check[] = [
  ...outcomes.map((outcome) => ({
    name: `keeps what it has confirmed when the run is ${outcome}`,
    run: async (setup: SinkSetup) => {
      const open = await openSink(setup);
      const proposals = [tagProposal('a'), tagProposal('b')];
      await deliver(open, proposals);
      await open.close(outcome);
      await verifyArrived(setup, proposals, `after close('${outcome}')`);
    },
  })),
  {
    name: 'closes without a write, whatever the outcome',
    run: async (setup) => {
      for (const outcome of outcomes) {
        const open = await openSink(setup);
        await step(`close('${outcome}')`, () => open.close(outcome));
      }
    },
  },
  {
    name: 'can be opened again for another run',
    run: async (setup) => {
      for (const tag of ['first', 'second']) {
        const open = await openSink(setup);
        await deliver(open, [tagProposal(tag)]);
        await open.close('complete');
        await verifyArrived(setup, [tagProposal(tag)], `after the ${tag} run`);
      }
    },
  },
];

/** For each of so many tags, `count` versions of one aspect; a batch has one version of each. */
function versionsOf(tags: number, count: number): Proposal[][] {
  return Array.from({ length: count }, (_, version) =>
    Array.from({ length: tags }, (_, tag) =>
      tagProposal(`tag-${tag}`, { name: `version ${version}` }),
    ),
  );
}
