/**
 * Real servers that want to know who asks, and the command that never tells anybody.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { linesWithSecrets } from '../support/transcript.js';
import { command, WRITTEN, type Ended } from './command.js';
import { countingProxy } from './counting-proxy.js';
import { startGms } from './gms.js';
import { USER } from './kafka/broker.js';
import { startKafkaStack, type KafkaStack } from './kafka-stack.js';
import { seed } from './seed.js';
import { startMlflow } from './servers.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const PASSWORDS = { mlflow: 'mlflow/s3cret', registry: 'registry s3cret' };
const GMS_TOKEN = 'gms-token-s3cret';
const MLFLOW_TOKEN = 'mlflow-token-s3cret';

let stack: KafkaStack;
let folder: string;
/** Where each listens. */
const at = { mlflow: '', mlflowByToken: '', registry: '', gms: '' };
const cleanup: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [kafka, mlflow, gms] = await Promise.all([
    startKafkaStack(),
    startMlflow('3.17.2'),
    startGms({ token: GMS_TOKEN }),
  ]);
  for (const each of [kafka, mlflow, gms]) cleanup.push(() => each.stop());
  stack = kafka;
  await seed('3.17.2', mlflow.uri, 'common');
  at.gms = gms.url;
  const { origin, pathname } = new URL(stack.registryUrl);
  const guards = [
    [mlflow.uri, basic(`ann:${PASSWORDS.mlflow}`)],
    [mlflow.uri, `Bearer ${MLFLOW_TOKEN}`],
    [origin, basic(`registrar:${PASSWORDS.registry}`)],
  ] as const;
  const [first, second, third] = await Promise.all(
    guards.map(([target, authorization]) => countingProxy(target, authorization)),
  );
  for (const each of [first, second, third]) cleanup.push(async () => each?.close());
  at.mlflow = first?.uri ?? '';
  at.mlflowByToken = second?.uri ?? '';
  at.registry = `${third?.uri ?? ''}${pathname}`;
});
afterAll(async () => {
  await Promise.all(cleanup.map((each) => each()));
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Given {
  readonly mlflow?: string;
  readonly kafka?: string;
  readonly registry?: string;
  readonly gms?: string;
  readonly env?: Record<string, string>;
}

const as = (who: string, password: string, url: string): string =>
  url.replace('//', `//${who}:${encodeURIComponent(password)}@`);

async function route(given: Given): Promise<{ from: string[]; to: string[] }> {
  const topic = await stack.createTopic();
  const registry = as('registrar', given.registry ?? PASSWORDS.registry, at.registry);
  const kafka = as(USER.username, given.kafka ?? USER.password, `kafka://${stack.broker.sasl}`);
  return {
    from: ['--from', given.mlflow ?? as('ann', PASSWORDS.mlflow, at.mlflow)],
    to: [
      ...['--to', `${kafka}/${topic}?registry=${encodeURIComponent(registry)}&sasl=scram-sha-512`],
      ...['--to', `datahub+${at.gms.replace('//', `//${given.gms ?? GMS_TOKEN}@`)}`],
    ],
  };
}

/** Everything that the command can do with it, told in every detail. */
async function everyWay(given: Given): Promise<readonly Ended[]> {
  const { from, to } = await route(given);
  const all: Ended[] = [];
  const tolerant = to.map((each) =>
    each.startsWith('--') ? each : `${each}${each.includes('?') ? '&' : '?'}onError=dead-letter`,
  );
  for (const args of [
    ['run', ...from, ...to, ...WRITTEN, '--log-format', 'json'],
    ['run', ...from, ...tolerant, ...WRITTEN, '--log-format', 'pretty'],
    ['check', ...from, ...to],
    ['graph', ...from, ...to],
    ['replay', 'dead.ndjson', ...to],
  ]) {
    const ended = await command([...args, '--log-level', 'debug'], {
      folder,
      ...(given.env === undefined ? {} : { env: given.env }),
    });
    expect(ended.output).not.toBe('');
    expect(linesWithSecrets(ended.output)).toEqual([]);
    all.push(ended);
  }
  return all;
}

it('is let in everywhere', async () => {
  const [run, tolerant, check, graph] = await everyWay({});
  expect([run, tolerant, check, graph].map((each) => each?.status)).toEqual([0, 0, 0, 0]);
  const delivered = Object.values(run?.report.counts.delivered ?? {});
  expect(delivered).toHaveLength(2);
  expect(delivered[0]).toBe(delivered[1]);
  expect(delivered[0]).toBeGreaterThan(500);
});

it('is let in with a token of the environment', async () => {
  const [run] = await everyWay({
    mlflow: at.mlflowByToken,
    env: { MLFLOW_TRACKING_TOKEN: MLFLOW_TOKEN, DATAHUB_GMS_TOKEN: 'another-s3cret' },
  });
  expect(run?.status).toBe(0);
});

const WRONG = 'wrong/s3cret';

it.each([
  ['Kafka', { kafka: WRONG }, 'KAFKA_AUTHENTICATION'],
  ['the registry', { registry: WRONG }, 'REGISTRY_FORBIDDEN'],
  ['DataHub', { gms: 'wrong-s3cret' }, 'SINK_UNAUTHORIZED'],
] as const)('is kept out by %s', async (_, given, code) => {
  const [run, tolerant, , , replay] = await everyWay(given);
  expect(run?.status).toBe(3);
  expect(run?.output).toContain(code);
  expect(tolerant?.status).toBe(1);
  expect(new Set(tolerant?.deadLetters.map((each) => each.code))).toEqual(new Set([code]));
  // It is still kept out, and what is there stays.
  expect(replay?.status).toBe(3);
  expect(replay?.deadLetters).toEqual(tolerant?.deadLetters);
});

it('is kept out by MLflow', async () => {
  const [run] = await everyWay({ mlflow: as('ann', WRONG, at.mlflow) });
  expect(run?.status).toBe(3);
  expect(run?.output).toContain('SOURCE_UNAUTHORIZED');
});
