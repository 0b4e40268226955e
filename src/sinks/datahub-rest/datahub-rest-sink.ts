/**
 * DataHub itself, over its REST API.
 */

import { messageOf } from '../../core/errors.js';
import { parseOptions } from '../../core/options.js';
import { retry } from '../../core/retry.js';
import type { Proposal } from '../../datahub/proposal.js';
import { urnProblem } from '../../datahub/urn.js';
import type { OpenSink, RunContext, Sink } from '../../stream/contracts.js';
import { parseServiceAddress, type ServiceAddress } from './address.js';
import { BatchDelivery } from './deliver-batch.js';
import { batchBody, BODY_OVERHEAD_BYTES, proposalEncoder, singleBody } from './encode.js';
import { brokenOff } from './failures.js';
import { Lanes, type Parcel, type Reason } from './lanes.js';
import {
  dataHubRestSinkSchema,
  optionsFromUri,
  type DataHubRestSettings,
  type DataHubRestSinkOptions,
} from './options.js';
import { openServiceClient, type ServiceClient } from './service-client.js';
import { inspectService, type ServiceFacts } from './service-facts.js';
import { logRetry } from './until-deadline.js';

export { dataHubRestSinkSchema, type DataHubRestSinkOptions } from './options.js';

const INGEST_BATCH = '/aspects?action=ingestProposalBatch';
/** Few: where it is not up when a run begins, somebody wants to know it soon. */
const OPENING_RETRIES = 2;
/** All that DataHub before 0.14 has. */
const INGEST_ONE = '/aspects?action=ingestProposal';

/**
 * Delivers proposals to DataHub's metadata service (GMS), up to 200 and 15 MiB a request, over
 * `concurrency` connections. What is for one entity arrives in the order it was written in,
 * whatever fails on the way: a proposal waits while one of the same URN is in a request under way.
 *
 * Connection errors, 429 (its Retry-After obeyed) and 5xx are tried again until `deliveryTimeoutMs`
 * is over. On another 4xx, the batch, which DataHub refuses as a whole, is halved until what it
 * refuses stands alone (`REFUSED_BY_DATAHUB`); so is one that makes DataHub answer 500 while it
 * takes others. Refused here, without asking, are URNs of a form that some versions of DataHub drop
 * in silence (`BAD_URN`), and what is too large (`TOO_LARGE`) or no JSON (`NOT_JSON`). A request
 * that was cut off may arrive twice; that changes nothing in DataHub.
 *
 * With `async`, DataHub confirms that it has queued a proposal, not that it has taken it.
 *
 * Errors: `INVALID_OPTIONS`, `INVALID_URI`, `CERTIFICATE_UNREADABLE` (usage); `SINK_NOT_DATAHUB`,
 * `SINK_UNAUTHORIZED`, `SINK_FORBIDDEN`, `SINK_UNREACHABLE`, `SINK_TIMEOUT`, `SINK_FAILED` and
 * others of that kind, each saying what to do.
 *
 * @example
 * definePipeline({
 *   source, operators,
 *   sinks: [dataHubRestSink({ url: 'http://localhost:8080' })], // and DATAHUB_GMS_TOKEN
 * });
 */
export function dataHubRestSink(options: DataHubRestSinkOptions): Sink {
  const settings = parseOptions('dataHubRestSink', dataHubRestSinkSchema, options);
  const address = parseServiceAddress(settings.url, 'dataHubRestSink: "url"');
  return {
    label: `datahub ${address.shown}`,
    onError: settings.onError,
    open: (context) => open(address, settings, context),
    check: async (context) => {
      const client = await openServiceClient(address, settings, context);
      try {
        return describe(await inspectService(client), client, address, settings);
      } finally {
        await client.close();
      }
    },
  };
}

/**
 * The sink that a URI stands for: `datahub+http://host:8080`, `datahub+https://TOKEN@host/gms`,
 * options as in `?async=true&concurrency=8`.
 *
 * @throws PipelineError `INVALID_URI`, `INVALID_OPTIONS` (usage); no credential is repeated in it
 */
export function dataHubRestSinkFromUri(uri: string): Sink {
  return dataHubRestSink(optionsFromUri(uri));
}

async function open(
  address: ServiceAddress,
  settings: DataHubRestSettings,
  context: RunContext,
): Promise<OpenSink> {
  const client = await openServiceClient(address, settings, context);
  try {
    // Before anything is sent: a wrong address or token is told at once, and nothing is half done.
    const { version } = await retry(() => inspectService(client), {
      ...settings,
      retries: OPENING_RETRIES,
      maxRetryAfterMs: settings.deliveryTimeoutMs,
      signal: context.signal,
      onRetry: (error) => {
        context.recorder.retries += 1;
        logRetry(context, error);
      },
    });
    context.log.debug({ url: address.shown, version }, 'DataHub answers');
  } catch (error) {
    await client.close();
    throw error;
  }
  const single = settings.maxBatchCount === 1;
  const delivery = new BatchDelivery({
    settings,
    context,
    post: (parcels, signal) => {
      const json = parcels.map((parcel) => parcel.json);
      return single
        ? client.post(INGEST_ONE, singleBody(json.join(''), settings.async), signal)
        : client.post(INGEST_BATCH, batchBody(json, settings.async), signal);
    },
  });
  const maxBytes = settings.maxBatchBytes - BODY_OVERHEAD_BYTES;
  const lanes = new Lanes({
    concurrency: settings.concurrency,
    maxProposals: settings.maxBatchCount,
    maxBytes,
    prepare: preparer(maxBytes, context),
    deliver: (batch, settle) => delivery.deliver(batch, settle),
  });
  const stop = (): void => {
    lanes.fail(brokenOff(context.signal));
  };
  if (context.signal.aborted) stop();
  context.signal.addEventListener('abort', stop, { once: true });
  return {
    write: (proposals) => lanes.write(proposals),
    close: () => {
      context.signal.removeEventListener('abort', stop);
      return client.close();
    },
  };
}

/** Makes proposals ready to be sent, one request's list entry each. */
function preparer(
  maxBytes: number,
  { startedAt, runId }: RunContext,
): (proposal: Proposal) => Parcel | Reason {
  const encode = proposalEncoder({ lastObserved: startedAt, runId });
  return (proposal) => {
    const problem = urnProblem(proposal.entityUrn);
    if (problem !== undefined) {
      return { code: 'BAD_URN', message: `DataHub would drop ${proposal.entityUrn}: ${problem}` };
    }
    let json: string;
    try {
      json = encode(proposal);
    } catch (error) {
      return {
        code: 'NOT_JSON',
        message: `the proposal can't be written as JSON: ${messageOf(error)}`,
      };
    }
    const bytes = Buffer.byteLength(json);
    if (bytes + 1 > maxBytes) {
      return {
        code: 'TOO_LARGE',
        message:
          `the proposal takes ${bytes} bytes, and a request to DataHub may have ${maxBytes} ` +
          '(maxBatchBytes)',
      };
    }
    return { proposal, json, bytes, attempts: 0 };
  };
}

function describe(
  { version, serverType }: ServiceFacts,
  client: ServiceClient,
  address: ServiceAddress,
  settings: DataHubRestSettings,
): string {
  const type = serverType === undefined ? '' : ` (${serverType})`;
  const token = client.authorized ? 'with an access token' : 'without an access token';
  const mode = settings.async ? ', which only queues what it is given (async)' : '';
  return `DataHub ${version ?? 'of unknown version'}${type} at ${address.shown}, ${token}${mode}`;
}
