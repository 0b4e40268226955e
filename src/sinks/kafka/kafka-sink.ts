/**
 * Proposals on a Kafka topic, as DataHub's own consumer reads them.
 */

import { PipelineError } from '../../core/errors.js';
import { parseOptions } from '../../core/options.js';
import { hideSecrets } from '../../core/secrets.js';
import type { OpenSink, RunContext, Sink } from '../../stream/contracts.js';
import { brokenOff } from '../proposal-writer.js';
import { BatchQueue } from './batch-queue.js';
import { kafkaClient, SHORT_RETRY, type KafkaClient } from './client.js';
import { topicFacts, type TopicFacts } from './cluster.js';
import { compressedBytes, prepareCompression } from './compression.js';
import { Delivery } from './delivery.js';
import type { Place } from './failures.js';
import { kafkaSinkSchema, secretsIn, type KafkaSinkOptions } from './options.js';
import type { KafkaSinkSettings } from './options.js';
import { checkSchema, registryAddress, schemaToWriteWith } from './schema-registry.js';
import type { RegistryPlace } from './schema-registry.js';
import { wireFormat } from './wire-format.js';

/** How long closing may take, milliseconds: by then everything is confirmed or failed. */
const CLOSE_MS = 5_000;

/**
 * Writes proposals to DataHub's topic. The key is the entity's URN, so that its aspects stay in
 * order; the value is Avro in the registry's wire format, with the registered schema where that
 * takes our messages, and else with ours, which is registered then.
 *
 * A batch is confirmed when all replicas in step have it. It is repeated until it succeeds or
 * `deliveryTimeoutMs` is over; after a crash, a later run may send again what had arrived. What is
 * larger than the topic takes is refused; its neighbours arrive.
 *
 * Errors, found before anything is sent, and by `check`, which changes nothing:
 * `KAFKA_UNREACHABLE`, `KAFKA_TLS`, `KAFKA_AUTHENTICATION`, `KAFKA_FORBIDDEN`,
 * `KAFKA_TOPIC_MISSING` (the topic is never created), `REGISTRY_UNREACHABLE`, `REGISTRY_TLS`,
 * `REGISTRY_FORBIDDEN`, `REGISTRY_SCHEMA_MISSING`, `REGISTRY_SCHEMA_REFUSED`,
 * `KAFKA_CODEC_MISSING` (usage). On the way: `KAFKA_DELIVERY_TIMEOUT`.
 *
 * @example
 * kafkaSink({
 *   brokers: ['kafka:9092'],
 *   registry: { url: 'http://datahub-gms:8080/schema-registry/api' },
 *   sasl: { mechanism: 'scram-sha-512', username: 'mlflow', password: env.KAFKA_PASSWORD },
 *   tls: true,
 * });
 */
export function kafkaSink(options: KafkaSinkOptions): Sink {
  const settings = parseOptions('kafkaSink', kafkaSinkSchema, options);
  const compression = prepareCompression(settings.compression);
  const hide = hideSecrets({ secrets: secretsIn(settings) });
  const { brokers, topic } = settings;
  const place: Place = {
    cluster: `Kafka ${brokers.join(',')}`,
    topic,
    tls: settings.tls !== false,
    hide,
  };
  const registryPlace = ({ signal }: RunContext): RegistryPlace => ({
    options: settings.registry,
    topic,
    signal,
    hide,
  });

  return {
    label: `kafka ${brokers.join(',')}/${topic}`,
    onError: settings.onError,

    open: (context) =>
      reaching(settings, context, async (client) => {
        const delivery = newDelivery(client, settings, place, context, compression);
        const facts = await reachCluster(client, place, delivery);
        const schema = await schemaToWriteWith(registryPlace(context));
        const maxMessageBytes = limitOf(settings, facts);
        context.log.debug(
          { topic, ...facts, schema: schema.id, limit: maxMessageBytes },
          'ready to write to Kafka',
        );
        const { startedAt, runId } = context;
        const queue = new BatchQueue({
          encode: wireFormat(schema, { lastObserved: startedAt, runId }),
          partitions: facts.partitions,
          maxBatchBytes: settings.maxBatchBytes,
          maxBatchCount: settings.maxBatchCount,
          maxMessageBytes,
          compressedBytes: (records) => compressedBytes(compression, records),
          deliver: (messages) => delivery.deliver(messages),
        });
        return openSink(queue, delivery, client, context);
      }),

    check: (context) =>
      reaching(settings, context, async (client) => {
        const delivery = newDelivery(client, settings, place, context, compression);
        const facts = await reachCluster(client, place, delivery);
        const schema = await checkSchema(registryPlace(context));
        await delivery.close();
        client.destroy();
        const limit = limitOf(settings, facts);
        return (
          `topic ${topic} on ${brokers.join(',')} has ${facts.partitions} partition` +
          `${facts.partitions === 1 ? '' : 's'} and ` +
          `${limit === undefined ? 'a limit that it does not tell' : `takes ${limit} bytes a message`}; ` +
          `${registryAddress(settings.registry.url)} has ${schema}`
        );
      }),
  };
}

/** Runs what reaches the cluster; ends its connections where that fails or the run is over. */
async function reaching<T>(
  settings: KafkaSinkSettings,
  context: RunContext,
  work: (client: KafkaClient) => Promise<T>,
): Promise<T> {
  const { signal } = context;
  const throwIfOver = (): void => {
    if (signal.aborted) throw brokenOff(signal);
  };
  throwIfOver();
  const client = await kafkaClient(settings, context);
  const stop = (): void => {
    client.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work(client);
  } catch (error) {
    client.destroy();
    throwIfOver();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Asks for the topic and signs the producer in, at the same time. */
async function reachCluster(
  client: KafkaClient,
  place: Place,
  delivery: Delivery,
): Promise<TopicFacts> {
  const opening = delivery.open();
  const [facts, opened] = await Promise.allSettled([topicFacts(client.kafka, place), opening]);
  // What is wrong with the topic says more than what is wrong with the producer.
  if (facts.status === 'rejected') throw facts.reason;
  if (opened.status === 'rejected') throw opened.reason;
  return facts.value;
}

/** What the topic takes, or less where the options say so. */
function limitOf(settings: KafkaSinkSettings, facts: TopicFacts): number | undefined {
  const limits = [settings.maxMessageBytes, facts.maxMessageBytes].filter(
    (limit) => limit !== undefined,
  );
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function newDelivery(
  client: KafkaClient,
  settings: KafkaSinkSettings,
  place: Place,
  context: RunContext,
  compression: ReturnType<typeof prepareCompression>,
): Delivery {
  return new Delivery({
    createProducer: () =>
      client.kafka.producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        retry: SHORT_RETRY,
        // Messages say their partition; kafkajs' own would only look it up.
        createPartitioner: () => chosenPartition,
      }),
    place,
    compression,
    deliveryTimeoutMs: settings.deliveryTimeoutMs,
    requestTimeoutMs: settings.requestTimeoutMs,
    context,
  });
}

function chosenPartition({ message }: { message: { partition?: number } }): number {
  return message.partition ?? 0;
}

function openSink(
  queue: BatchQueue,
  delivery: Delivery,
  client: KafkaClient,
  { signal }: RunContext,
): OpenSink {
  const stop = (): void => {
    queue.fail(brokenOff(signal));
    client.destroy();
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return {
    write: (proposals) => queue.write(proposals),
    close: async () => {
      signal.removeEventListener('abort', stop);
      queue.fail(
        new PipelineError('the Kafka sink is closed', {
          code: 'SINK_CLOSED',
          category: 'unavailable',
        }),
      );
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([delivery.close(), late]);
      clearTimeout(timer);
      client.destroy();
    },
  };
}
