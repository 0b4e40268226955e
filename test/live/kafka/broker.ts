/**
 * One Kafka broker that is its own controller (KRaft), with a listener of each kind.
 */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { makeCertificates, type Certificates } from '../certificates.js';
import { freePorts } from '../ports.js';
import type { KafkaPrograms } from './install.js';
import { ServerProcess } from './process.js';

const run = promisify(execFile);

/** May write anything. */
export const USER = { username: 'pipeline', password: 's3cret+word/with@signs' } as const;
/** Is let in and may do nothing that no rule allows. */
export const GUEST = { username: 'guest', password: 'guest-s3cret' } as const;

/** A message of more bytes is refused, as by the brokers that DataHub ships. */
export const MAX_MESSAGE_BYTES = 5 * 1024 * 1024;

export interface Broker {
  /** `host:port` of each listener. */
  readonly plaintext: string;
  readonly sasl: string;
  /** Wants no certificate of the client, but checks one that is shown. */
  readonly ssl: string;
  /** Wants one. */
  readonly mutual: string;
  readonly certificates: Certificates;
  readonly server: ServerProcess;
  readonly admin: kafkajs.Admin;
  stop(): Promise<void>;
}

export async function startBroker(programs: KafkaPrograms, folder: string): Promise<Broker> {
  const ports = await freePorts(5);
  const [plain, controller, sasl, ssl, mutual] = ports.map((port) => `127.0.0.1:${port}`) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const certificates = await makeCertificates(folder);
  const settings = join(folder, 'server.properties');
  const listeners = { PLAINTEXT: plain, SASL: sasl, TLS: ssl, MUTUAL: mutual };
  const listed = Object.entries(listeners).map(([name, at]) => `${name}://${at}`);
  await writeFile(
    settings,
    [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@${controller}`,
      'controller.listener.names=CONTROLLER',
      `listeners=${listed.join(',')},CONTROLLER://${controller}`,
      `advertised.listeners=${listed.join(',')}`,
      'inter.broker.listener.name=PLAINTEXT',
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,MUTUAL:SSL',
      `log.dirs=${join(folder, 'data')}`,
      // As Kafka ships it: what must not happen is then up to the client.
      'auto.create.topics.enable=true',
      'num.partitions=3',
      'offsets.topic.replication.factor=1',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'group.initial.rebalance.delay.ms=0',
      `message.max.bytes=${MAX_MESSAGE_BYTES}`,
      'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      jaas('plain', `plain.PlainLoginModule required ${users()}`),
      jaas('scram-sha-256', 'scram.ScramLoginModule required'),
      jaas('scram-sha-512', 'scram.ScramLoginModule required'),
      jaas(
        'oauthbearer',
        'oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"',
      ),
      'ssl.keystore.type=PEM',
      `ssl.keystore.location=${certificates.serverStore}`,
      'ssl.truststore.type=PEM',
      `ssl.truststore.location=${certificates.ca}`,
      'listener.name.tls.ssl.client.auth=requested',
      'listener.name.mutual.ssl.client.auth=required',
      'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      `super.users=User:ANONYMOUS;User:${USER.username};User:CN=client`,
      '',
    ].join('\n'),
  );
  await run(
    programs.java,
    [
      ...['-cp', programs.kafka, 'kafka.tools.StorageTool', 'format', '-c', settings],
      ...['--cluster-id', 'bWxmbG93LWRhdGFodWItMQ'],
      ...scram('SCRAM-SHA-256'),
      ...scram('SCRAM-SHA-512'),
    ],
    { cwd: folder },
  );
  const kafka = new kafkajs.Kafka({
    brokers: [plain],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2 },
  });
  const admin = kafka.admin();
  const server = new ServerProcess({
    name: 'Kafka',
    command: programs.java,
    args: ['-Xmx512m', '-Xms256m', '-cp', programs.kafka, 'kafka.Kafka', settings],
    cwd: folder,
    log: join(folder, 'kafka.log'),
    ready: async () => {
      await admin.connect();
      return (await admin.describeCluster()).brokers.length === 1;
    },
  });
  try {
    await server.start();
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    throw error;
  }
  return {
    ...{ plaintext: plain, sasl, ssl, mutual },
    certificates,
    server,
    admin,
    stop: async () => {
      await admin.disconnect().catch(() => undefined);
      await server.stop();
    },
  };
}

function jaas(mechanism: string, module: string): string {
  return (
    `listener.name.sasl.${mechanism}.sasl.jaas.config=` +
    `org.apache.kafka.common.security.${module};`
  );
}

function users(): string {
  return [USER, GUEST].map((user) => `user_${user.username}="${user.password}"`).join(' ');
}

function scram(mechanism: string): string[] {
  return [USER, GUEST].flatMap(({ username, password }) => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
}
