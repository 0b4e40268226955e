import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Proposal } from '../../src/index.js';
import { fileSink, runPipeline } from '../../src/index.js';
import { exampleDefinition } from '../support/example-config.js';
import { silentLog } from '../support/memory.js';

it('delivers all of the example store to where its configuration says', async () => {
  const arrived: Proposal[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      if (body !== '') arrived.push(...(JSON.parse(body) as Proposal[]));
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'custom-sink-'));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });
  vi.stubEnv('WEBHOOK_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  const definition = await exampleDefinition('custom-sink');
  const [, webhook] = definition.sinks;
  if (webhook === undefined) throw new Error('the configuration has no second sink');
  const { report } = await runPipeline(
    {
      ...definition,
      sinks: [fileSink({ path: join(folder, 'out.json') }), webhook],
      deadLetter: { path: join(folder, 'dead.ndjson') },
    },
    { log: silentLog, env: {} },
  );
  expect(report).toMatchObject({ outcome: 'complete', counts: { rejected: 0 } });
  const [toFile] = Object.values(report.counts.delivered);
  expect(arrived.length).toBeGreaterThan(100);
  expect(arrived).toHaveLength(toFile ?? 0);
});
