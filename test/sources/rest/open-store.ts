/**
 * Stores over look-alike servers, for tests: without waits, closed when the test is over.
 */

import { onTestFinished } from 'vitest';
import type { RestOptions } from '../../../src/sources/rest/options.js';
import { openRestStore } from '../../../src/sources/rest/rest-store.js';
import type { MlflowStore, StorePage } from '../../../src/sources/store.js';
import type { Rejection, RunContext } from '../../../src/stream/contracts.js';
import { Recorder } from '../../../src/stream/recorder.js';
import {
  startMlflowServer,
  type LoggedRequest,
  type MlflowServer,
  type MlflowServerOptions,
} from '../../support/mlflow-server.js';

export function testContext(over: Partial<RunContext> = {}): RunContext {
  return {
    runId: 'test',
    startedAt: 0,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    recorder: new Recorder(),
    env: {},
    reject() {},
    ...over,
  };
}

const QUICK = { retries: 2, minRetryDelayMs: 0, maxRetryDelayMs: 1, maxRetryAfterMs: 1 };

export interface Opened {
  readonly server: MlflowServer;
  readonly store: MlflowStore;
  readonly context: RunContext;
  /** Requests since the store was opened. */
  readonly asked: (endpoint: string) => readonly LoggedRequest[];
}

export async function openStore(
  serverOptions: MlflowServerOptions = {},
  options: RestOptions = {},
): Promise<Opened> {
  const server = await startMlflowServer(serverOptions);
  onTestFinished(() => server.close());
  const context = testContext();
  const store = await openRestStore({ ...QUICK, uri: server.uri, ...options }, context);
  onTestFinished(() => store.close());
  const before = server.requests.length;
  const asked = (endpoint: string) =>
    server.requests.slice(before).filter((request) => request.endpoint === endpoint);
  return { server, store, context, asked };
}

export interface Collected<T> {
  readonly pages: readonly StorePage<T>[];
  readonly items: readonly T[];
  readonly rejected: readonly Rejection[];
}

export async function collect<T>(iterable: AsyncIterable<StorePage<T>>): Promise<Collected<T>> {
  const pages: StorePage<T>[] = [];
  for await (const page of iterable) pages.push(page);
  return {
    pages,
    items: pages.flatMap((page) => page.items),
    rejected: pages.flatMap((page) => page.rejected),
  };
}
