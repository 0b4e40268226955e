/**
 * How long the proposals of a file take to Kafka, beside kafkajs sending the same bytes ready-made
 * and beside DataHub's own connector.
 *
 *   npm run build && node --import jiti/register bench/kafka.ts [--no-peer]
 */

import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { kafkaSinkSchema } from '../src/sinks/kafka/options.js';
import { schemaToWriteWith } from '../src/sinks/kafka/schema-registry.js';
import { wireFormat } from '../src/sinks/kafka/wire-format.js';
import { binOf, installAll } from '../test/live/install.js';
import { PEER_ENVIRONMENT } from '../test/live/peer.js';
import { run } from '../test/live/processes.js';
import type { FiledProposal } from '../test/live/proposals.js';
import { KAFKA_READER } from '../test/live/releases.js';
import { seedBulk } from '../test/live/seed.js';
import { startKafkaStack } from '../test/live/kafka-stack.js';
import { compare, type Command, type Figures } from './measure.js';

/** Gives about 45,000 proposals. */
const CONTENT = { experiments: 27, runs: 5_042, models: 103, versions: 1_008 };
const PARTITIONS = 1; // as DataHub's own setup makes the topic
const ROUNDS = 5;
const DEFAULT_TOPIC = 'MetadataChangeProposal_v1';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const withPeer = !process.argv.includes('--no-peer');

await installAll();
const stack = await startKafkaStack();
const folder = await mkdtemp(join(tmpdir(), 'bench-kafka-'));
try {
  const lines = await makeProposals();
  const { file: ready, count } = await makeReadyBytes(lines);
  // The connector has no option for the topic that is short; it writes to DataHub's own.
  await stack.broker.admin.createTopics({
    topics: [{ topic: DEFAULT_TOPIC, numPartitions: PARTITIONS }],
    waitForLeaders: true,
  });
  console.log(`${count} proposals, ${ROUNDS + 1} rounds …`);
  const figures = await compare(
    [
      {
        name: 'bare',
        program: process.execPath,
        args: [here('kafka/bare.js'), stack.broker.plaintext, DEFAULT_TOPIC, ready],
      },
      ours('ours', lines, 'none'),
      ours('ours, gzip', lines, 'gzip'),
      ...(withPeer ? [await peer(lines)] : []),
    ],
    ROUNDS,
  );
  console.log(table(figures));
} finally {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}

async function makeProposals(): Promise<string> {
  const database = join(folder, 'mlflow.db');
  const file = join(folder, 'proposals.ndjson');
  await seedBulk('2.22.5', database, CONTENT);
  await run(
    process.execPath,
    [here('../dist/pipeline.js'), '--from', `sqlite:///${database}`, '--to', file],
    { cwd: folder },
  );
  return file;
}

async function* proposalsOf(lines: string): AsyncGenerator<FiledProposal> {
  for await (const line of createInterface(createReadStream(lines))) {
    yield JSON.parse(line) as FiledProposal;
  }
}

/** Keys and values as the sink sends them. */
async function makeReadyBytes(
  lines: string,
): Promise<{ readonly file: string; readonly count: number }> {
  const { registry, topic } = kafkaSinkSchema.parse({
    brokers: [stack.broker.plaintext],
    registry: { url: stack.registryUrl },
  });
  const schema = await schemaToWriteWith({
    options: registry,
    topic,
    signal: new AbortController().signal,
    hide: (text) => text,
  });
  const encode = wireFormat(schema, { lastObserved: Date.now(), runId: 'bench' });
  const parts: Buffer[] = [];
  const add = (bytes: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  };
  for await (const { aspect, ...head } of proposalsOf(lines)) {
    add(Buffer.from(head.entityUrn));
    add(encode({ ...head, changeType: 'UPSERT', aspect: aspect.json }));
  }
  const file = join(folder, 'messages.bin');
  await writeFile(file, Buffer.concat(parts));
  return { file, count: parts.length / 4 };
}

function ours(name: string, lines: string, compression: string): Command {
  const { broker, registryUrl } = stack;
  return {
    name,
    program: process.execPath,
    args: [here('kafka/ours.js'), broker.plaintext, registryUrl, lines, compression],
  };
}

async function peer(lines: string): Promise<Command> {
  const file = join(folder, 'proposals.json');
  const all: FiledProposal[] = [];
  for await (const proposal of proposalsOf(lines)) all.push(proposal);
  await writeFile(file, JSON.stringify(all));
  const recipe = join(folder, 'recipe.yml');
  await writeFile(
    recipe,
    JSON.stringify({
      source: { type: 'file', config: { path: file } },
      sink: {
        type: 'datahub-kafka',
        config: {
          connection: {
            bootstrap: stack.broker.plaintext,
            schema_registry_url: stack.registryUrl,
          },
        },
      },
    }),
  );
  return {
    name: 'peer',
    program: join(binOf(KAFKA_READER), 'datahub'),
    args: ['ingest', 'run', '--no-default-report', '--no-progress', '-c', recipe],
    env: PEER_ENVIRONMENT,
    once: true,
  };
}

function table(figures: ReadonlyMap<string, Figures>): string {
  const bare = figures.get('bare')?.wallSeconds ?? Number.NaN;
  return [
    '| what | wall | processor | peak memory | times kafkajs alone |',
    '|---|---|---|---|---|',
    ...[...figures].map(
      ([name, { wallSeconds, cpuSeconds, peakMegabytes }]) =>
        `| ${name} | ${wallSeconds.toFixed(2)} s | ${cpuSeconds.toFixed(2)} s | ` +
        `${peakMegabytes.toFixed(0)} MB | ${(wallSeconds / bare).toFixed(2)} |`,
    ),
  ].join('\n');
}
