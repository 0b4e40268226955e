import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { PipelineError } from '../../../src/core/errors.js';
import type { Proposal } from '../../../src/datahub/proposal.js';
import {
  dataHubRestSink,
  type DataHubRestSinkOptions,
} from '../../../src/sinks/datahub-rest/datahub-rest-sink.js';
import type { RunContext } from '../../../src/stream/contracts.js';
import { runContext, tagProposal } from '../../../src/testing/index.js';
import { GmsServer, type GmsServerOptions } from '../../support/gms-server.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/mlflow-server/certificate.js';
import { describeSink } from '../../support/sink-kit.js';

const FAST = { minDelayMs: 1, maxDelayMs: 10 };

describeSink('dataHubRestSink', {
  faults: ['stall', 'fail', 'refuse'],
  open: async () => {
    const refused = tagProposal('refused', { name: 'refused' });
    const gms = await GmsServer.start({
      refuse: ({ entityUrn }) => (entityUrn === refused.entityUrn ? 'no such aspect' : undefined),
    });
    return {
      sink: dataHubRestSink({ url: gms.url, ...FAST, deliveryTimeoutMs: 2_000 }),
      read: () => gms.received,
      refused,
      stall: () => gms.stall(),
      fail: () => gms.close(),
      dispose: () => gms.close(),
    };
  },
});

const servers: GmsServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: GmsServerOptions = {}): Promise<GmsServer> {
  const gms = await GmsServer.start(options);
  servers.push(gms);
  return gms;
}

async function deliver(
  gms: GmsServer,
  pages: readonly (readonly Proposal[])[],
  options: Partial<DataHubRestSinkOptions> = {},
  context: RunContext = runContext(),
) {
  const open = await dataHubRestSink({ url: gms.url, ...FAST, ...options }).open(context);
  try {
    return (await Promise.all(pages.map((page) => open.write(page)))).flat();
  } finally {
    await open.close('complete');
  }
}

function tags(count: number, prefix = 'tag'): Proposal[] {
  return Array.from({ length: count }, (_, index) => tagProposal(`${prefix}-${index}`));
}

/** Without repeats, which are no harm. */
function urnsOf(gms: GmsServer): Set<string> {
  return new Set(gms.received.map(({ entityUrn }) => entityUrn));
}

async function failureOf(promise: Promise<unknown>): Promise<PipelineError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PipelineError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('requests', () => {
  it('have what DataHub wants', async () => {
    const gms = await start({ token: 'secret-token' });
    const context = runContext({ env: { DATAHUB_GMS_TOKEN: 'secret-token' } });
    await deliver(gms, [tags(1)], { headers: { 'X-Extra': 'yes' } }, context);
    const [request] = gms.requests;
    expect(request?.path).toBe('/aspects?action=ingestProposalBatch');
    expect(request?.async).toBe('false');
    expect(request?.headers).toMatchObject({
      'x-restli-protocol-version': '2.0.0',
      authorization: 'Bearer secret-token',
      'content-type': 'application/json',
      'x-extra': 'yes',
    });
    expect(gms.metadata).toEqual([{ lastObserved: context.startedAt, runId: context.runId }]);
  });

  it('hold as many proposals as allowed, from several pages', async () => {
    const gms = await start();
    await deliver(gms, [tags(150, 'a'), tags(150, 'b'), tags(100, 'c')]);
    expect(gms.requests.map(({ proposals }) => proposals.length)).toEqual([200, 200]);
  });

  it('keep within their bytes', async () => {
    const gms = await start();
    const large = Array.from({ length: 40 }, (_, index) =>
      tagProposal(`tag-${index}`, { name: 'ü"'.repeat(50 * index) }),
    );
    await deliver(gms, [large], { maxBatchBytes: 20_000 });
    expect(gms.received).toHaveLength(40);
    expect(Math.max(...gms.requests.map(({ bytes }) => bytes))).toBeLessThanOrEqual(20_000);
    expect(gms.requests.length).toBeLessThan(20);
  });

  it('are as many at a time as configured', async () => {
    const gms = await start({ delayMs: () => 20 });
    await deliver(gms, [tags(100)], { concurrency: 3, maxBatchCount: 10 });
    expect(gms.mostAtATime).toBe(3);
  });

  it('ask for queuing where configured, one by one where configured, and patch', async () => {
    const gms = await start();
    const patch: Proposal = { ...tagProposal('patched', { patch: [] }), changeType: 'PATCH' };
    await deliver(gms, [[...tags(2), patch]], { async: true, maxBatchCount: 1 });
    expect(gms.requests.map(({ path }) => path)).toEqual(
      Array.from({ length: 3 }, () => '/aspects?action=ingestProposal'),
    );
    expect(gms.requests.map((each) => each.async)).toEqual(['true', 'true', 'true']);
    expect(gms.received.map(({ changeType }) => changeType).sort()).toEqual([
      'PATCH',
      'UPSERT',
      'UPSERT',
    ]);
  });
});

describe('a refused proposal', () => {
  it('stands alone in the end, with what DataHub says, and its neighbours arrive', async () => {
    const bad = new Set(['urn:li:tag:tag-17', 'urn:li:tag:tag-399']);
    const gms = await start({
      refuse: ({ entityUrn }) =>
        bad.has(entityUrn) ? `Failed to validate ${'x'.repeat(10_000)}` : undefined,
    });
    const refusals = await deliver(gms, [tags(400)]);
    expect(refusals.map(({ proposal }) => proposal.entityUrn)).toEqual([...bad]);
    const [refusal] = refusals;
    expect(refusal?.code).toBe('REFUSED_BY_DATAHUB');
    expect(refusal?.message).toMatch(/^DataHub answers 422: Failed to validate x+…$/);
    expect(refusal?.message.length).toBeLessThan(600);
    expect(refusal?.attempts).toBeGreaterThan(5);
    expect(gms.received).toHaveLength(398);
    expect(gms.requests.length).toBeLessThan(40);
  });

  it('may be answered with 500, while DataHub takes others', async () => {
    const gms = await start({
      refusalStatus: 500,
      refuse: ({ entityUrn }) =>
        entityUrn.endsWith('-7') ? 'Unknown aspect status for entity tag' : undefined,
      delayMs: () => 1,
    });
    const refusals = await deliver(gms, [tags(300)], { maxBatchCount: 20 });
    expect(refusals.map(({ proposal }) => proposal.entityUrn)).toEqual(['urn:li:tag:tag-7']);
    expect(refusals[0]?.message).toMatch(/500.*takes others.*Unknown aspect status/);
    expect(urnsOf(gms).size).toBe(299);
  });

  it('may be answered with 500 over one connection, too', async () => {
    const gms = await start({
      refusalStatus: 500,
      refuse: ({ entityUrn }) => (entityUrn.endsWith('-0') ? 'unknown' : undefined),
    });
    const options = { concurrency: 1, deliveryTimeoutMs: 100 };
    const refusals = await deliver(gms, [tags(10)], options);
    expect(refusals.map(({ proposal }) => proposal.entityUrn)).toEqual(['urn:li:tag:tag-0']);
    expect(urnsOf(gms).size).toBe(9);
  });

  it('is not sent at all where it is too large, bad by its URN, or no JSON', async () => {
    const gms = await start();
    const circle: Record<string, never> = {};
    Object.assign(circle, { circle });
    const refusals = await deliver(
      gms,
      [
        [
          tagProposal('large', { name: 'x'.repeat(30_000) }),
          tagProposal('y'.repeat(600)),
          tagProposal('circle', circle),
          ...tags(1),
        ],
      ],
      { maxBatchBytes: 20_000 },
    );
    expect(refusals.map(({ code }) => code).sort()).toEqual(['BAD_URN', 'NOT_JSON', 'TOO_LARGE']);
    expect(gms.received).toEqual(tags(1));
  });
});

describe('faults', () => {
  it('429 is waited for as long as it asks, by all', async () => {
    const times: number[] = [];
    const gms = await start({
      fault: (_, request) => {
        times.push(Date.now());
        return request === 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
      },
      delayMs: () => 5,
    });
    await deliver(gms, [tags(10)], { concurrency: 1, maxBatchCount: 5 });
    expect(gms.received).toHaveLength(10);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(950);
  });

  it('5xx and cut connections are tried again, counted, and told once for each request', async () => {
    const faults = [{ status: 503 }, 'drop', { status: 500 }, 'take-and-drop', { status: 504 }];
    const gms = await start({ fault: () => faults.shift() as never });
    const warnings: unknown[] = [];
    const log = { ...runContext().log, warn: (...line: unknown[]) => void warnings.push(line) };
    const context = runContext({ log });
    await deliver(gms, [tags(5)], {}, context);
    expect(urnsOf(gms).size).toBe(5);
    expect(context.recorder.retries).toBe(5);
    expect(warnings).toEqual([
      [{ code: 'SINK_FAILED' }, expect.stringMatching(/answers 503.*; trying again$/)],
    ]);
  });

  it('end in an error when the time for a delivery is over', async () => {
    const gms = await start({ fault: () => ({ status: 503 }) });
    const error = await failureOf(deliver(gms, [tags(5)], { deliveryTimeoutMs: 1_000 }));
    expect(error.code).toBe('SINK_FAILED');
    expect(error.message).toMatch(/answers 503.*tried \d+ times in 1000 ms/);
  });

  it('end in an error where DataHub fails on everything', async () => {
    const gms = await start({ fault: () => ({ status: 500 }) });
    const error = await failureOf(deliver(gms, [tags(100)], { deliveryTimeoutMs: 2_000 }));
    expect(error.code).toBe('SINK_FAILED');
    expect(error.message).toMatch(/answers 500/);
  });

  it('end in an error when it never answers', async () => {
    const gms = await start();
    const sink = dataHubRestSink({
      url: gms.url,
      ...FAST,
      requestTimeoutMs: 50,
      deliveryTimeoutMs: 300,
    });
    const open = await sink.open(runContext());
    const resume = gms.stall();
    const error = await failureOf(open.write(tags(1)));
    expect(error.code).toBe('SINK_TIMEOUT');
    resume();
    await open.close('failed');
  });

  for (const [status, code] of [
    [401, 'SINK_UNAUTHORIZED'],
    [403, 'SINK_FORBIDDEN'],
    [404, 'SINK_NOT_DATAHUB'],
    [302, 'SINK_REDIRECTED'],
  ] as const) {
    it(`${status} ends the run at once`, async () => {
      const gms = await start({ fault: () => ({ status, body: '{"message":"no"}' }) });
      const error = await failureOf(deliver(gms, [tags(400)], { concurrency: 1 }));
      expect(error.code).toBe(code);
      expect(gms.requests).toHaveLength(1);
    });
  }

  it('a service without batches is told from one that refuses', async () => {
    const message =
      "POST operation named ingestProposalBatch not supported on resource 'AspectResource'";
    const body = JSON.stringify({ message, status: 400 });
    const gms = await start({ fault: () => ({ status: 400, body }) });
    const error = await failureOf(deliver(gms, [tags(4)]));
    expect(error.code).toBe('SINK_TOO_OLD');
    expect(error.message).toContain('maxBatchCount');
  });

  it('a web page that says 200 is no confirmation', async () => {
    const gms = await start({
      fault: () => ({ status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }),
    });
    expect((await failureOf(deliver(gms, [tags(4)]))).code).toBe('SINK_NOT_DATAHUB');
  });
});

describe('check', () => {
  async function check(options: DataHubRestSinkOptions, env: Record<string, string> = {}) {
    return dataHubRestSink(options).check(runContext({ env }));
  }

  it('says which version is there', async () => {
    const gms = await start();
    expect(await check({ url: gms.url })).toBe(
      `DataHub v1.2.0 (quickstart) at ${gms.url}, without an access token`,
    );
    expect(gms.requests).toEqual([]);
  });

  it('tells the web frontend from the service, and goes through it', async () => {
    const gms = await start({ frontend: true });
    const error = await failureOf(check({ url: gms.url }));
    expect(error.code).toBe('SINK_NOT_DATAHUB');
    expect(error.message).toMatch(/web page: it is DataHub's web frontend: add \/api\/gms/);
    expect(await check({ url: `${gms.url}/api/gms/` })).toContain('DataHub v1.2.0');
  });

  it('finds a wrong token out, without repeating it', async () => {
    const gms = await start({ token: 'right-token' });
    const error = await failureOf(check({ url: gms.url, token: 'wrong-token' }));
    expect(error.code).toBe('SINK_UNAUTHORIZED');
    expect(error.message).not.toContain('wrong-token');
    expect(await check({ url: gms.url }, { DATAHUB_GMS_TOKEN: 'right-token' })).toContain(
      'with an access token',
    );
    const withToken = gms.url.replace('http://', 'http://right-token@');
    expect(await check({ url: withToken })).not.toContain('right-token');
  });

  it.each([429, 503])('%d means later, not that it is not DataHub', async (status) => {
    const faults = [{ status, headers: { 'retry-after': '1' } }];
    const gms = await start({ configFault: () => faults.shift() });
    const begun = Date.now();
    await deliver(gms, [tags(1)]);
    expect(gms.received).toHaveLength(1);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(950);
  });

  it('a wait without end is no longer than a delivery may take', async () => {
    const faults = [{ status: 429, headers: { 'retry-after': '99999999999' } }];
    const gms = await start({ fault: () => faults.shift() });
    const error = await failureOf(deliver(gms, [tags(1)], { deliveryTimeoutMs: 1_000 }));
    expect(error.code).toBe('SINK_RATE_LIMITED');
    expect(gms.requests.length).toBeLessThanOrEqual(2);
  });

  it('takes the end of a line off a token of the environment', async () => {
    const gms = await start({ token: 'right-token' });
    expect(await check({ url: gms.url }, { DATAHUB_GMS_TOKEN: 'right-token\n' })).toContain(
      'with an access token',
    );
  });

  it('says that nobody is there', async () => {
    const error = await failureOf(check({ url: 'http://127.0.0.1:1' }));
    expect(error.code).toBe('SINK_UNREACHABLE');
  });
});

describe('TLS', () => {
  const tls = { key: TEST_KEY, cert: TEST_CERTIFICATE };

  it('is trusted by a certificate in a file, or not checked where that is wanted', async () => {
    const gms = await start({ tls });
    const folder = await mkdtemp(join(tmpdir(), 'rest-tls-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, TEST_CERTIFICATE);
    await deliver(gms, [tags(1)], { caFile });
    await deliver(gms, [tags(1)], { insecureTls: true });
    expect(gms.received).toHaveLength(2);
  });

  it('that is not trusted, or not there, is said with the way out', async () => {
    const gms = await start({ tls });
    const untrusted = await failureOf(deliver(gms, [tags(1)]));
    expect(untrusted.code).toBe('SINK_TLS_UNTRUSTED');
    expect(untrusted.message).toMatch(/caFile.*insecureTls/);
    const missing = await failureOf(deliver(gms, [tags(1)], { caFile: '/no/such.pem' }));
    expect(missing).toMatchObject({ code: 'CERTIFICATE_UNREADABLE', category: 'usage' });
    const plain = await start();
    const url = plain.url.replace('http:', 'https:');
    const wrong = await failureOf(dataHubRestSink({ url, ...FAST }).open(runContext()));
    expect(wrong.code).toBe('SINK_TLS_FAILED');
  });
});

it('goes through a proxy where one is set', async () => {
  const gms = await start();
  // To undici a proxy for plain HTTP is a server that is asked for whole URLs.
  const context = runContext({ env: { http_proxy: 'http://ann:pr0xy-word@127.0.0.1:1' } });
  const error = await failureOf(deliver(gms, [tags(1)], {}, context));
  expect(error.code).toBe('SINK_UNREACHABLE');
  expect(JSON.stringify([error.message, String(error.cause)])).not.toContain('pr0xy-word');
  const without = { http_proxy: 'http://127.0.0.1:1', no_proxy: '127.0.0.1' };
  await deliver(gms, [tags(1)], {}, runContext({ env: without }));
  expect(gms.received).toHaveLength(1);
});
