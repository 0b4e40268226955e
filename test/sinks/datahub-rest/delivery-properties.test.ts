import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/core/errors.js';
import type { Proposal } from '../../../src/datahub/proposal.js';
import { BatchDelivery } from '../../../src/sinks/datahub-rest/deliver-batch.js';
import { RefusedError, ServiceFailedError } from '../../../src/sinks/datahub-rest/failures.js';
import { Lanes, type Parcel } from '../../../src/sinks/datahub-rest/lanes.js';
import { runContext, tagProposal } from '../../../src/testing/index.js';

const PLACE = { request: 'POST http://host/aspects', redact: (text: string) => text };

/** A proposal told by its number, with the kind of its fate. */
interface Plan {
  readonly urn: number;
  readonly aspect: number;
  readonly fate: 'taken' | 'refused' | 'poison' | 'unfit';
  readonly bytes: number;
}

const plan = fc.record<Plan>({
  urn: fc.nat(6),
  aspect: fc.nat(3),
  fate: fc.oneof(
    { weight: 12, arbitrary: fc.constant('taken' as const) },
    { weight: 2, arbitrary: fc.constant('refused' as const) },
    { weight: 1, arbitrary: fc.constant('poison' as const) },
    { weight: 1, arbitrary: fc.constant('unfit' as const) },
  ),
  bytes: fc.integer({ min: 1, max: 40 }),
});

type Fault = 'none' | 'unavailable' | 'failed' | 'taken, but nobody hears of it';

const scenario = fc.record({
  pages: fc.array(fc.array(plan, { maxLength: 25 }), { minLength: 1, maxLength: 6 }),
  /** Whether a write waits for the one before it. */
  oneByOne: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 4 }),
  maxProposals: fc.integer({ min: 1, max: 12 }),
  maxBytes: fc.integer({ min: 41, max: 200 }),
  faults: fc.infiniteStream(
    fc.oneof(
      { weight: 9, arbitrary: fc.constant<Fault>('none') },
      { weight: 1, arbitrary: fc.constant<Fault>('unavailable') },
      { weight: 1, arbitrary: fc.constant<Fault>('failed') },
      { weight: 1, arbitrary: fc.constant<Fault>('taken, but nobody hears of it') },
    ),
  ),
  turns: fc.infiniteStream(fc.nat(4)),
});

/** Requests in the order in which the service came to them; those at a time share no entity. */
class Service {
  readonly taken: number[] = [];
  readonly sizes: number[] = [];
  mostAtATime = 0;
  overlaps = 0;
  readonly #underWay = new Map<string, number>();
  readonly #failedAlone = new Set<Parcel>();
  #atATime = 0;

  constructor(
    private readonly plans: ReadonlyMap<Proposal, { id: number; plan: Plan }>,
    private readonly faults: Iterator<Fault>,
    private readonly turns: Iterator<number>,
  ) {}

  async post(parcels: readonly Parcel[]): Promise<void> {
    const urns = new Set(parcels.map(({ proposal }) => proposal.entityUrn));
    for (const urn of urns) {
      if (this.#underWay.has(urn)) this.overlaps += 1;
      this.#underWay.set(urn, 1);
    }
    this.#atATime += 1;
    this.mostAtATime = Math.max(this.mostAtATime, this.#atATime);
    this.sizes.push(parcels.length);
    const turns = Number(this.turns.next().value);
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    this.#atATime -= 1;
    for (const urn of urns) this.#underWay.delete(urn);
    this.#answer(parcels);
  }

  /** One alone not again and again: it could not be told from one that DataHub can't take. */
  #mayFail(parcels: readonly Parcel[]): boolean {
    const [only] = parcels;
    if (only === undefined || parcels.length > 1) return true;
    const before = this.#failedAlone.has(only);
    this.#failedAlone.add(only);
    return !before;
  }

  #answer(parcels: readonly Parcel[]): void {
    const fault = this.faults.next().value as Fault;
    if (fault === 'unavailable') {
      throw new PipelineError('503', { code: 'X', category: 'unavailable', retryable: true });
    }
    if (fault === 'failed' && this.#mayFail(parcels)) {
      throw new ServiceFailedError(PLACE, 'now and then', undefined);
    }
    const known = parcels.flatMap(({ proposal }) => this.plans.get(proposal) ?? []);
    if (known.some(({ plan: { fate } }) => fate === 'refused')) {
      throw new RefusedError(PLACE, 422, 'no');
    }
    if (known.some(({ plan: { fate } }) => fate === 'poison')) {
      throw new ServiceFailedError(PLACE, 'NullPointerException', undefined);
    }
    this.taken.push(...known.map(({ id }) => id));
    if (fault === 'taken, but nobody hears of it') {
      throw new PipelineError('cut', { code: 'X', category: 'unavailable', retryable: true });
    }
  }
}

describe('delivery in lanes', () => {
  it('settles each proposal once, and keeps those of an entity in order, under faults', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const plans = new Map<Proposal, { id: number; plan: Plan }>();
        const pages = given.pages.map((page) =>
          page.map((each) => {
            const proposal: Proposal = {
              ...tagProposal(`tag-${each.urn}`),
              aspectName: `aspect-${each.aspect}`,
            };
            plans.set(proposal, { id: plans.size, plan: each });
            return proposal;
          }),
        );
        const service = new Service(plans, given.faults, given.turns);
        const settings = { deliveryTimeoutMs: 300, minDelayMs: 1, maxDelayMs: 2 };
        const delivery = new BatchDelivery({
          settings,
          context: runContext(),
          post: (parcels) => service.post(parcels),
        });
        const settled: Proposal[] = [];
        const batches: (readonly Parcel[])[] = [];
        const lanes = new Lanes({
          concurrency: given.concurrency,
          maxProposals: given.maxProposals,
          maxBytes: given.maxBytes,
          prepare: (proposal) => {
            const { plan: known } = plans.get(proposal) ?? {};
            return known?.fate === 'unfit'
              ? { code: 'UNFIT', message: 'unfit' }
              : { proposal, json: '', bytes: known?.bytes ?? 0, attempts: 0 };
          },
          deliver: (batch, settle) => {
            batches.push(batch);
            return delivery.deliver(batch, (parcel, refused) => {
              settled.push(parcel.proposal);
              settle(parcel, refused);
            });
          },
        });

        let failure: unknown;
        const writes: Promise<readonly { readonly proposal: Proposal }[]>[] = [];
        for (const page of pages) {
          const writing = lanes.write(page).catch((error: unknown) => {
            failure = error;
            return [];
          });
          writes.push(writing);
          if (given.oneByOne) await writing;
        }
        const refused = (await Promise.all(writes)).flat().map(({ proposal }) => proposal);

        expect(service.overlaps).toBe(0);
        expect(service.mostAtATime).toBeLessThanOrEqual(given.concurrency);
        expect(Math.max(0, ...service.sizes)).toBeLessThanOrEqual(given.maxProposals);
        for (const batch of batches) {
          const bytes = batch.reduce((sum, parcel) => sum + parcel.bytes + 1, 0);
          if (batch.length > 1) expect(bytes).toBeLessThanOrEqual(given.maxBytes);
          const keys = batch.map(({ proposal }) => `${proposal.entityUrn} ${proposal.aspectName}`);
          expect(new Set(keys).size).toBe(keys.length);
        }
        // Only poison alone, with nothing else to compare it with, may end the run.
        if (failure !== undefined) {
          expect([...plans.values()].some(({ plan: { fate } }) => fate === 'poison')).toBe(true);
          return;
        }
        const taken = new Set(service.taken);
        expect(refused.length).toBe(new Set(refused).size);
        expect(settled.length).toBe(new Set(settled).size);
        for (const [proposal, { id, plan: known }] of plans) {
          expect(taken.has(id)).toBe(known.fate === 'taken');
          expect(refused.includes(proposal)).toBe(known.fate !== 'taken');
        }
        // For each aspect of an entity, what the service holds in the end is the last of those
        // it took; in between there may be repeats of the newest, never of an older one.
        const newest = new Map<string, number>();
        for (const id of service.taken) {
          const proposal = [...plans.keys()][id];
          const key = `${proposal?.entityUrn ?? ''} ${proposal?.aspectName ?? ''}`;
          expect(id).toBeGreaterThanOrEqual(newest.get(key) ?? -1);
          newest.set(key, id);
        }
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it('takes the first delivery of each entity in the order of the calls', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const plans = new Map<Proposal, { id: number; plan: Plan }>();
        const all = given.pages.flat().map((each, id) => {
          const proposal = { ...tagProposal(`tag-${each.urn}`), aspectName: `a${each.aspect}` };
          plans.set(proposal, { id, plan: { ...each, fate: 'taken' } });
          return proposal;
        });
        const none: Iterator<Fault> = { next: () => ({ value: 'none' }) };
        const service = new Service(plans, none, given.turns);
        const lanes = new Lanes({
          concurrency: given.concurrency,
          maxProposals: given.maxProposals,
          maxBytes: given.maxBytes,
          prepare: (proposal) => ({ proposal, json: '', bytes: 3, attempts: 0 }),
          deliver: async (batch, settle) => {
            await service.post(batch);
            for (const parcel of batch) settle(parcel);
          },
        });
        await Promise.all(all.map((proposal) => lanes.write([proposal])));
        for (let urn = 0; urn <= 6; urn += 1) {
          const ids = service.taken.filter(
            (id) => all[id]?.entityUrn === tagProposal(`tag-${urn}`).entityUrn,
          );
          expect(ids).toEqual([...ids].sort((a, b) => a - b));
        }
        expect(service.taken).toHaveLength(all.length);
      }),
      { numRuns: 200 },
    );
  });

  it('does not keep a failed run waiting', async () => {
    const lanes = new Lanes({
      concurrency: 1,
      maxProposals: 1,
      maxBytes: 100,
      prepare: (proposal) => ({ proposal, json: '', bytes: 1, attempts: 0 }),
      deliver: () => Promise.reject(new Error('gone')),
    });
    const writes = [
      lanes.write([tagProposal('a'), tagProposal('b')]),
      lanes.write([tagProposal('c')]),
    ];
    const results = await Promise.allSettled(writes);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(lanes.write([tagProposal('d')])).rejects.toThrow('gone');
  });
});
