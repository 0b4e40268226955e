import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { Delivery, type KeyedMessage, type Producer } from '../../../src/sinks/kafka/delivery.js';
import { runContext } from '../../../src/testing/index.js';

type Answer = Error | 'hang' | { readonly partitions: readonly number[] } | undefined;

interface Sent {
  readonly producer: number;
  readonly keys: readonly string[];
}

const place = {
  cluster: 'Kafka host:9092',
  topic: 'Topic',
  tls: false,
  hide: (text: string) => text.replaceAll('s3cret', '***'),
};

/** A delivery to producers that answer as they are told, and well when they are told nothing. */
function deliveryWith(
  answer: (sent: Sent, count: number) => Answer,
  deliveryTimeoutMs = 10_000,
): {
  readonly delivery: Delivery;
  readonly sent: Sent[];
  readonly abort: AbortController;
  readonly warnings: string[];
} {
  const sent: Sent[] = [];
  const warnings: string[] = [];
  const abort = new AbortController();
  let producers = 0;
  const createProducer = (): Producer => {
    producers += 1;
    const producer = producers;
    return {
      connect: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      send: async ({ messages }) => {
        const keys = messages.map(({ key }) => String(key));
        sent.push({ producer, keys });
        const said = answer({ producer, keys }, sent.length);
        if (said === 'hang') await new Promise(() => undefined);
        if (said instanceof Error) throw said;
        const partitions =
          said !== undefined && said !== 'hang'
            ? said.partitions
            : [...new Set(messages.map(({ partition }) => partition ?? 0))];
        return partitions.map((partition) => ({ topicName: 'Topic', partition, errorCode: 0 }));
      },
    };
  };
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (_: object, text: string) => warnings.push(text),
  };
  const delivery = new Delivery({
    createProducer,
    place,
    compression: kafkajs.CompressionTypes.None,
    deliveryTimeoutMs,
    requestTimeoutMs: 1_000,
    context: runContext({ signal: abort.signal, log }),
  });
  return { delivery, sent, abort, warnings };
}

const messages = (keys: string): KeyedMessage[] =>
  keys.split('').map((key, index) => ({
    key: Buffer.from(key),
    value: Buffer.alloc(0),
    partition: index % 2,
  }));

/** As kafkajs throws what a broker answers. */
function protocolError(type: string, retriable = false): Error {
  const inner = Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable });
  return Object.assign(new Error(type, { cause: inner }), { name: 'KafkaJSNonRetriableError' });
}

function connectionError(code: string): Error {
  return Object.assign(new Error(`Connection error: ${code}`), {
    name: 'KafkaJSConnectionError',
    code,
    retriable: true,
  });
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([work]);
  return result;
}

describe('a delivery', () => {
  it('is one request where all goes well', async () => {
    const { delivery, sent } = deliveryWith(() => undefined);
    expect(await delivery.deliver(messages('abc'))).toEqual([]);
    expect(sent).toEqual([{ producer: 1, keys: ['a', 'b', 'c'] }]);
  });

  it.each([
    ['a connection is lost', connectionError('ECONNRESET')],
    ['a replica is missing', protocolError('NOT_ENOUGH_REPLICAS', true)],
    ['a broker is slow', protocolError('REQUEST_TIMED_OUT', true)],
  ])('is repeated as it was, by the same producer, when %s', async (_, error) => {
    const { delivery, sent, warnings } = deliveryWith((__, count) =>
      count < 3 ? error : undefined,
    );
    expect(await settled(delivery.deliver(messages('ab')))).toMatchObject({ value: [] });
    expect(sent).toEqual(Array(3).fill({ producer: 1, keys: ['a', 'b'] }));
    expect(warnings).toHaveLength(1);
  });

  it.each(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'DUPLICATE_SEQUENCE_NUMBER'])(
    'is repeated by a new producer after %s',
    async (type) => {
      const { delivery, sent } = deliveryWith(({ producer }) =>
        producer === 1 ? protocolError(type) : undefined,
      );
      expect(await settled(delivery.deliver(messages('ab')))).toMatchObject({ value: [] });
      expect(sent.map(({ producer }) => producer)).toEqual([1, 2]);
    },
  );

  it('is halved until what is too large stands alone, in order, each time by a new producer', async () => {
    const { delivery, sent } = deliveryWith(({ keys }) =>
      keys.includes('X') ? protocolError('MESSAGE_TOO_LARGE') : undefined,
    );
    const result = await settled(delivery.deliver(messages('abXcdefg')));
    expect(result).toMatchObject({ status: 'fulfilled', value: [{ attempts: 1 }] });
    const stored = sent.filter(({ keys }) => !keys.includes('X'));
    expect(stored.flatMap(({ keys }) => keys).join('')).toBe('abcdefg');
    // After a request that may have been stored in part, numbers of the old producer are no use.
    const failed = sent.filter(({ keys }) => keys.includes('X')).map(({ producer }) => producer);
    expect(new Set(failed).size).toBe(failed.length);
  });

  it('sends again what an answer does not name', async () => {
    const { delivery, sent } = deliveryWith((_, count) =>
      count === 1 ? { partitions: [0] } : undefined,
    );
    expect(await settled(delivery.deliver(messages('abcd')))).toMatchObject({ value: [] });
    expect(sent.map(({ keys }) => keys.join(''))).toEqual(['abcd', 'bd']);
  });

  it('is given up when its time is over, whatever the broker does', async () => {
    for (const answer of [connectionError('ECONNREFUSED'), 'hang'] as const) {
      const { delivery } = deliveryWith(() => answer, 400);
      expect(await settled(delivery.deliver(messages('a')))).toMatchObject({
        status: 'rejected',
        reason: { code: 'KAFKA_DELIVERY_TIMEOUT', retryable: true, category: 'unavailable' },
      });
    }
  });

  it.each([
    ['TOPIC_AUTHORIZATION_FAILED', 'KAFKA_FORBIDDEN'],
    ['CLUSTER_AUTHORIZATION_FAILED', 'KAFKA_FORBIDDEN'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'KAFKA_TOPIC_MISSING'],
    ['INVALID_RECORD', 'KAFKA_FAILED'],
  ])('is given up at once after %s', async (type, code) => {
    const { delivery, sent } = deliveryWith(() => protocolError(type));
    await expect(delivery.deliver(messages('a'))).rejects.toMatchObject({ code, retryable: false });
    expect(sent).toHaveLength(1);
  });

  it('ends its waits when the run is aborted', async () => {
    const { delivery, abort } = deliveryWith(() => connectionError('ECONNREFUSED'));
    const work = settled(delivery.deliver(messages('a')));
    await new Promise((resolve) => setTimeout(resolve, 20));
    abort.abort();
    expect((await work).status).toBe('rejected');
  });

  it('keeps secrets out of what it says', async () => {
    const error = Object.assign(new Error('no s3cret'), { name: 'KafkaJSSASLAuthenticationError' });
    const { delivery } = deliveryWith(() => error);
    const failure = await delivery.deliver(messages('a')).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'KAFKA_AUTHENTICATION', cause: { message: 'no ***' } });
    expect(String(failure)).not.toContain('s3cret');
  });
});
