/**
 * The Kafka sink keeps the contract of sinks, on a real broker.
 */

import registryLibrary from '@kafkajs/confluent-schema-registry';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll } from 'vitest';
import { CONTENT_TYPE, type Proposal } from '../../src/datahub/proposal.js';
import { kafkaSink } from '../../src/sinks/kafka/index.js';
import { tagProposal } from '../../src/testing/index.js';
import { describeSink } from '../support/sink-kit.js';
import { startKafkaStack, type KafkaStack } from './kafka-stack.js';

let stack: KafkaStack;

beforeAll(async () => {
  stack = await startKafkaStack();
});
afterAll(() => stack.stop());

describeSink('kafkaSink', {
  faults: ['stall', 'fail', 'refuse'],
  open: async () => {
    const topic = await stack.createTopic();
    const { server } = stack.broker;
    let gone = false;
    return {
      sink: kafkaSink({
        brokers: [stack.broker.plaintext],
        topic,
        registry: { url: stack.registryUrl },
        // Less than the ten seconds after which the kit takes a write for hung.
        deliveryTimeoutMs: 7_000,
      }),
      read: () => messagesOf(topic),
      stall: () => {
        server.signal('SIGSTOP');
        return () => {
          server.signal('SIGCONT');
        };
      },
      fail: async () => {
        gone = true;
        await server.stop();
      },
      refused: tagProposal('too-large', { name: 'x'.repeat(6 * 1024 * 1024) }),
      dispose: async () => {
        if (gone) await server.start();
      },
    };
  },
});

/** All that is on a topic, read with the registry's own client. */
async function messagesOf(topic: string): Promise<readonly Proposal[]> {
  const offsets = await stack.broker.admin.fetchTopicOffsets(topic);
  const total = offsets.reduce((sum, { high }) => sum + Number(high), 0);
  if (total === 0) return [];
  const registry = new registryLibrary.SchemaRegistry({ host: stack.registryUrl });
  const kafka = new kafkajs.Kafka({
    brokers: [stack.broker.plaintext],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `kit-${Math.random()}`, maxWaitTimeInMs: 50 });
  const found: Proposal[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    void consumer
      .run({
        eachMessage: async ({ message }) => {
          found.push(
            toProposal((await registry.decode(message.value ?? Buffer.alloc(0))) as Decoded),
          );
          if (found.length === total) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}

type Decoded = Omit<Proposal, 'aspect' | 'headers'> & {
  readonly aspect: { readonly value: Buffer; readonly contentType: string };
  readonly headers: Proposal['headers'] | null;
};

function toProposal({ aspect, ...head }: Decoded): Proposal {
  const { entityType, entityUrn, changeType, aspectName, headers } = head;
  if (aspect.contentType !== CONTENT_TYPE[changeType]) throw new Error(aspect.contentType);
  const content = JSON.parse(aspect.value.toString()) as Proposal['aspect'];
  return {
    entityType,
    entityUrn,
    changeType,
    aspectName,
    aspect: content,
    ...(headers === null || headers === undefined ? {} : { headers: { ...headers } }),
  };
}
