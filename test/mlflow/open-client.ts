/**
 * A client for tests: patient enough, but without waits.
 */

import { onTestFinished } from 'vitest';
import {
  openMlflowClient,
  type MlflowClient,
  type MlflowClientOptions,
} from '../../src/mlflow/client/mlflow-client.js';
import {
  clientSettings,
  type ConnectionOptions,
  type Env,
} from '../../src/mlflow/client/settings.js';
import {
  startMlflowServer,
  type MlflowServer,
  type MlflowServerOptions,
} from '../support/mlflow-server.js';

export interface ClientOptions
  extends ConnectionOptions, Partial<Omit<MlflowClientOptions, 'settings'>> {
  readonly env?: Env;
}

/** Closed when the test is over. */
export async function openClient(uri: string, options: ClientOptions = {}): Promise<MlflowClient> {
  const client = await openMlflowClient({
    connections: 2,
    timeoutMs: 10_000,
    maxResponseBytes: 1_000_000,
    retries: 2,
    minDelayMs: 0,
    maxDelayMs: 1,
    maxRetryAfterMs: 1,
    signal: new AbortController().signal,
    counter: { requests: 0, retries: 0 },
    ...options,
    settings: clientSettings(uri, 'uri', options, options.env ?? {}),
  });
  onTestFinished(() => client.close());
  return client;
}

/** Closed when the test is over. */
export async function startServer(options: MlflowServerOptions = {}): Promise<MlflowServer> {
  const server = await startMlflowServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** What the promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was expected to fail');
}

/** Everything about an error that could be shown: messages, stacks, causes, own properties. */
export function everythingOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = JSON.stringify(error, Object.getOwnPropertyNames(error));
  return `${own} ${error.stack ?? ''} ${error.cause === undefined ? '' : everythingOf(error.cause)}`;
}
