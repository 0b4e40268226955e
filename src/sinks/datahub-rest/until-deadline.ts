/**
 * Tries again until it works or the time is over.
 */

import { PipelineError } from '../../core/errors.js';
import { retry } from '../../core/retry.js';
import type { RunContext } from '../../stream/contracts.js';
import { brokenOff, gaveUp, ServiceFailedError } from './failures.js';
import type { DataHubRestSettings } from './options.js';

export interface DeadlineOptions {
  readonly settings: Pick<DataHubRestSettings, 'deliveryTimeoutMs' | 'minDelayMs' | 'maxDelayMs'>;
  readonly context: Pick<RunContext, 'log' | 'signal' | 'recorder'>;
}

/** Thrown by an attempt, it ends the trying: the failure in it is what is thrown then. */
export class EnoughError extends Error {
  constructor(readonly failure: PipelineError) {
    super(failure.message);
  }
}

/**
 * Calls `attempt` until it succeeds, fails for good, or `deliveryTimeoutMs` is over, when its signal
 * is aborted.
 *
 * @throws PipelineError of the last attempt; one that says how long was tried, where time is over
 *   (but a `ServiceFailedError` as it is); `ABORTED` where the run is
 */
export async function untilDeadline(
  attempt: (signal: AbortSignal) => Promise<void>,
  { settings, context }: DeadlineOptions,
): Promise<void> {
  const { deliveryTimeoutMs, minDelayMs, maxDelayMs } = settings;
  const deadline = new AbortController();
  const stop = (): void => {
    deadline.abort();
  };
  const timer = setTimeout(stop, deliveryTimeoutMs);
  context.signal.addEventListener('abort', stop, { once: true });
  let last: PipelineError | undefined;
  let tries = 0;
  const tryOnce = async (): Promise<void> => {
    tries += 1;
    try {
      await attempt(deadline.signal);
    } catch (error) {
      if (error instanceof PipelineError && !deadline.signal.aborted) last = error;
      throw error;
    }
  };
  try {
    if (context.signal.aborted) throw brokenOff(context.signal);
    await retry(tryOnce, {
      retries: Infinity,
      minDelayMs,
      maxDelayMs,
      maxRetryAfterMs: deliveryTimeoutMs,
      signal: deadline.signal,
      onRetry: (error) => {
        context.recorder.retries += 1;
        if (tries === 1) logRetry(context, error);
      },
    });
  } catch (error) {
    if (context.signal.aborted) throw brokenOff(context.signal);
    if (error instanceof EnoughError) throw error.failure;
    if (!deadline.signal.aborted) throw error;
    if (last instanceof ServiceFailedError) throw last;
    throw gaveUp(last, deliveryTimeoutMs, tries);
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener('abort', stop);
  }
}

/** Once for each request, or a run that waits for a service to come back looks as if it hung. */
export function logRetry({ log }: Pick<RunContext, 'log'>, { code, message }: PipelineError): void {
  log.warn({ code }, `${message}; trying again`);
}
