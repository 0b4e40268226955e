/**
 * How long the proposals of a file take to Kafka, beside kafkajs sending the same bytes ready-made
 * and beside DataHub's own connector.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readProposal } from '../src/datahub/read-proposal.js';
import { kafkaSinkSchema } from '../src/sinks/kafka/options.js';
import { schemaToWriteWith } from '../src/sinks/kafka/schema-registry.js';
import { wireFormat } from '../src/sinks/kafka/wire-format.js';
import { KAFKA_READER } from '../test/live/releases.js';
import { startKafkaStack, type KafkaStack } from '../test/live/kafka-stack.js';
import { bare, peer, pipelineTo } from './commands.js';
import { compare } from './measure.js';
import type { ProposalFile } from './proposals.js';
import { packed } from './packed.js';
import { rowOf, type Row } from './row.js';

const PARTITIONS = 1; // as DataHub's own setup makes the topic
/** The connector has no option for the topic that is short; it writes to DataHub's own. */
const TOPIC = 'MetadataChangeProposal_v1';

export async function benchKafka(
  file: ProposalFile,
  { folder, rounds, withPeer }: { folder: string; rounds: number; withPeer: boolean },
): Promise<Row> {
  const stack = await startKafkaStack();
  try {
    await stack.broker.admin.createTopics({
      topics: [{ topic: TOPIC, numPartitions: PARTITIONS }],
      waitForLeaders: true,
    });
    const { plaintext } = stack.broker;
    const ready = await readyBytes(file, stack, folder);
    const commands = [
      bare('bare', 'kafka/bare.js', plaintext, TOPIC, ready),
      pipelineTo(folder, file.path, `kafka://${plaintext}?registry=${stack.registryUrl}`),
    ];
    if (withPeer) commands.push(await peer(folder, recipeOf(file, stack), KAFKA_READER));
    const figures = await compare(commands, rounds);
    const [offsets] = await stack.broker.admin.fetchTopicOffsets(TOPIC);
    const least = file.proposals.length * (2 * (rounds + 1) + (withPeer ? 1 : 0));
    if (Number(offsets?.high) < least) throw new Error(`${offsets?.high} arrived, not ${least}`);
    return rowOf(`${file.name} to Kafka`, figures);
  } finally {
    await stack.stop();
  }
}

/** A file of keys and values as the sink sends them. */
async function readyBytes(
  { proposals }: ProposalFile,
  { broker, registryUrl }: KafkaStack,
  folder: string,
): Promise<string> {
  const { registry, topic } = kafkaSinkSchema.parse({
    brokers: [broker.plaintext],
    registry: { url: registryUrl },
  });
  const schema = await schemaToWriteWith({
    options: registry,
    topic,
    signal: new AbortController().signal,
    hide: (text) => text,
  });
  const encode = wireFormat(schema, { lastObserved: Date.now(), runId: 'bench' });
  const path = join(folder, 'messages.bin');
  const pairs = proposals
    .map(readProposal)
    .flatMap((each) => [Buffer.from(each.entityUrn), encode(each)]);
  await writeFile(path, packed(pairs));
  return path;
}

function recipeOf({ path }: ProposalFile, { broker, registryUrl }: KafkaStack): object {
  return {
    source: { type: 'file', config: { path } },
    sink: {
      type: 'datahub-kafka',
      config: { connection: { bootstrap: broker.plaintext, schema_registry_url: registryUrl } },
    },
  };
}
