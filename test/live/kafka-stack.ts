/**
 * Kafka and a schema registry on free ports of the loopback interface, for one file of tests.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pRetry from 'p-retry';
import { startBroker, type Broker } from './kafka/broker.js';
import { installKafka, type KafkaPrograms } from './kafka/install.js';
import { ServerProcess } from './kafka/process.js';
import { freePorts } from './ports.js';

export interface KafkaStack {
  readonly broker: Broker;
  /** Where the registry has Confluent's API. */
  readonly registryUrl: string;
  readonly registry: ServerProcess;
  /** Makes a topic of its own for a test. */
  createTopic(partitions?: number): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Installs what is missing, in live tests nothing (see setup.ts), and starts both. Where one of
 * them does not come up, such as on a port that was free a moment ago, both are started anew.
 */
export async function startKafkaStack(): Promise<KafkaStack> {
  const programs = await installKafka();
  return pRetry(() => startBoth(programs), {
    retries: 2,
    onFailedAttempt: ({ error }) => {
      process.stderr.write(`${error.message}\n`);
    },
  });
}

async function startBoth(programs: KafkaPrograms): Promise<KafkaStack> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-stack-'));
  const [port, management] = (await freePorts(2)) as [number, number];
  const registryUrl = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const registry = new ServerProcess({
    name: 'Apicurio Registry',
    command: programs.java,
    args: [
      ...['-Xmx512m', `-Dquarkus.http.port=${port}`, '-Dquarkus.http.host=127.0.0.1'],
      // Health and the like are on a port of their own, 9000 unless it is told.
      ...[`-Dquarkus.management.port=${management}`, '-Dquarkus.management.host=127.0.0.1'],
      '-Dquarkus.log.level=WARN',
      ...['-jar', programs.registry],
    ],
    cwd: folder,
    log: join(folder, 'registry.log'),
    ready: async () => (await fetch(`${registryUrl}/subjects`)).ok,
  });
  let topics = 0;
  const started = await Promise.allSettled([startBroker(programs, folder), registry.start()]);
  const [broker, other] = started;
  if (broker.status === 'rejected' || other.status === 'rejected') {
    if (broker.status === 'fulfilled') await broker.value.stop();
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
    throw broker.status === 'rejected' ? broker.reason : (other as PromiseRejectedResult).reason;
  }
  return {
    broker: broker.value,
    registryUrl,
    registry,
    createTopic: (partitions = 3) =>
      // A broker that has just started, or is busy, has leaders before it hosts their partitions.
      pRetry(
        async () => {
          topics += 1;
          const topic = `MetadataChangeProposal_v1-${topics}`;
          const { admin } = broker.value;
          await admin.createTopics({
            topics: [{ topic, numPartitions: partitions }],
            waitForLeaders: true,
          });
          await pRetry(() => admin.fetchTopicOffsets(topic), { retries: 20, maxTimeout: 500 });
          return topic;
        },
        { retries: 3 },
      ),
    stop: async () => {
      await Promise.all([broker.value.stop(), registry.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
