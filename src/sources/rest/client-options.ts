/**
 * What the client of a server is made with.
 */

import type { MlflowClientOptions } from '../../mlflow/client/mlflow-client.js';
import type { ClientSettings } from '../../mlflow/client/settings.js';
import type { RunContext } from '../../stream/contracts.js';
import type { RestSettings } from './options.js';

export function clientOptions(
  server: ClientSettings,
  settings: RestSettings,
  context: RunContext,
): MlflowClientOptions {
  return {
    settings: server,
    connections: settings.concurrency,
    timeoutMs: settings.timeoutMs,
    maxResponseBytes: settings.maxResponseBytes,
    maxRequestsPerSecond: settings.maxRequestsPerSecond,
    retries: settings.retries,
    minDelayMs: settings.minRetryDelayMs,
    maxDelayMs: settings.maxRetryDelayMs,
    maxRetryAfterMs: settings.maxRetryAfterMs,
    signal: context.signal,
    counter: context.recorder,
    onSlower: (perSecond) => {
      const rate = Number(perSecond.toPrecision(2));
      context.log.info(
        { perSecond: rate },
        `too many requests for ${server.address.shown}: ${rate} a second from now on`,
      );
    },
    // Else a run that waits for a server to come back looks as if it hung.
    onFirstRetry: ({ code, message, retryAfterMs = 0 }) => {
      const wait = Math.min(retryAfterMs, settings.maxRetryAfterMs);
      const when = wait > 0 ? ` in ${Math.ceil(wait / 1000)} s` : '';
      context.log.warn({ code }, `${message}; trying again${when}`);
    },
  };
}
