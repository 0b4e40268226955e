/**
 * A sink of one's own: it posts the proposals of each page to a webhook.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  PipelineError,
  type Proposal,
  type Refusal,
  type RunContext,
  type Sink,
} from 'mlflow-datahub';

export interface WebhookSinkOptions {
  /** Posted to: a JSON array of proposals. Any 2xx confirms all of them. */
  readonly url: string;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** How often a request is tried where the server is down, busy or broken. */
  readonly maxAttempts?: number;
  /** The wait before the second try, in milliseconds; it doubles with each. */
  readonly retryDelayMs?: number;
}

/**
 * Posts the proposals of each page to a webhook, with the bearer token in WEBHOOK_TOKEN if there is
 * one. A page that the server refuses (400, 413 or 422) is halved until the offending proposal
 * stands alone: that one goes to the dead-letter file, and its neighbours arrive.
 *
 * @example
 * sinks: [webhookSink({ url: 'https://example.com/hooks/metadata' })]
 */
export function webhookSink(options: WebhookSinkOptions): Sink {
  // Paths of webhooks are secrets as often as not: labels stand in logs, and so have the host only.
  const label = `webhook ${new URL(options.url).host}`;
  return {
    label,
    check: async (context) => {
      const { status } = await request(label, options, context, { method: 'HEAD' });
      return `${label} answers with status ${status}`;
    },
    open: (context) => {
      // Pages may overlap. One request at a time keeps what is for one entity in order.
      let last: Promise<unknown> = Promise.resolve();
      return Promise.resolve({
        write: (proposals) => {
          const result = last.then(() => deliver(label, options, context, proposals));
          last = result.catch(() => undefined); // whoever called is told
          return result;
        },
        // Nothing is held back: what write() has confirmed is on the other side already.
        close: () => Promise.resolve(),
      });
    },
  };
}

/** What a server says when the fault lies in a proposal, and not in the address or the token. */
const REFUSING: ReadonlySet<number> = new Set([400, 413, 422]);

async function deliver(
  label: string,
  options: WebhookSinkOptions,
  context: RunContext,
  proposals: readonly Proposal[],
): Promise<readonly Refusal[]> {
  const [proposal] = proposals;
  if (proposal === undefined) return [];
  const { ok, status, text, attempts } = await request(label, options, context, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(proposals),
  });
  if (ok) return [];
  if (!REFUSING.has(status)) {
    // No proposal would fare better: this ends the run.
    throw new PipelineError(`${label} answers with status ${status}: check its URL and token`, {
      code: 'WEBHOOK_REFUSED',
      category: 'unavailable',
    });
  }
  if (proposals.length === 1) {
    return [{ proposal, code: 'WEBHOOK_REFUSED', message: `status ${status}: ${text}`, attempts }];
  }
  const middle = Math.ceil(proposals.length / 2);
  return [
    ...(await deliver(label, options, context, proposals.slice(0, middle))),
    ...(await deliver(label, options, context, proposals.slice(middle))),
  ];
}

/** Asks until there is an answer that another try would not change. */
async function request(
  label: string,
  { url, timeoutMs = 10_000, maxAttempts = 4, retryDelayMs = 500 }: WebhookSinkOptions,
  { signal, env, recorder }: RunContext,
  init: RequestInit,
) {
  const headers = new Headers(init.headers);
  const token = env['WEBHOOK_TOKEN'] ?? '';
  if (token !== '') headers.set('authorization', `Bearer ${token}`);

  let problem: unknown;
  for (let attempts = 1; attempts <= maxAttempts; attempts += 1) {
    if (attempts > 1) {
      recorder.retries += 1;
      await sleep(retryDelayMs * 2 ** (attempts - 2), undefined, { signal });
    }
    try {
      recorder.requests += 1;
      // The run's signal ends every wait; the other one ends an answer that never comes.
      const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const response = await fetch(url, { ...init, headers, signal: either });
      const { ok, status } = response;
      const text = await response.text(); // the connection is free for the next one only then
      if (status < 500 && status !== 429) return { ok, status, text, attempts };
      problem = new Error(`status ${status}`);
    } catch (error) {
      if (signal.aborted) throw error;
      problem = error;
    }
  }
  throw new PipelineError(`${label} can't be reached or is broken, ${maxAttempts} tries failed`, {
    code: 'WEBHOOK_UNREACHABLE',
    category: 'unavailable',
    retryable: true,
    cause: problem,
  });
}
