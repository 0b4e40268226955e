/**
 * The registry's client: kafkajs' own, kept from what it would do beyond what it is asked for.
 */

import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import type registryLibrary from '@kafkajs/confluent-schema-registry';
import type { RegistryOptions } from './options.js';
import { readTlsFiles } from './tls-files.js';

type SchemaRegistry = registryLibrary.SchemaRegistry;
type ClientOptions = ConstructorParameters<typeof registryLibrary.SchemaRegistry>[0];
type Middleware = NonNullable<ClientOptions['middlewares']>[number];

export interface RegistryClient {
  readonly registry: SchemaRegistry;
  /** Why the last connection failed, if one did: the library tells only in words. */
  connectionError(): (Error & { readonly code?: string }) | undefined;
  /** Ends its connections. */
  destroy(): void;
}

/** Tries after the first one; a registry that is being restarted is back in that time, or not. */
const RETRY = {
  retries: 3,
  initialRetryTimeInSecs: 0.2,
  maxRetryTimeInSecs: 2,
  factor: 0.2,
  multiplier: 2,
  // Registering the same schema twice gives the same id.
  enableRetry: () => true,
  // 501: DataHub's own registry, which answers only part of the API.
  validateRetry: (response: { status(): number }) =>
    response.status() >= 500 && response.status() !== 501,
};

/**
 * Makes a client. Reaches nothing yet but the files with keys and certificates.
 *
 * @throws PipelineError `TLS_FILE_UNREADABLE` (usage)
 */
export async function registryClient(
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<RegistryClient> {
  const { SchemaRegistry } = (await import('@kafkajs/confluent-schema-registry')).default;
  let lastError: Error | undefined;
  const watch = (socket: Socket | null | undefined): void => {
    // What went wrong before it was reached again is no reason for what it answers.
    socket?.once('connect', () => {
      lastError = undefined;
    });
    socket?.once('error', (error: Error) => {
      lastError = error;
    });
  };
  const secure = (await readTlsFiles(options.tls)) ?? {};
  const agent = options.url.startsWith('https:')
    ? watched(new https.Agent({ keepAlive: true, ...secure }), watch)
    : watched(new http.Agent({ keepAlive: true }), watch);

  const { username, password = '' } = options;
  const registry = new SchemaRegistry({
    host: options.url.replace(/\/+$/, ''),
    clientId: 'mlflow-datahub',
    retry: RETRY,
    agent,
    ...(username === undefined ? {} : { auth: { username, password } }),
    middlewares: [bounded(options, signal), leaveConfigurationAlone],
  });

  return {
    registry,
    connectionError: () => lastError,
    destroy: () => {
      agent.destroy();
    },
  };
}

type CreateConnection = (options: object, callback: (error: Error | null) => void) => Socket | null;

/** Lets `watch` see each socket that an agent makes. */
function watched<A extends http.Agent>(agent: A, watch: (socket: Socket | null) => void): A {
  const inner = agent as unknown as { createConnection: CreateConnection };
  const original = inner.createConnection;
  inner.createConnection = (options, callback) => {
    const socket = original.call(agent, options, callback);
    watch(socket);
    return socket;
  };
  return agent;
}

/** Gives each request a time limit, the run's signal, and the token. */
function bounded({ timeoutMs, token }: RegistryOptions, signal: AbortSignal): Middleware {
  return () => ({
    prepareRequest: async (next) => {
      const request = await next();
      return request.enhance({
        timeout: timeoutMs,
        signal,
        ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      });
    },
  });
}

/** What the library takes for a subject's own setting, and then leaves as it is. */
const UNTOUCHED = { data: () => ({ compatibilityLevel: 'BACKWARD' }) };

/**
 * The library's `register` asks for the subject's compatibility, refuses to go on where it is not
 * what it expects, and sets it where the subject has none. It is not ours to judge or to set, so
 * these requests are answered here and never sent.
 */
const leaveConfigurationAlone: Middleware = ({ resourceMethod }) => ({
  response: (next) =>
    /config$/i.test(resourceMethod)
      ? (Promise.resolve(UNTOUCHED) as unknown as ReturnType<typeof next>)
      : next(),
});
