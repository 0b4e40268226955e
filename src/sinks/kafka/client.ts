/**
 * Connections to Kafka that can be broken off at any moment.
 */

import * as net from 'node:net';
import * as tls from 'node:tls';
import type kafkajs from 'kafkajs';
import type { Logger, RunContext } from '../../stream/contracts.js';
import type { KafkaSinkSettings, SaslOptions } from './options.js';
import { readTlsFiles } from './tls-files.js';

const KEEP_ALIVE_MS = 60_000;

/**
 * How often kafkajs tries for itself. Seldom: whoever calls it repeats with a deadline, for kafkajs
 * knows none, and what it has begun can't be called off.
 */
export const SHORT_RETRY = {
  retries: 2,
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  factor: 0.2,
  multiplier: 2,
} as const;

export interface KafkaClient {
  readonly kafka: kafkajs.Kafka;
  /** Ends every connection at once and lets none be made again. */
  destroy(): void;
}

/**
 * Makes a client of the cluster. Reaches nothing yet but the files with keys and certificates.
 *
 * @throws PipelineError `TLS_FILE_UNREADABLE` (usage)
 */
export async function kafkaClient(
  settings: KafkaSinkSettings,
  context: Pick<RunContext, 'log' | 'signal'>,
): Promise<KafkaClient> {
  // Loaded only here: few configurations write to Kafka, and all of them import this.
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  const secure = await readTlsFiles(settings.tls);
  const sockets = new Set<net.Socket>();
  let destroyed = false;

  const connect = (host: string, port: number, onConnect: () => void): net.Socket => {
    if (destroyed) throw new Error('the sink is closed');
    const socket =
      secure === undefined
        ? net.connect({ host, port }, onConnect)
        : tls.connect({ host, port, ...serverName(host), ...secure }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };

  const kafka = new Kafka({
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    connectionTimeout: settings.connectionTimeoutMs,
    authenticationTimeout: settings.connectionTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    retry: SHORT_RETRY,
    logLevel: logLevel.INFO,
    logCreator: () => logTo(context.log),
    socketFactory: ({ host, port, onConnect }) => connect(host, port, onConnect),
    ...(settings.sasl === undefined ? {} : { sasl: saslOf(settings.sasl, context.signal) }),
  });

  return {
    kafka,
    destroy: () => {
      destroyed = true;
      // With an error: kafkajs tells those who wait for an answer only then.
      for (const socket of sockets) socket.destroy(new Error('the sink is closed'));
    },
  };
}

/** Without it Node names nobody to a server of several names; an address is not a name. */
function serverName(host: string): { servername?: string } {
  return net.isIP(host) === 0 ? { servername: host } : {};
}

function saslOf(sasl: SaslOptions, signal: AbortSignal): kafkajs.SASLOptions {
  if (sasl.mechanism === 'oauthbearer') {
    const token =
      'token' in sasl
        ? sasl.token
        : // Few need it, and it brings an HTTP client that takes as long to load as Kafka's.
          async () => (await import('./oauth.js')).oauthToken(sasl, signal);
    return {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: await token() }),
    };
  }
  const { mechanism, username, password } = sasl;
  return { mechanism, username, password };
}

/**
 * kafkajs reports each of its tries as an error, and limits to it that we set on purpose as
 * warnings. What comes of them is told by ours; theirs are for whoever looks for a cause. Only
 * fields that can't hold a credential are passed on.
 */
function logTo(log: Logger): (entry: kafkajs.LogEntry) => void {
  return ({ namespace, label, log: { message, ...rest } }) => {
    const fields: Record<string, unknown> = { kafkajs: namespace, level: label };
    for (const key of ['broker', 'error', 'retryCount', 'retryTime'] as const) {
      const value: unknown = rest[key];
      if (typeof value === 'string' || typeof value === 'number') fields[key] = value;
    }
    log.debug(fields, message);
  };
}
