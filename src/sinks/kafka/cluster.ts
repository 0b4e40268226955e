/**
 * What the cluster says of itself before anything is sent.
 */

import type kafkajs from 'kafkajs';
import { kafkaFailure, rootOf, type Place } from './failures.js';

export interface TopicFacts {
  /** How many there are. */
  readonly partitions: number;
  /** The largest batch that the topic takes, in bytes; undefined where we may not ask. */
  readonly maxMessageBytes: number | undefined;
}

/**
 * Asks for the topic and its limit. Changes nothing: a topic that is missing stays missing.
 *
 * @throws PipelineError `KAFKA_UNREACHABLE`, `KAFKA_TLS`, `KAFKA_AUTHENTICATION`,
 *   `KAFKA_FORBIDDEN`, `KAFKA_TOPIC_MISSING`
 */
export async function topicFacts(kafka: kafkajs.Kafka, place: Place): Promise<TopicFacts> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [place.topic] });
    return {
      partitions: topics[0]?.partitions.length ?? 0,
      maxMessageBytes: await maxMessageBytes(admin, place.topic),
    };
  } catch (error) {
    throw kafkaFailure(error, place);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function maxMessageBytes(admin: kafkajs.Admin, topic: string): Promise<number | undefined> {
  const { ConfigResourceTypes } = (await import('kafkajs')).default;
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configNames: ['max.message.bytes'],
        },
      ],
    });
    const value = Number(resources[0]?.configEntries[0]?.configValue);
    return Number.isSafeInteger(value) && value > 0 ? value : undefined;
  } catch (error) {
    // Few are allowed to ask, and some services don't answer: then the broker's refusals tell.
    const root = rootOf(error);
    if (root instanceof Error && /Protocol|NotSupport|NonRetriable/.test(root.name)) {
      return undefined;
    }
    throw error;
  }
}
