import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import { retry, retryAfterMs, type RetryOptions } from '../../src/core/retry.js';

const quick: RetryOptions = {
  retries: 3,
  minDelayMs: 0,
  maxDelayMs: 1,
  maxRetryAfterMs: 1,
  signal: new AbortController().signal,
};

function failure(retryable: boolean, retryAfter?: number): PipelineError {
  return new PipelineError('no', {
    code: 'NO',
    category: 'unavailable',
    retryable,
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
  });
}

/** Fails as long as there are errors. */
function failing(...errors: unknown[]) {
  const calls = { count: 0 };
  const attempt = (): Promise<string> => {
    const error = errors[calls.count];
    calls.count += 1;
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    return error === undefined ? Promise.resolve('done') : Promise.reject(error);
  };
  return { attempt, calls };
}

describe('retry', () => {
  it('tries again what says that this can help, and tells of it', async () => {
    const { attempt, calls } = failing(failure(true), failure(true));
    const told: string[] = [];
    const options = { ...quick, onRetry: (error: PipelineError) => told.push(error.code) };
    expect(await retry(attempt, options)).toBe('done');
    expect(calls.count).toBe(3);
    expect(told).toEqual(['NO', 'NO']);
  });

  it('gives up after the retries, with the last error', async () => {
    const last = failure(true);
    const { attempt, calls } = failing(failure(true), failure(true), failure(true), last);
    await expect(retry(attempt, quick)).rejects.toBe(last);
    expect(calls.count).toBe(4);
  });

  it.each([failure(false), new Error('a bug'), new TypeError('a bug')])(
    'does not try %s again',
    async (error) => {
      const { attempt, calls } = failing(error);
      await expect(retry(attempt, quick)).rejects.toBe(error);
      expect(calls.count).toBe(1);
    },
  );

  it('waits as long as was asked before it tries again', async () => {
    const { attempt, calls } = failing(failure(true, 100));
    let callsMeanwhile: number | undefined;
    const options: RetryOptions = {
      ...quick,
      maxRetryAfterMs: 1_000,
      // Due before the wait is over, so that it comes first however slow the machine is.
      onRetry: () =>
        void setTimeout(() => {
          callsMeanwhile = calls.count;
        }, 50),
    };
    expect(await retry(attempt, options)).toBe('done');
    expect(callsMeanwhile).toBe(1);
  });

  it('waits no longer than maxRetryAfterMs, whatever is asked', async () => {
    const { attempt } = failing(failure(true, 3_600_000));
    expect(await retry(attempt, quick)).toBe('done');
  });

  it('ends at once with the reason when it is aborted during a wait', async () => {
    const controller = new AbortController();
    const reason = new Error('stopped');
    const options: RetryOptions = {
      ...quick,
      maxRetryAfterMs: 3_600_000,
      signal: controller.signal,
      onRetry: () => {
        setImmediate(() => {
          controller.abort(reason);
        });
      },
    };
    const { attempt, calls } = failing(failure(true, 3_600_000), failure(true, 3_600_000));
    await expect(retry(attempt, options)).rejects.toBe(reason);
    expect(calls.count).toBe(1);
  });

  it('does not begin when it is aborted already', async () => {
    const reason = new Error('stopped');
    const { attempt, calls } = failing();
    const signal = AbortSignal.abort(reason);
    await expect(retry(attempt, { ...quick, signal })).rejects.toBe(reason);
    expect(calls.count).toBe(0);
  });
});

describe('retryAfterMs', () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0);

  it.each([
    ['5', 5_000],
    ['0', 0],
    ['1.5', 1_500],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %s', (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected);
  });
});
