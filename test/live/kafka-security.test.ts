/**
 * Ways in to a real Kafka, and what is said where there is none.
 */

import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../src/core/errors.js';
import { kafkaSink, kafkaSinkFromUri, type KafkaSinkOptions } from '../../src/sinks/kafka/index.js';
import type { Sink } from '../../src/stream/contracts.js';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { transcribe } from '../support/transcript.js';
import { GUEST, USER } from './kafka/broker.js';
import { readTopic } from './kafka/read.js';
import { startKafkaStack, type KafkaStack } from './kafka-stack.js';

let stack: KafkaStack;
let topic: string;
const said: string[] = [];

beforeAll(async () => {
  stack = await startKafkaStack();
  topic = await stack.createTopic();
});
afterAll(() => stack.stop());

const line = (fields: object, text: string): void => {
  said.push(JSON.stringify(fields) + text);
};
const log = { debug: line, info: line, warn: line, error: line };

function sinkWith(options: Partial<KafkaSinkOptions>): Sink {
  return kafkaSink({
    brokers: [stack.broker.plaintext],
    topic,
    registry: { url: stack.registryUrl },
    ...options,
  });
}

/** A token as a broker takes it that trusts everybody: a JWT without a signature. */
function unsignedToken(): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: USER.username, iat: now, exp: now + 600 })}.`;
}

const waysIn: readonly [string, () => Sink][] = [
  ['PLAIN', () => viaSasl({ mechanism: 'plain', ...USER })],
  ['SCRAM-SHA-256', () => viaSasl({ mechanism: 'scram-sha-256', ...USER })],
  ['SCRAM-SHA-512', () => viaSasl({ mechanism: 'scram-sha-512', ...USER })],
  ['OAUTHBEARER', () => viaSasl({ mechanism: 'oauthbearer', token: unsignedToken })],
  ['TLS', () => viaTls(stack.broker.ssl, {}, { sasl: undefined })],
  ['TLS with a certificate', () => viaTls(stack.broker.mutual, client())],
  [
    'a URI with a password',
    () => {
      const user = `${USER.username}:${encodeURIComponent(USER.password)}`;
      const place = `${stack.broker.sasl}/${topic}?registry=${stack.registryUrl}`;
      return kafkaSinkFromUri(`kafka://${user}@${place}&sasl=scram-sha-256`);
    },
  ],
];

function viaSasl(sasl: NonNullable<KafkaSinkOptions['sasl']>, more = {}): Sink {
  return sinkWith({ brokers: [stack.broker.sasl], sasl, ...more });
}

function viaTls(broker: string, tls: object, more = {}): Sink {
  return sinkWith({
    brokers: [broker],
    tls: { caFile: stack.broker.certificates.ca, ...tls },
    ...more,
  });
}

function client(): object {
  const { clientCert, clientKey } = stack.broker.certificates;
  return { certFile: clientCert, keyFile: clientKey };
}

describe('the sink', () => {
  it.each(waysIn)('gets in by %s', async (name, make) => {
    const sink = make();
    expect(await sink.check(runContext({ log }))).toContain(`topic ${topic}`);
    const open = await sink.open(runContext({ log }));
    const proposal = tagProposal(`by ${name}`.replaceAll(' ', '-'));
    expect(await open.write([proposal])).toEqual([]);
    await open.close('complete');
    const arrived = await readTopic(stack, topic);
    expect(arrived.map(({ entityUrn }) => entityUrn)).toContain(proposal.entityUrn);
  });

  const kept: readonly [string, () => Sink, string, string][] = [
    [
      'a wrong password for PLAIN',
      () => viaSasl({ mechanism: 'plain', username: USER.username, password: 'wr0ng-s3cret' }),
      'KAFKA_AUTHENTICATION',
      'check "sasl"',
    ],
    [
      'a wrong password for SCRAM',
      () =>
        viaSasl({ mechanism: 'scram-sha-512', username: USER.username, password: 'wr0ng-s3cret' }),
      'KAFKA_AUTHENTICATION',
      'check "sasl"',
    ],
    [
      'no password where one is wanted',
      () => sinkWith({ brokers: [stack.broker.sasl] }),
      'KAFKA_UNREACHABLE',
      'with passwords ("sasl")',
    ],
    [
      'a password where none is wanted',
      () => sinkWith({ sasl: { mechanism: 'plain', ...USER } }),
      'KAFKA_AUTHENTICATION',
      'check "sasl"',
    ],
    [
      'a user who may do nothing',
      () => viaSasl({ mechanism: 'plain', ...GUEST }),
      'KAFKA_FORBIDDEN',
      'DESCRIBE and WRITE',
    ],
    [
      'TLS whose authority is not known',
      () => sinkWith({ brokers: [stack.broker.ssl], tls: true }),
      'KAFKA_TLS',
      'caFile',
    ],
    [
      'TLS without the certificate that is wanted',
      () => viaTls(stack.broker.mutual, {}),
      'KAFKA_TLS',
      'certFile',
    ],
    [
      'TLS where there is none',
      () => viaTls(stack.broker.plaintext, {}),
      'KAFKA_UNREACHABLE',
      'closes the connection',
    ],
    [
      'no TLS where there is TLS',
      () => sinkWith({ brokers: [stack.broker.ssl] }),
      'KAFKA_UNREACHABLE',
      'TLS ("tls")',
    ],
  ];

  it.each(kept)('is kept out with %s', async (_, make, code, words) => {
    for (const work of ['check', 'open'] as const) {
      const sink = make();
      const error = await sink[work](runContext({ log })).then(
        () => expect.fail('it got in'),
        (thrown: unknown) => thrown as PipelineError,
      );
      said.push(`${error.message} ${error.stack ?? ''} ${String(error.cause)}`);
      expect({ code: error.code, message: error.message }).toEqual({
        code,
        message: expect.stringContaining(words) as string,
      });
    }
  });

  it('may describe a topic and not write to it', async () => {
    await stack.broker.admin.createAcls({
      acl: [
        {
          resourceType: kafkajs.AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
          principal: `User:${GUEST.username}`,
          host: '*',
          operation: kafkajs.AclOperationTypes.DESCRIBE,
          permissionType: kafkajs.AclPermissionTypes.ALLOW,
        },
      ],
    });
    const sink = viaSasl({ mechanism: 'plain', ...GUEST });
    for (const work of ['check', 'open'] as const) {
      await expect(sink[work](runContext({ log }))).rejects.toMatchObject({
        code: 'KAFKA_FORBIDDEN',
        retryable: false,
      });
    }
  });

  it('has told no password to anybody', () => {
    expect(said.length).toBeGreaterThan(20);
    const all = said.join('\n');
    transcribe('said', all);
    for (const secret of [
      USER.password,
      GUEST.password,
      'wr0ng-s3cret',
      unsignedToken().slice(0, 40),
    ]) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(encodeURIComponent(secret));
    }
  });
});
