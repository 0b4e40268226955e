/**
 * From MLflow to Kafka, read back with DataHub's own schema and classes.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metadataChangeProposal } from '../../src/sinks/kafka/mcp-schema.js';
import { command } from './command.js';
import { canonicalForms, readTopic } from './kafka/read.js';
import { startKafkaStack, type KafkaStack } from './kafka-stack.js';
import { canonical, readProposals, type FiledProposal } from './proposals.js';
import { seed } from './seed.js';
import { startMlflow, type MlflowServer } from './servers.js';

let stack: KafkaStack;
let mlflow: MlflowServer;
let folder: string;
const cleanup: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  [stack, mlflow] = await Promise.all([startKafkaStack(), startMlflow('2.22.5')]);
  cleanup.push(
    () => stack.stop(),
    () => mlflow.stop(),
  );
  await seed('2.22.5', mlflow.uri, 'common');
  folder = await mkdtemp(join(tmpdir(), 'kafka-test-'));
  cleanup.push(() => rm(folder, { recursive: true, force: true }));
});

afterAll(async () => {
  await Promise.all(cleanup.map((each) => each()));
});

const uriOf = (topic: string, more = ''): string =>
  `kafka://${stack.broker.plaintext}/${topic}?registry=${stack.registryUrl}${more}`;

async function succeeds(...args: string[]): Promise<string> {
  const { status, output } = await command(args, { folder });
  expect(status, output).toBe(0);
  return output;
}

/** The proposal without what differs from run to run, and where it lay. */
function content({ entityType, entityUrn, changeType, aspectName, aspect }: FiledProposal): string {
  return [entityType, entityUrn, changeType, aspectName, canonical(aspect.json)].join(' ');
}

describe('the schema', () => {
  it('has the canonical form of the one that DataHub ships', async () => {
    const [theirs, ours] = await canonicalForms(metadataChangeProposal);
    expect(ours).toBe(theirs);
    expect(theirs).toContain('MetadataChangeProposal');
  });
});

describe('a server of MLflow', () => {
  it.each(['', '&compression=gzip'])('goes to Kafka as it goes to a file%s', async (more) => {
    const topic = await stack.createTopic();
    const file = join(folder, 'out.json');
    const report = join(folder, 'report.json');
    const sinks = ['--to', file, '--to', uriOf(topic, more)];
    await succeeds('run', '--from', mlflow.uri, ...sinks, '--report', report);
    const inFile = await readProposals(file);
    const onTopic = await readTopic(stack, topic);
    expect(inFile.length).toBeGreaterThan(500);
    expect(onTopic.map(content).sort()).toEqual(inFile.map(content).sort());
    expect(onTopic.map(({ systemMetadata }) => systemMetadata)).toEqual(
      inFile.map(({ systemMetadata }) => systemMetadata),
    );
    const { counts } = JSON.parse(await readFile(report, 'utf8')) as {
      counts: { delivered: Record<string, number>; rejected: number };
    };
    expect(Object.values(counts.delivered)).toEqual([inFile.length, inFile.length]);
    expect(counts.rejected).toBe(0);
  });

  it('can be checked, which makes neither topic nor schema', async () => {
    const topic = await stack.createTopic();
    const output = await succeeds('check', '--from', mlflow.uri, '--to', uriOf(topic));
    expect(output).toContain(`topic ${topic} on ${stack.broker.plaintext} has 3 partitions`);
    expect(output).toContain('takes 5242880 bytes a message');
    const subjects = (await (await fetch(`${stack.registryUrl}/subjects`)).json()) as string[];
    expect(subjects).not.toContain(`${topic}-value`);
    const missing = await command(['check', '--from', mlflow.uri, '--to', uriOf('absent')], {
      folder,
    });
    expect(missing.status).toBe(3);
    expect(missing.output).toContain('has no topic absent');
    expect(await stack.broker.admin.listTopics()).not.toContain('absent');
  });

  it('leaves the compatibility of the subject as it is', async () => {
    const topic = await stack.createTopic();
    await succeeds('run', '--from', mlflow.uri, '--to', uriOf(topic));
    const other = await fetch(`${stack.registryUrl}/subjects/untouched-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: JSON.stringify(metadataChangeProposal) }),
    });
    expect(other.status).toBe(200);
    expect(await configOf(`${topic}-value`)).toBe(await configOf('untouched-value'));
  });
});

async function configOf(subject: string): Promise<string> {
  const answer = await fetch(`${stack.registryUrl}/config/${subject}`);
  return `${answer.status} ${await answer.text()}`;
}
