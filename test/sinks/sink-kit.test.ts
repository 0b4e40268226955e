/**
 * The kit itself: that it finds the sinks that break their word.
 */

import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { PipelineError } from '../../src/core/errors.js';
import type { OpenSink, Refusal } from '../../src/stream/contracts.js';
import {
  awkwardProposals,
  fingerprint,
  sinkKit,
  tagProposal,
  type SinkSetup,
} from '../../src/testing/index.js';
import { describeSink } from '../support/sink-kit.js';

type Deliver = (
  arrived: Proposal[],
  proposals: readonly Proposal[],
) => ReturnType<OpenSink['write']>;

const honest: Deliver = (arrived, proposals) => {
  arrived.push(...proposals);
  return Promise.resolve([]);
};

function setupOf(deliver: Deliver, parts: Partial<SinkSetup> & { close?: () => void } = {}) {
  const arrived: Proposal[] = [];
  const setup: SinkSetup = {
    sink: {
      label: 'memory',
      open: () =>
        Promise.resolve({
          write: (proposals) => deliver(arrived, proposals),
          close: () => {
            parts.close?.();
            return Promise.resolve();
          },
        }),
      check: () => Promise.resolve('memory is there'),
    },
    read: () => arrived,
    ...parts,
  };
  return setup;
}

/** The names of the checks that a sink does not pass. */
async function broken(
  setup: () => SinkSetup,
  faults: Parameters<typeof sinkKit>[0]['faults'] = [],
  resumes = false,
) {
  const names: string[] = [];
  for (const check of sinkKit({ open: setup, faults, resumes, largeBatch: 100 })) {
    await check.run().catch(() => names.push(check.name));
  }
  return names;
}

interface Faults {
  /** Starts over whatever the position says. */
  readonly forgets?: boolean;
  /** Gives a position that leaves out the last batch. */
  readonly lags?: boolean;
  /** Has no position. */
  readonly silent?: boolean;
  /** Gives a position after a complete run, too. */
  readonly lasts?: boolean;
}

/** A sink that goes on where a run broke off: each complete run leaves a list of its own. */
function resumable({ forgets, lags, silent, lasts }: Faults = {}): SinkSetup {
  const complete: Proposal[] = [];
  let partial: Proposal[] = [];
  return {
    sink: {
      label: 'memory',
      open: (_context, memory) => {
        const length = forgets === true ? 0 : Number(memory?.position ?? 0);
        partial = partial.slice(0, length);
        let before = length;
        let over = false;
        return Promise.resolve({
          write: (proposals) => {
            before = partial.length;
            partial.push(...proposals);
            return Promise.resolve([]);
          },
          ...(silent === true
            ? {}
            : {
                position: () =>
                  over && lasts !== true ? undefined : lags === true ? before : partial.length,
              }),
          close: (outcome) => {
            if (outcome === 'complete') complete.push(...partial.splice(0));
            over = outcome === 'complete';
            return Promise.resolve();
          },
        });
      },
      check: () => Promise.resolve('memory is there'),
    },
    read: () => [...complete, ...partial],
  };
}

const tick = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const refused = tagProposal('refused');
const refusalOf = (proposal: Proposal): Refusal => ({
  proposal,
  code: 'REFUSED',
  message: 'no such tag',
  attempts: 1,
});

describeSink('an honest sink', {
  faults: ['refuse'],
  open: () =>
    setupOf(
      (arrived, proposals) => {
        arrived.push(...proposals.filter((proposal) => proposal !== refused));
        return Promise.resolve(proposals.filter((each) => each === refused).map(refusalOf));
      },
      { refused },
    ),
});

describeSink('a sink that goes on where a run broke off', {
  resumes: true,
  open: () => resumable(),
});

describe('the sink kit', () => {
  it('finds a sink that does not go on where a run broke off', async () => {
    const after = ['interrupted', 'failed'].map(
      (outcome) => `goes on behind what it has confirmed when a run was ${outcome}`,
    );
    const several = 'goes on over several runs, those without a write among them';
    const behind = 'goes on from a position that more was confirmed behind';
    const overlapping = 'has a position that covers all that is confirmed, where calls overlap';
    const complete = 'has nothing to go on with after a run that was complete';
    const names = (faults: Faults) => broken(() => resumable(faults), [], true);
    expect(await names({ forgets: true })).toEqual([...after, several, behind, overlapping]);
    expect(await names({ lags: true })).toEqual([...after, several, behind]);
    expect(await names({ lasts: true })).toEqual([complete]);
    expect(await names({ silent: true })).toEqual([...after, several, behind, overlapping]);
  });

  it('finds a sink that confirms what it has only buffered', async () => {
    const names = await broken(() =>
      setupOf((arrived, proposals) => {
        setTimeout(() => arrived.push(...proposals), 20);
        return Promise.resolve([]);
      }),
    );
    expect(names).toContain('confirms a batch only after its delivery');
  });

  it('finds a sink that lets overlapping calls overtake each other', async () => {
    let call = 0;
    const names = await broken(() =>
      setupOf(async (arrived, proposals) => {
        await tick((call++ % 2) * 10);
        return honest(arrived, proposals);
      }),
    );
    expect(names).toEqual(['keeps that order where calls overlap']);
  });

  it('finds a sink that changes content', async () => {
    const names = await broken(() =>
      setupOf((arrived, proposals) => {
        const text = JSON.stringify(proposals);
        const spoilt = Buffer.from(text.replaceAll('😀', '\ud83d'), 'utf8').toString('utf8');
        return honest(arrived, JSON.parse(spoilt) as Proposal[]);
      }),
    );
    expect(names).toEqual(['delivers awkward but legal content as it is']);
  });

  it('finds a sink that loses what __proto__ stands for', async () => {
    const names = await broken(() =>
      setupOf((arrived, proposals) => {
        const copies = proposals.map((proposal) => {
          const aspect: Record<string, unknown> = {};
          for (const [key, value] of Object.entries(proposal.aspect)) aspect[key] = value;
          return { ...proposal, aspect } as Proposal;
        });
        return honest(arrived, copies);
      }),
    );
    expect(names).toEqual(['delivers awkward but legal content as it is']);
  });

  it('finds a sink that changes the proposals it is given', async () => {
    const names = await broken(() =>
      setupOf((arrived, proposals) => {
        for (const proposal of proposals) Object.assign(proposal, { sent: true });
        return honest(arrived, proposals);
      }),
    );
    expect(names).toEqual(['leaves the proposals as they are']);
  });

  it('finds a sink that sends things twice, or drops the last one', async () => {
    const twice = await broken(() =>
      setupOf((arrived, proposals) => honest(arrived, [...proposals, ...proposals])),
    );
    expect(twice).toContain('delivers what is for one entity in the order of the calls');
    const short = await broken(() =>
      setupOf((arrived, proposals) => honest(arrived, proposals.slice(0, -1))),
    );
    expect(short).toContain('confirms a batch only after its delivery');
  });

  it('finds a sink that throws away what it has when the run fails', async () => {
    const names = await broken(() => {
      const arrived: Proposal[] = [];
      return setupOf((_, proposals) => honest(arrived, proposals), {
        read: () => arrived,
        close: () => (arrived.length = 0),
      });
    });
    expect(names).toContain('keeps what it has confirmed when the run is failed');
  });

  it('finds a sink that fails whole batches, or refuses without a reason', async () => {
    const failing = await broken(
      () =>
        setupOf(
          (arrived, proposals) =>
            proposals.includes(refused)
              ? Promise.reject(new Error('400'))
              : honest(arrived, proposals),
          { refused },
        ),
      ['refuse'],
    );
    expect(failing).toEqual(['gives back what is refused for good, and delivers its neighbours']);
    const silent = await broken(
      () =>
        setupOf(
          (arrived, proposals) => {
            arrived.push(...proposals.filter((each) => each !== refused));
            const refusals = proposals.filter((each) => each === refused).map(refusalOf);
            return Promise.resolve(refusals.map((refusal) => ({ ...refusal, message: '' })));
          },
          { refused },
        ),
      ['refuse'],
    );
    expect(silent).toEqual(failing);
  });

  it('finds a sink that hides a failure, or fails with an error of its own', async () => {
    for (const error of [undefined, new TypeError('x is not a function')]) {
      const names = await broken(() => {
        let failed = false;
        return setupOf(
          (arrived, proposals) =>
            failed && error !== undefined ? Promise.reject(error) : honest(arrived, proposals),
          { fail: () => void (failed = true) },
        );
      }, ['fail']);
      expect(names).toEqual(['fails with a PipelineError when nothing more can be delivered']);
    }
  });

  it('passes a sink that fails as it should', async () => {
    const names = await broken(() => {
      let failed = false;
      const gone = new PipelineError('gone', { code: 'SINK_FAILED', category: 'unavailable' });
      return setupOf(
        (arrived, proposals) => (failed ? Promise.reject(gone) : honest(arrived, proposals)),
        { fail: () => void (failed = true) },
      );
    }, ['fail']);
    expect(names).toEqual([]);
  });

  it('finds a sink that confirms while the other side is silent', async () => {
    const names = await broken(() => setupOf(honest, { stall: () => () => undefined }), ['stall']);
    expect(names).toEqual([
      'confirms nothing while the other side does not answer',
      'gives up a write when the run is broken off',
    ]);
  });

  it('cleans up after each check, passed or not', async () => {
    let open = 0;
    for (const deliver of [honest, () => Promise.reject(new Error('no'))]) {
      await broken(() => {
        open += 1;
        return setupOf(deliver, { dispose: () => void (open -= 1) });
      });
    }
    expect(open).toBe(0);
  });

  it('tells its awkward proposals apart, whatever the order of keys', () => {
    const prints = awkwardProposals().map(fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expect(fingerprint(tagProposal('a', { x: 1, y: [{ b: 1, a: 2 }] }))).toBe(
      fingerprint(tagProposal('a', { y: [{ a: 2, b: 1 }], x: 1 })),
    );
  });
});
