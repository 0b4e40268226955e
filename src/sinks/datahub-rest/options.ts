/**
 * The options of the DataHub REST sink.
 */

import { z } from 'zod';
import { didYouMean } from '../../core/did-you-mean.js';
import { PipelineError } from '../../core/errors.js';
import { onErrorOption } from '../on-error.js';

/** What DataHub's own client keeps to: its service refuses a body of 16,000,000 bytes. */
const MAX_BATCH_BYTES = 15 * 1024 * 1024;

export const dataHubRestSinkSchema = z.strictObject({
  url: z
    .string()
    .min(1)
    .describe(
      "Address of DataHub's service: http://host:8080, or through the web frontend https://host/api/gms",
    ),
  token: z
    .string()
    .min(1)
    .optional()
    .describe('Access token, sent as a bearer; otherwise the one of DATAHUB_GMS_TOKEN'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Further request headers, for example for a sign-on proxy'),
  async: z
    .boolean()
    .default(false)
    .describe(
      'Let DataHub only queue what it takes: faster, but a confirmation then says "queued", and what ' +
        'DataHub refuses later is told in its own logs alone',
    ),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Requests at a time; the aspects of one entity stay in order whatever it is'),
  maxBatchCount: z
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .describe('Proposals in a request; 1 for a DataHub older than 0.14, which takes no batches'),
  maxBatchBytes: z
    .int()
    .min(1024)
    .max(MAX_BATCH_BYTES)
    .default(MAX_BATCH_BYTES)
    .describe('Bytes in a request; a proposal that is larger goes to the dead-letter file'),
  requestTimeoutMs: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(60_000)
    .describe('Time for one request and its answer'),
  deliveryTimeoutMs: z
    .int()
    .min(1)
    .max(86_400_000)
    .default(120_000)
    .describe(
      'Time in which a request must succeed, with all its repetitions; then the sink gives up',
    ),
  minDelayMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(250)
    .describe('Wait before the first repetition; it doubles each time, times a random 1 to 2'),
  maxDelayMs: z
    .int()
    .min(1)
    .max(600_000)
    .default(10_000)
    .describe('Longest of these waits; a Retry-After of the server is obeyed beyond it'),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('File (PEM) with the certificates of authorities to trust instead of the usual ones'),
  insecureTls: z
    .boolean()
    .default(false)
    .describe("Take any certificate for DataHub's: only on a network that you trust"),
  onError: onErrorOption,
});

export type DataHubRestSinkOptions = z.input<typeof dataHubRestSinkSchema>;

/** With the defaults filled in. */
export type DataHubRestSettings = z.output<typeof dataHubRestSinkSchema>;

/** Options that a URI may carry: those whose values are no secrets. */
const URI_OPTIONS = new Set<string>([
  'async',
  'concurrency',
  'maxBatchCount',
  'maxBatchBytes',
  'requestTimeoutMs',
  'deliveryTimeoutMs',
  'minDelayMs',
  'maxDelayMs',
  'ca',
  'insecureTls',
  'onError',
]);

/**
 * The options that a URI stands for: `datahub+http://host:8080`, `datahub+https://host/gms`, with a
 * token as `datahub+https://TOKEN@host` and options as `?async=true&concurrency=8`.
 *
 * @throws PipelineError `INVALID_URI` (usage), which never repeats a credential
 */
export function optionsFromUri(uri: string): DataHubRestSinkOptions {
  const match = /^datahub(?:\+(https?))?:\/\/([^?#]*)(?:\?([^#]*))?$/i.exec(uri.trim());
  if (match === null) throw invalidUri(uri, 'is not understood');
  const [, scheme, place = '', query = ''] = match;
  if (scheme === undefined) {
    throw invalidUri(
      uri,
      'leaves open how DataHub is spoken to: datahub+http:// or datahub+https://',
    );
  }
  const options: Record<string, unknown> = { url: `${scheme.toLowerCase()}://${place}` };
  for (const [name, value] of new URLSearchParams(query)) {
    if (!URI_OPTIONS.has(name)) {
      const allowed = [...URI_OPTIONS].join(', ');
      // It may be a piece of a password that ought to be encoded.
      const named = value !== '' && /^\w{1,32}$/.test(name) && !query.includes('@');
      const meant = named ? didYouMean(name, [...URI_OPTIONS]) : undefined;
      const which = named ? ` "${name}"` : '';
      const hint = meant === undefined ? '.' : `, did you mean "${meant}"?`;
      throw invalidUri(uri, `has an unknown option${which}${hint} Allowed: ${allowed}`);
    }
    // As Kafka's URI has it.
    options[name === 'ca' ? 'caFile' : name] = valueOf(value);
  }
  return options as unknown as DataHubRestSinkOptions;
}

/** What the schema then finds to be of the right kind or not. */
function valueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Of the URI only the scheme is repeated: where it is not understood, anything may be a secret. */
function invalidUri(uri: string, problem: string): PipelineError {
  return new PipelineError(
    `${uri.trim().replace(/:\/\/.*$/s, '://…')} ${problem}. Examples: datahub+http://host:8080, ` +
      'datahub+https://host/api/gms',
    { code: 'INVALID_URI', category: 'usage' },
  );
}
