import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/core/errors.js';
import type { Proposal } from '../../../src/datahub/proposal.js';
import { BatchQueue, type BatchQueueOptions } from '../../../src/sinks/kafka/batch-queue.js';
import type { KeyedMessage } from '../../../src/sinks/kafka/delivery.js';
import { BATCH_HEADER_BYTES, recordBytes } from '../../../src/sinks/kafka/record-size.js';

const proposal = (urn: string, size = 10, version = 0): Proposal => ({
  entityType: 'tag',
  entityUrn: urn,
  changeType: 'UPSERT',
  aspectName: 'a',
  aspect: { size, version },
});

interface Log {
  /** The proposal that a message was made of. */
  readonly origin: (message: KeyedMessage) => Proposal;
  readonly batches: (readonly KeyedMessage[])[];
  readonly queue: BatchQueue;
  readonly failure: PipelineError;
}

function queueWith(options: Partial<BatchQueueOptions> = {}): Log {
  const batches: (readonly KeyedMessage[])[] = [];
  let busy = false;
  const deliver = async (messages: readonly KeyedMessage[]): Promise<readonly []> => {
    expect(busy, 'deliveries overlap').toBe(false);
    busy = true;
    await new Promise((resolve) => setImmediate(resolve));
    batches.push(messages);
    busy = false;
    return [];
  };
  const origins = new Map<Buffer, Proposal>();
  const queue = new BatchQueue({
    encode: (each) => {
      const bytes = Buffer.alloc(each.aspect['size'] as number);
      origins.set(bytes, each);
      return bytes;
    },
    partitions: 3,
    maxBatchBytes: 1_000,
    maxBatchCount: 10,
    maxMessageBytes: undefined,
    compressedBytes: (records) => Promise.resolve(records.length),
    deliver,
    ...options,
  });
  const failure = new PipelineError('over', { code: 'OVER', category: 'unavailable' });
  const origin = ({ value }: KeyedMessage): Proposal => origins.get(value) ?? expect.fail();
  return { batches, queue, failure, origin };
}

const bytesOf = (messages: readonly KeyedMessage[]): number =>
  messages.reduce(
    (sum, { key, value }) => sum + recordBytes(key.length, value.length),
    BATCH_HEADER_BYTES,
  );

describe('the queue', () => {
  it('keeps order, limits and number, however writes overlap and whatever their sizes', async () => {
    const sizes = fc.array(fc.array(fc.nat(1_500), { maxLength: 30 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(7), async (writes, urns) => {
        const { queue, batches, origin } = queueWith({ maxMessageBytes: 1_200 });
        const given = writes.map((list, write) =>
          list.map((size, index) => proposal(`urn:${index % (urns + 1)}`, size, write)),
        );
        const answers = await Promise.all(given.map((list) => queue.write(list)));
        const refused = answers.flat().map((refusal) => refusal.proposal);
        const sent = batches.flat().map(origin);
        // Each exactly once, in the order of the calls.
        const fits = (each: Proposal): boolean => !refused.includes(each);
        expect(sent).toEqual(given.flat().filter(fits));
        expect(refused).toEqual(
          given.flat().filter(({ entityUrn, aspect }) => {
            const size = recordBytes(entityUrn.length, aspect['size'] as number);
            return BATCH_HEADER_BYTES + size > 1_200;
          }),
        );
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(10);
          if (batch.length > 1) expect(bytesOf(batch)).toBeLessThanOrEqual(1_000);
          expect(bytesOf(batch)).toBeLessThanOrEqual(1_200);
        }
      }),
    );
  });

  it('puts one URN into one partition, and different ones into several', async () => {
    const { queue, batches } = queueWith();
    await queue.write(Array.from({ length: 60 }, (_, index) => proposal(`urn:${index % 20}`)));
    const partitions = new Map<string, Set<number>>();
    for (const { key, partition } of batches.flat()) {
      const set = partitions.get(String(key)) ?? new Set();
      partitions.set(String(key), set.add(partition));
    }
    expect([...partitions.values()].every((set) => set.size === 1)).toBe(true);
    expect(new Set(batches.flat().map(({ partition }) => partition)).size).toBe(3);
  });

  it('shares batches between writes that wait', async () => {
    const { queue, batches } = queueWith();
    await Promise.all(Array.from({ length: 10 }, () => queue.write([proposal('urn:a')])));
    expect(batches.map((batch) => batch.length)).toEqual([10]);
  });

  it('makes the bytes of two batches at most ahead of the broker', async () => {
    let encoded = 0;
    let release = (): void => undefined;
    const stalled = new Promise<readonly []>((resolve) => {
      release = () => {
        resolve([]);
      };
    });
    const { queue } = queueWith({
      encode: () => {
        encoded += 1;
        return Buffer.alloc(10);
      },
      deliver: () => stalled,
    });
    const writing = queue.write(Array.from({ length: 1_000 }, () => proposal('urn:a')));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(encoded).toBe(20);
    release();
    await writing;
    expect(encoded).toBe(1_000);
  });

  it('resolves an empty write at once', async () => {
    const { queue } = queueWith({ deliver: () => new Promise(() => undefined) });
    void queue.write([proposal('urn:a')]).catch(() => undefined);
    expect(await queue.write([])).toEqual([]);
  });

  it('confirms a write only when its last batch is confirmed', async () => {
    const confirm: (() => void)[] = [];
    const { queue } = queueWith({
      maxBatchCount: 1,
      deliver: () =>
        new Promise((resolve) => {
          confirm.push(() => {
            resolve([]);
          });
        }),
    });
    let done = false;
    const writing = queue.write([proposal('urn:a'), proposal('urn:b')]).then(() => (done = true));
    const tick = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
    await tick();
    confirm[0]?.();
    await tick();
    expect(done).toBe(false);
    confirm[1]?.();
    await writing;
    expect(done).toBe(true);
  });

  it('refuses what has no JSON, and delivers its neighbours', async () => {
    const { queue, batches } = queueWith({
      encode: ({ entityUrn }) => {
        if (entityUrn === 'urn:bad') throw new TypeError('a cycle');
        return Buffer.alloc(1);
      },
    });
    const bad = proposal('urn:bad');
    const refusals = await queue.write([proposal('urn:a'), bad, proposal('urn:b')]);
    expect(refusals).toEqual([
      {
        proposal: bad,
        code: 'NOT_JSON',
        message: "the proposal can't be written as JSON: a cycle",
        attempts: 1,
      },
    ]);
    expect(batches.flat()).toHaveLength(2);
    expect(await queue.write([bad])).toHaveLength(1);
  });

  it('refuses what the broker alone knows to be too large', async () => {
    const { queue } = queueWith({
      deliver: (messages) =>
        Promise.resolve(
          messages
            .filter(({ value }) => value.length > 500)
            .map((message) => ({ message, attempts: 3 })),
        ),
    });
    const large = proposal('urn:large', 600);
    const refusals = await queue.write([proposal('urn:a'), large, proposal('urn:b')]);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({ proposal: large, code: 'MESSAGE_TOO_LARGE', attempts: 3 });
  });

  it('sends what is too large only where compression makes it small', async () => {
    const { queue, batches } = queueWith({
      maxMessageBytes: 2_000,
      compressedBytes: (records) => Promise.resolve(records.length / 10),
    });
    const refusals = await queue.write([proposal('urn:a', 10_000), proposal('urn:b', 100_000)]);
    expect(batches.flat().map(({ key }) => String(key))).toEqual(['urn:a']);
    expect(refusals.map(({ proposal: { entityUrn } }) => entityUrn)).toEqual(['urn:b']);
  });

  it('fails every write, waiting or new, with the first failure', async () => {
    const { queue, failure } = queueWith({
      maxBatchCount: 1,
      deliver: () =>
        Promise.reject(new PipelineError('gone', { code: 'GONE', category: 'unavailable' })),
    });
    const writes = [queue.write([proposal('urn:a')]), queue.write([proposal('urn:b')])];
    for (const result of await Promise.allSettled(writes)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'GONE' } });
    }
    queue.fail(failure);
    await expect(queue.write([proposal('urn:c')])).rejects.toMatchObject({ code: 'GONE' });
    await expect(queue.write([])).rejects.toMatchObject({ code: 'GONE' });
  });

  it('lets go of what is on its way when it is failed', async () => {
    const { queue, failure } = queueWith({ deliver: () => new Promise(() => undefined) });
    const writing = queue.write([proposal('urn:a')]);
    await new Promise((resolve) => setImmediate(resolve));
    queue.fail(failure);
    await expect(writing).rejects.toBe(failure);
  });

  it('says of any other error that it was not expected', async () => {
    const { queue } = queueWith({ deliver: () => Promise.reject(new Error('a defect')) });
    await expect(queue.write([proposal('urn:a')])).rejects.toMatchObject({ code: 'UNEXPECTED' });
  });
});
