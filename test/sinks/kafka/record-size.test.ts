import { createRequire } from 'node:module';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../../src/sinks/kafka/murmur2.js';
import { BATCH_HEADER_BYTES, recordBytes } from '../../../src/sinks/kafka/record-size.js';

const require = createRequire(import.meta.url);

/** kafkajs' own encoding of records: what really goes out. */
interface Encoded {
  readonly buffer: Buffer;
}
const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  record: object,
) => Encoded;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (batch: object) => Promise<Encoded>;
};

describe('the size of a record', () => {
  it('is never less than what is sent, and hardly more', () => {
    const size = fc.oneof(
      fc.nat(200),
      fc.nat(20_000),
      fc.constantFrom(63, 64, 127, 128, 8191, 8192, 1_048_575, 1_048_576),
    );
    fc.assert(
      fc.property(size, size, fc.nat(9_999), (keyBytes, valueBytes, offsetDelta) => {
        const record = Record({
          key: Buffer.alloc(keyBytes),
          value: Buffer.alloc(valueBytes),
          offsetDelta,
        });
        const estimate = recordBytes(keyBytes, valueBytes);
        expect(estimate).toBeGreaterThanOrEqual(record.buffer.length);
        expect(estimate).toBeLessThanOrEqual(record.buffer.length + 3);
      }),
    );
  });

  it('comes on top of the header of the batch', async () => {
    const batch = await RecordBatch({ records: [] });
    expect(batch.buffer.length).toBe(BATCH_HEADER_BYTES);
  });
});

describe('the partition of a key', () => {
  it("is the one that kafkajs' and so Kafka's own producers choose", () => {
    const theirs = kafkajs.Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 50 }),
        (key, count) => {
          const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
            partitionId,
            leader: 1,
            replicas: [1],
            isr: [1],
            partitionErrorCode: 0,
          }));
          const message = { key: Buffer.from(key), value: null };
          expect(partitionOf(key, count)).toBe(theirs({ topic: 't', partitionMetadata, message }));
        },
      ),
    );
  });

  it.each([
    ['', 275646681],
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
  ])('follows a hash that is fixed: %j', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });
});
