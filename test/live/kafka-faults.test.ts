/**
 * What becomes of proposals when Kafka, the registry or the pipeline itself fails on the way:
 * delivered and refused are what was mapped, nothing is lost, nothing but repeats is extra.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { kafkaSink, type KafkaSinkOptions } from '../../src/sinks/kafka/index.js';
import { runPipeline, type RunResult } from '../../src/stream/run-pipeline.js';
import { flooded, floodSource, type Flood } from './kafka/flood.js';
import { command, deadLettersIn, WRITTEN, type Ended } from './command.js';
import { expectDelivered } from './kafka/outcome.js';
import { readTopic } from './kafka/read.js';
import { startKafkaStack, type KafkaStack } from './kafka-stack.js';

let stack: KafkaStack;
let folder: string;
let topic: string;

beforeAll(async () => {
  stack = await startKafkaStack();
});
afterAll(() => stack.stop());

beforeEach(async () => {
  topic = await stack.createTopic();
  folder = await mkdtemp(join(tmpdir(), 'kafka-faults-'));
  return () => rm(folder, { recursive: true, force: true });
});

const log = { debug() {}, info() {}, warn() {}, error() {} };

async function pour(flood: Flood, options: Partial<KafkaSinkOptions> = {}): Promise<RunResult> {
  return runPipeline(
    {
      source: floodSource(flood),
      operators: [],
      sinks: [
        kafkaSink({
          brokers: [stack.broker.plaintext],
          topic,
          registry: { url: stack.registryUrl },
          ...options,
        }),
      ],
      maxInFlightPages: 4,
      deadLetter: { path: join(folder, 'dead.ndjson') },
    },
    { log, env: {} },
  );
}

const delivered = ({ report }: RunResult): number =>
  Object.values(report.counts.delivered).reduce((sum, count) => sum + count, 0);

describe('a run', () => {
  const flood: Flood = { pages: 60, pageSize: 500 };

  it('goes on when the broker is stopped and started again', async () => {
    let down: Promise<void> | undefined;
    let restarted: Promise<void> | undefined;
    const onPage = async (page: number): Promise<void> => {
      if (page === 20) {
        down = stack.broker.server.stop();
        restarted = down.then(async () => {
          await sleep(1_000);
          await stack.broker.server.start();
        });
      }
      // Or everything might be delivered before it is down.
      if (page === 30) await down;
    };
    const result = await pour({ ...flood, onPage });
    await restarted;
    expect(result.report).toMatchObject({ outcome: 'complete' });
    expect(delivered(result)).toBe(30_000);
    expect(result.report.counts.retries).toBeGreaterThan(0);
    expectDelivered(await readTopic(stack, topic), flooded(flood));
  });

  it('goes on when the broker is killed', async () => {
    let restarted: Promise<void> | undefined;
    const onPage = async (page: number): Promise<void> => {
      if (page !== 20) return;
      await stack.broker.server.stop('SIGKILL');
      restarted = stack.broker.server.start();
    };
    const result = await pour({ ...flood, onPage });
    await restarted;
    expect(delivered(result)).toBe(30_000);
    expectDelivered(await readTopic(stack, topic), flooded(flood));
  });

  it('goes on when the broker stands still for longer than a request may take', async () => {
    const onPage = (page: number): void => {
      if (page !== 20) return;
      stack.broker.server.signal('SIGSTOP');
      setTimeout(() => {
        stack.broker.server.signal('SIGCONT');
      }, 7_000);
    };
    const result = await pour({ ...flood, onPage }, { requestTimeoutMs: 2_000 });
    expect(result.report).toMatchObject({ outcome: 'complete' });
    expect(delivered(result)).toBe(30_000);
    expectDelivered(await readTopic(stack, topic), flooded(flood));
  });

  it('gives up when the broker stays away, and a second run delivers all', async () => {
    const small: Flood = { pages: 20, pageSize: 500 };
    const onPage = (page: number): Promise<void> | undefined =>
      page === 10 ? stack.broker.server.stop() : undefined;
    let first: RunResult;
    try {
      first = await pour({ ...small, onPage }, { deliveryTimeoutMs: 8_000 });
    } finally {
      await stack.broker.server.start();
    }
    expect(first.failure).toMatchObject({
      code: 'KAFKA_DELIVERY_TIMEOUT',
      category: 'unavailable',
      retryable: true,
    });
    expect(delivered(first)).toBeLessThan(10_000);
    const second = await pour(small);
    expect(delivered(second)).toBe(10_000);
    expectDelivered(await readTopic(stack, topic), flooded(small));
  });

  it('needs the registry only at its start', async () => {
    const onPage = (page: number): Promise<void> | undefined =>
      page === 10 ? stack.registry.stop() : undefined;
    const result = await pour({ ...flood, onPage });
    expect(delivered(result)).toBe(30_000);
    const without = await pour(flood);
    expect(without.failure).toMatchObject({ code: 'REGISTRY_UNREACHABLE', retryable: true });
    expect(delivered(without)).toBe(0);
    await stack.registry.start();
  });

  it.each(['none', 'gzip'] as const)(
    'sets a proposal of 20 MB aside and delivers its neighbours, compression %s',
    async (compression) => {
      const few: Flood = { pages: 10, pageSize: 300, oversized: 1_000 };
      const result = await pour(few, { compression });
      expect(result.report.outcome).toBe('complete');
      const all = flooded(few);
      // Two letters repeated ten million times are small when they are compressed.
      const fits = compression === 'gzip';
      expect(delivered(result)).toBe(fits ? 3_000 : 2_999);
      const dead = await deadLettersIn(join(folder, 'dead.ndjson'));
      expect(dead.map(({ code }) => code)).toEqual(fits ? [] : ['MESSAGE_TOO_LARGE']);
      const arrived = await readTopic(stack, topic);
      expectDelivered(arrived, fits ? all : all.filter((_, index) => index !== 1_000));
    },
  );

  it('lets the broker say what is too large where it does not tell its limit', async () => {
    // The topic tells one limit and a lower one comes into force once the run has begun.
    const few: Flood = { pages: 10, pageSize: 300 };
    const onPage = async (page: number): Promise<void> => {
      if (page !== 5) return;
      await stack.broker.admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: topic,
            configEntries: [{ name: 'max.message.bytes', value: '2000' }],
          },
        ],
      });
    };
    const result = await pour({ ...few, onPage });
    expect(result.report.outcome).toBe('complete');
    expect(delivered(result)).toBe(3_000);
    expectDelivered(await readTopic(stack, topic), flooded(few));
  });

  it('finds a missing topic before anything is sent, and does not make it', async () => {
    const result = await pour(flood, { topic: 'absent' });
    expect(result.failure).toMatchObject({ code: 'KAFKA_TOPIC_MISSING', retryable: false });
    expect(await stack.broker.admin.listTopics()).not.toContain('absent');
  });
});

describe('a process', () => {
  const flood: Flood = { pages: 100, pageSize: 300 };
  const ROOT = fileURLToPath(new URL('../../', import.meta.url));

  /** Runs the command on a flood and ends it as soon as it has delivered something. */
  async function runAndEnd(signal?: NodeJS.Signals): Promise<Ended> {
    // What is to be ended lasts twenty seconds, so that no machine is too slow to end it.
    const source = signal === undefined ? flood : { ...flood, pauseMs: 200 };
    const config = join(folder, 'pipeline.config.ts');
    const sink = {
      brokers: [stack.broker.plaintext],
      topic,
      registry: { url: stack.registryUrl },
    };
    await writeFile(
      config,
      `import { definePipeline, kafkaSink } from 'mlflow-datahub';
import { floodSource } from ${JSON.stringify(join(ROOT, 'test/live/kafka/flood.ts'))};
export default definePipeline({
  source: floodSource(${JSON.stringify(source)}),
  operators: [],
  sinks: [kafkaSink(${JSON.stringify(sink)})],
});`,
    );
    return command(['--config', config, ...WRITTEN], {
      folder,
      meanwhile: async (kill) => {
        if (signal === undefined) return;
        while ((await storedMessages()) < 3_000) await sleep(50);
        kill(signal);
      },
    });
  }

  async function storedMessages(): Promise<number> {
    const offsets = await stack.broker.admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  }

  it('that is asked to end delivers what is on its way', async () => {
    const { status, report } = await runAndEnd('SIGTERM');
    expect(status).toBe(143);
    const arrived = await readTopic(stack, topic);
    expect(Object.values(report.counts.delivered)).toEqual([arrived.length]);
    expect(report.counts.aspects).toEqual({ tagProperties: arrived.length });
    expect(report.counts.rejected).toBe(0);
    expect(arrived.length).toBeLessThan(30_000);
    // Pages are whole: what was read before the signal has arrived.
    expect(arrived.length % flood.pageSize).toBe(0);
    expectDelivered(arrived, flooded({ ...flood, pages: arrived.length / flood.pageSize }));
  });

  it('that is killed loses nothing that a second run does not deliver', async () => {
    expect((await runAndEnd('SIGKILL')).status).toBeNull();
    expect(await storedMessages()).toBeLessThan(30_000);
    const { status, report } = await runAndEnd();
    expect(status).toBe(0);
    expect(Object.values(report.counts.delivered)).toEqual([30_000]);
    expectDelivered(await readTopic(stack, topic), flooded(flood));
  });
});
