/**
 * Kafka, DataHub and a file at once: each has everything, whatever becomes of the others.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readProposal } from '../../src/datahub/read-proposal.js';
import { command, WRITTEN, type Ended } from './command.js';
import { startGms, type Gms } from './gms.js';
import { binOf } from './install.js';
import { expectDelivered } from './kafka/outcome.js';
import { readTopic } from './kafka/read.js';
import { startKafkaStack, type KafkaStack } from './kafka-stack.js';
import { PEER_ENVIRONMENT } from './peer.js';
import { run } from './processes.js';
import { readProposals, type FiledProposal } from './proposals.js';
import { PEER } from './releases.js';
import { seedBulk } from './seed.js';

let stack: KafkaStack;
let shared: string;
/** About 10,000 proposals that a real database gave. */
let file: string;
let proposals: readonly FiledProposal[];

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'together-shared-'));
  const database = join(shared, 'mlflow.db');
  const bulk = { experiments: 5, runs: 1_250, models: 20, versions: 200 };
  [stack] = await Promise.all([startKafkaStack(), seedBulk('2.22.5', database, bulk)]);
  file = join(shared, 'proposals.json');
  const made = await command(['--from', `sqlite:///${database}`, '--to', file], { folder: shared });
  expect(made.status, made.output).toBe(0);
  proposals = await readProposals(file);
  expect(proposals.length).toBeGreaterThan(10_000);
});
afterAll(async () => {
  await stack.stop();
  await rm(shared, { recursive: true, force: true });
});

let folder: string;
let gms: Gms;
let topic: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'together-'));
  out = join(folder, 'out.ndjson');
  topic = await stack.createTopic();
  gms = await startGms();
});
afterEach(async () => {
  await gms.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What each of the sinks is called in reports. */
const kafkaLabel = (): string => `kafka ${stack.broker.plaintext}/${topic}`;
const kafka = (more = ''): string =>
  `kafka://${stack.broker.plaintext}/${topic}?registry=${stack.registryUrl}${more}`;

function toAll(from: string, toKafka: string, meanwhile?: () => Promise<void>): Promise<Ended> {
  const to = ['--to', toKafka, '--to', `datahub+${gms.url}`, '--to', out];
  return command(['run', '--from', from, ...to, ...WRITTEN], {
    folder,
    ...(meanwhile === undefined ? {} : { meanwhile }),
  });
}

async function untilTaken(count: number): Promise<void> {
  while ((await gms.counts()).proposals < count) await sleep(20);
}

async function inFile(): Promise<readonly FiledProposal[]> {
  const lines = (await readFile(out, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as FiledProposal);
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

describe('Kafka, DataHub and a file', () => {
  it('have everything though the broker is restarted and a third of all requests fails', async () => {
    await gms.control({
      rates: { 503: 0.1, 429: 0.1, drop: 0.05, 'take-and-drop': 0.05 },
      retryAfter: 0.2,
      seed: 5,
      delayMs: 20,
    });
    const { status, report, deadLetters } = await toAll(file, kafka(), async () => {
      await untilTaken(2_000);
      await stack.broker.server.stop();
      await stack.broker.server.start();
    });
    expect(status).toBe(0);
    expect(deadLetters).toEqual([]);
    expect(report.counts.delivered).toEqual({
      [kafkaLabel()]: proposals.length,
      [`datahub ${gms.url}`]: proposals.length,
      [`file ${out}`]: proposals.length,
    });
    const expected = proposals.map(readProposal);
    expectDelivered(await readTopic(stack, topic), expected);
    expectDelivered(await gms.taken(), expected);
    expectDelivered(await inFile(), expected);
  });

  it('have 10,000 but the one that can not be read', async () => {
    const lines = proposals.map((each) => JSON.stringify(each));
    lines.splice(5_000, 0, '{"entityUrn": "urn:li:tag:bad", oops}');
    const mixed = join(folder, 'mixed.ndjson');
    await writeFile(mixed, lines.join('\n'));
    const { status, report, deadLetters } = await toAll(mixed, kafka());
    expect(status).toBe(1);
    expect(deadLetters).toMatchObject([{ kind: 'record', code: 'MALFORMED_PROPOSAL' }]);
    expect(deadLetters[0]?.message).toContain('line 5001');
    expect(Object.values(report.counts.delivered)).toEqual(Array(3).fill(proposals.length));
    const expected = proposals.map(readProposal);
    expectDelivered(await readTopic(stack, topic), expected);
    expectDelivered(await gms.taken(), expected);
  });

  it('have everything after a replay, where Kafka was gone and the run went on', async () => {
    await gms.control({ delayMs: 20 });
    const tolerant = kafka('&onError=dead-letter&deliveryTimeoutMs=6000&requestTimeoutMs=3000');
    const { status, report, deadLetters } = await toAll(file, tolerant, async () => {
      await untilTaken(2_000);
      await stack.broker.server.stop();
    });
    await stack.broker.server.start();
    expect(status).toBe(1);
    const { delivered } = report.counts;
    expect(delivered[`datahub ${gms.url}`]).toBe(proposals.length);
    expect(delivered[`file ${out}`]).toBe(proposals.length);
    const toKafka = delivered[kafkaLabel()] ?? 0;
    expect(toKafka).toBeGreaterThan(0);
    expect(toKafka + deadLetters.length).toBe(sum(report.counts.aspects));
    expect(new Set(deadLetters.map(({ sink }) => sink))).toEqual(new Set([kafkaLabel()]));

    const replayed = await command(['replay', 'dead.ndjson', '--to', kafka()], { folder });
    expect(replayed.status, replayed.output).toBe(0);
    expect(replayed.deadLetters).toEqual([]);
    expectDelivered(await readTopic(stack, topic), proposals.map(readProposal));
  });
});

describe('patches that DataHub’s own builders made', () => {
  interface Sent {
    readonly contentType: string;
    readonly content: unknown;
    readonly aspectName: string;
  }

  async function python(...args: string[]): Promise<readonly Sent[]> {
    const script = fileURLToPath(new URL('patches.py', import.meta.url));
    const { stdout } = await run(join(binOf(PEER), 'python'), [script, ...args], {
      env: PEER_ENVIRONMENT,
    });
    return JSON.parse(stdout) as readonly Sent[];
  }

  it.each(['plain.json', 'nested.json'])('arrive as patches from %s', async (name) => {
    out = join(folder, 'out.json');
    const built = await python('write', folder);
    expect(built.map(({ contentType }) => contentType)).toEqual(
      built.map(() => 'application/json-patch+json'),
    );
    const { status, output } = await toAll(join(folder, name), kafka());
    expect(status, output).toBe(0);
    const content = built.map(({ aspectName, content }) => ({
      aspectName,
      aspect: { json: content },
    }));
    // Both look at the content type, and give the patch as JSON.
    expect(await gms.taken()).toMatchObject(content);
    const onTopic = await readTopic(stack, topic);
    expect(onTopic).toMatchObject(content);
    expect(new Set(onTopic.map(({ changeType }) => changeType))).toEqual(new Set(['PATCH']));
    // And what our file sink wrote, DataHub's own reader takes for the same.
    expect(await python('read', out)).toEqual(built);
  });
});
