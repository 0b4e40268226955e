/**
 * Tries again what may succeed later, with exponentially growing, jittered waits.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { PipelineError } from './errors.js';

export interface RetryOptions {
  /** Tries after the first one. */
  readonly retries: number;
  /** Wait before the second try, milliseconds; it doubles each time, times a random 1 to 2. */
  readonly minDelayMs: number;
  /** The longest of these waits, milliseconds. */
  readonly maxDelayMs: number;
  /** The longest wait that the other side's Retry-After is obeyed for, milliseconds. */
  readonly maxRetryAfterMs: number;
  readonly signal: AbortSignal;
  /** Told before each wait that is followed by another try. */
  readonly onRetry?: (error: PipelineError) => void;
}

/**
 * Calls `attempt` until it succeeds. Only a `PipelineError` that says `retryable` is tried again;
 * where it says `retryAfterMs`, at least that long is waited.
 *
 * @throws what the last attempt threw, or the signal's reason as soon as that is aborted
 *
 * @example
 * const page = await retry(() => fetchPage(), {
 *   retries: 5, minDelayMs: 500, maxDelayMs: 30_000, maxRetryAfterMs: 120_000, signal,
 * });
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal } = options;
  return pRetry(attempt, {
    retries: options.retries,
    minTimeout: options.minDelayMs,
    maxTimeout: options.maxDelayMs,
    randomize: true,
    signal,
    shouldRetry: async ({ error }) => {
      if (signal.aborted || !(error instanceof PipelineError) || !error.retryable) return false;
      options.onRetry?.(error);
      // The back-off comes on top, so that those who were told the same time don't come at once.
      await wait(Math.min(error.retryAfterMs ?? 0, options.maxRetryAfterMs), signal);
      return true;
    },
  });
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/**
 * The wait that a Retry-After header asks for, in milliseconds: it holds seconds or a date. Absent
 * where it holds neither.
 */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
