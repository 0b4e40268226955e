import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { webhookSink } from '../../examples/custom-sink/webhook-sink.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { describeSink } from '../support/sink-kit.js';

const refused = tagProposal('refused');

/** A server that takes arrays of proposals, all of an array or nothing of it. */
async function startWebhook() {
  const arrived: Proposal[] = [];
  const seen: { method: string | undefined; authorization: string | undefined }[] = [];
  const statuses: number[] = []; // answered before anything is taken
  let stalled: (() => void)[] | undefined;
  const server = createServer((request, response) => {
    seen.push({ method: request.method, authorization: request.headers.authorization });
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const answer = () => {
        take(body, response);
      };
      if (stalled === undefined) answer();
      else stalled.push(answer);
    });
  });
  const take = (body: string, response: ServerResponse) => {
    const status = statuses.shift();
    if (status !== undefined || body === '') {
      response.writeHead(status ?? 204).end();
      return;
    }
    const proposals = JSON.parse(body) as Proposal[];
    if (proposals.some(({ entityUrn }) => entityUrn === refused.entityUrn)) {
      response.writeHead(422).end('no such tag');
      return;
    }
    arrived.push(...proposals);
    response.writeHead(204).end();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  return {
    sink: webhookSink({ url: `http://127.0.0.1:${port}/hooks/secret`, retryDelayMs: 5 }),
    read: () => arrived,
    seen,
    statuses,
    refused,
    stall: () => {
      stalled = [];
      return () => {
        for (const answer of stalled?.splice(0) ?? []) answer();
        stalled = undefined;
      };
    },
    fail: stop,
    dispose: stop,
  };
}

describeSink('webhookSink of the example', {
  open: startWebhook,
  faults: ['stall', 'fail', 'refuse'],
});

async function webhook() {
  const other = await startWebhook();
  onTestFinished(other.dispose);
  return other;
}

it('tries again where the server is busy or broken', async () => {
  const { sink, statuses, read } = await webhook();
  const context = runContext();
  const open = await sink.open(context);
  statuses.push(503, 429, 500);
  expect(await open.write([tagProposal('a')])).toEqual([]);
  expect(read()).toEqual([tagProposal('a')]);
  expect(context.recorder.retries).toBe(3);
});

it('ends the run where the address or the token is wrong', async () => {
  for (const status of [401, 403, 404]) {
    const { sink, statuses, seen } = await webhook();
    const open = await sink.open(runContext());
    statuses.push(status);
    await expect(open.write([tagProposal('a'), tagProposal('b')])).rejects.toMatchObject({
      code: 'WEBHOOK_REFUSED',
      message: expect.stringContaining(String(status)) as string,
    });
    expect(seen).toHaveLength(1);
  }
});

it('sends the token, and shows neither it nor the path', async () => {
  const { sink, seen } = await webhook();
  const context = runContext({ env: { WEBHOOK_TOKEN: 'abc' } });
  const found = await sink.check(context);
  expect(seen).toEqual([{ method: 'HEAD', authorization: 'Bearer abc' }]);
  expect(`${sink.label} ${found}`).not.toMatch(/secret|abc/);
});
