/**
 * The command against a stand-in of DataHub's service that reads everything with DataHub's own
 * classes: what arrives is what the file sink writes, whatever goes wrong on the way.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { COMMAND, command, WRITTEN, type Ended } from './command.js';
import { startGms, type Gms, type GmsOptions } from './gms.js';
import { canonical, keyOf, readProposals, type FiledProposal } from './proposals.js';
import { run } from './processes.js';
import { seed, seedBulk } from './seed.js';
import { startMlflow } from './servers.js';

const TOKEN = 's3cret-access-token';

let shared: string;
/** About 10,000 proposals that a real database gave. */
let file: string;
let proposals: readonly FiledProposal[];
beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'rest-shared-'));
  const database = join(shared, 'mlflow.db');
  await seedBulk('2.22.5', database, { experiments: 5, runs: 1_250, models: 20, versions: 200 });
  file = join(shared, 'proposals.json');
  await run(process.execPath, [COMMAND, '--from', `sqlite:///${database}`, '--to', file], {
    cwd: shared,
  });
  proposals = await readProposals(file);
  expect(proposals.length).toBeGreaterThan(10_000);
});
afterAll(() => rm(shared, { recursive: true, force: true }));

let folder: string;
let gms: Gms;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rest-'));
});
afterEach(async () => {
  await gms.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: GmsOptions = {}): Promise<string> {
  gms = await startGms(options);
  return `datahub+${gms.url}`;
}

/** Runs the command; `meanwhile` may end it. */
function pipeline(
  args: readonly string[],
  meanwhile?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>,
): Promise<Ended> {
  return command(['run', ...args, ...WRITTEN], {
    folder,
    env: { DATAHUB_GMS_TOKEN: TOKEN },
    ...(meanwhile === undefined ? {} : { meanwhile }),
  });
}

function textOf({ entityType, entityUrn, changeType, aspectName, aspect }: FiledProposal): string {
  return canonical({ entityType, entityUrn, changeType, aspectName, aspect });
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Every proposal is there, nothing else is, and of each aspect the last is the last. */
function expectArrived(taken: readonly FiledProposal[], expected: readonly FiledProposal[]): void {
  expect(new Set(taken.map(textOf))).toEqual(new Set(expected.map(textOf)));
  const last = (all: readonly FiledProposal[]): Map<string, string> =>
    new Map(all.map((each) => [keyOf(each), textOf(each)]));
  expect(last(taken)).toEqual(last(expected));
}

/** The order of each entity's proposals. */
function byUrn(all: readonly FiledProposal[]): Map<string, string[]> {
  const urns = new Map<string, string[]>();
  for (const each of all)
    urns.set(each.entityUrn, [...(urns.get(each.entityUrn) ?? []), textOf(each)]);
  return urns;
}

async function untilTaken(count: number): Promise<void> {
  while ((await gms.counts()).proposals < count) await sleep(20);
}

describe('DataHub over REST', () => {
  it('takes from a live MLflow what the file sink writes', async () => {
    const server = await startMlflow('3.17.2');
    try {
      await seed('3.17.2', server.uri, 'common');
      const to = await start({ token: TOKEN });
      const out = join(folder, 'out.json');
      const { status, report } = await pipeline(['--from', server.uri, '--to', out, '--to', to]);
      expect(status).toBe(0);
      const filed = await readProposals(out);
      const taken = await gms.taken();
      expect(taken).toHaveLength(filed.length);
      expect(byUrn(taken)).toEqual(byUrn(filed));
      expect(report.counts.delivered).toEqual({
        [`file ${out}`]: filed.length,
        [`datahub ${gms.url}`]: filed.length,
      });
    } finally {
      await server.stop();
    }
  });

  it('takes everything though a third of all requests fails', async () => {
    const to = await start();
    const rates = { 503: 0.1, 429: 0.1, drop: 0.05, 'take-and-drop': 0.05 };
    await gms.control({ rates, retryAfter: 0.2, seed: 5 });
    const { status, report, deadLetters } = await pipeline(['--from', file, '--to', to]);
    const { requests, ...faults } = await gms.counts();
    expect(Math.min(...Object.keys(rates).map((name) => faults[name] ?? 0))).toBeGreaterThan(0);
    expect(requests).toBeGreaterThan(proposals.length / 200);
    expect(status).toBe(0);
    expect(deadLetters).toEqual([]);
    expect(sum(report.counts.delivered)).toBe(sum(report.counts.aspects));
    expect(report.counts.retries).toBeGreaterThan(5);
    expectArrived(await gms.taken(), proposals);
  });

  it('takes 10,000 but the one that is bad', async () => {
    const to = await start();
    const [first] = proposals;
    if (first === undefined) throw new Error('no proposals');
    const bad: FiledProposal = {
      ...first,
      entityType: 'dataProcessInstance',
      entityUrn: 'urn:li:dataProcessInstance:bad',
      aspectName: 'ownership',
      aspect: { json: { owners: [] } },
    };
    const mixed = join(folder, 'mixed.json');
    const half = proposals.length / 2;
    await writeFile(
      mixed,
      JSON.stringify([...proposals.slice(0, half), bad, ...proposals.slice(half)]),
    );
    const { status, report, deadLetters } = await pipeline(['--from', mixed, '--to', to]);
    expect(status).toBe(1);
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]).toMatchObject({
      kind: 'proposal',
      sink: `datahub ${gms.url}`,
      code: 'REFUSED_BY_DATAHUB',
      identity: 'urn:li:dataProcessInstance:bad ownership',
    });
    expect(deadLetters[0]?.message).toMatch(
      /422: Failed to validate .*dataProcessInstance has no aspect ownership/,
    );
    expect(sum(report.counts.delivered)).toBe(proposals.length);
    expect((await gms.counts()).refused).toBeLessThan(20);
    const taken = await gms.taken();
    expect(taken).toHaveLength(proposals.length);
    expectArrived(taken, proposals);
  });

  it('is not sent an aspect of 20 MB, and takes the rest', async () => {
    const to = await start();
    const [first] = proposals;
    if (first === undefined) throw new Error('no proposals');
    const large = {
      ...first,
      entityUrn: 'urn:li:tag:large',
      entityType: 'tag',
      aspectName: 'tagProperties',
      aspect: { json: { name: 'x'.repeat(20_000_000) } },
    };
    const some = proposals.slice(0, 300);
    const mixed = join(folder, 'large.ndjson');
    await writeFile(mixed, [large, ...some].map((each) => JSON.stringify(each)).join('\n'));
    const { status, deadLetters } = await pipeline(['--from', mixed, '--to', to]);
    expect(status).toBe(1);
    expect(deadLetters.map(({ code }) => code)).toEqual(['TOO_LARGE']);
    expectArrived(await gms.taken(), some);
  });

  it('has all that a run confirmed that SIGTERM ended', async () => {
    const to = await start();
    await gms.control({ delayMs: 300 });
    const { status, report } = await pipeline(['--from', file, '--to', to], async (kill) => {
      await untilTaken(1_000);
      kill('SIGTERM');
    });
    expect(status).toBe(143);
    expect(report.outcome).toBe('interrupted');
    const taken = await gms.taken();
    expect(taken.length).toBeLessThan(proposals.length);
    expect(sum(report.counts.delivered)).toBe(taken.length);
    expect(sum(report.counts.aspects)).toBe(taken.length);
    expect(report.counts.rejected).toBe(0);
  });

  it('has everything after a second run, where kill -9 ended the first', async () => {
    const to = await start();
    await gms.control({ delayMs: 300 });
    await pipeline(['--from', file, '--to', to], async (kill) => {
      await untilTaken(1_000);
      kill('SIGKILL');
    });
    const before = await gms.taken();
    expect(before.length).toBeLessThan(proposals.length);
    await gms.control({ delayMs: 0 });
    const { status } = await pipeline(['--from', file, '--to', to]);
    expect(status).toBe(0);
    expectArrived(await gms.taken(), proposals);
  });

  it('has everything after a replay, where the sink gave up in mid-run', async () => {
    const to = await start();
    const [sink, options] = [`datahub ${gms.url}`, '?onError=dead-letter&deliveryTimeoutMs=1500'];
    const out = join(folder, 'out.ndjson');
    const { status, report, deadLetters } = await pipeline(
      ['--from', file, '--to', to + options, '--to', out],
      async () => {
        await untilTaken(1_000);
        await gms.control({ rates: { 503: 1 } });
      },
    );
    expect(status).toBe(1);
    const { delivered } = report.counts;
    expect(delivered[`file ${out}`]).toBe(proposals.length);
    expect((delivered[sink] ?? 0) + deadLetters.length).toBe(proposals.length);
    expect(deadLetters.length).toBeGreaterThan(0);
    expect(new Set(deadLetters.map((entry) => entry.sink))).toEqual(new Set([sink]));

    await gms.control({ rates: {} });
    const dead = join(folder, 'dead.ndjson');
    const replayed = await command(['replay', dead, '--to', to], { folder });
    expect(replayed.status).toBe(0);
    await expect(readFile(dead)).rejects.toThrow('ENOENT');
    expectArrived(await gms.taken(), proposals);
  });

  it('ends the run at once where it wants another token', async () => {
    const to = await start({ token: 'another' });
    const { status, output } = await pipeline(['--from', file, '--to', to]);
    expect(status).toBe(3);
    expect(output).toContain('SINK_UNAUTHORIZED');
    expect((await gms.counts()).requests).toBe(0);
  });
});
