/**
 * The whole way with workspaces and a state: what is sent, what is removed, and where a run goes on.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { runUrn } from '../../src/datahub/urn.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import { dedup } from '../../src/operators/dedup.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { versionGate } from '../../src/operators/version-gate.js';
import { mlflowSource } from '../../src/sources/mlflow-source.js';
import { stateOptionsSchema, type StateOptions } from '../../src/state/options.js';
import { replay } from '../../src/stream/replay.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { memorySink, silentLog } from '../support/memory.js';
import {
  sampleContent,
  sampleRunId,
  startMlflowServer,
  workspacesOf,
  type Fault,
  type LoggedRequest,
  type ServerContent,
} from '../support/mlflow-server.js';

const DAY_MS = 86_400_000;

/** The content of a workspace, which a test may change. */
const contents = () => ({
  default: sampleContent({ runsPerExperiment: 10 }),
  'team-a': sampleContent({ runsPerExperiment: 10 }),
  'team-b': sampleContent({ runsPerExperiment: 10 }),
});

async function pipeline(state: Omit<StateOptions, 'path'> = { staleLimitPercent: 100 }) {
  const inside = contents();
  for (const { runs } of Object.values(inside)) {
    for (const { info } of runs) info.status = 'FINISHED';
  }
  const workspaces = workspacesOf(inside);
  const hidden = new Set<string>();
  const asked: LoggedRequest[] = [];
  const trouble: { fault?: (request: LoggedRequest) => Fault | undefined } = {};
  const server = await startMlflowServer({
    flavour: '3.17.2',
    workspaces,
    hiddenWorkspaces: hidden,
    faults: (request) => {
      asked.push(request);
      return trouble.fault?.(request);
    },
  });
  onTestFinished(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'workspaces-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  let now = Date.now();
  const mapping = { materializeDatasetInputs: true };
  const operators = () => [versionGate(), buildUrns(), mapToProposals(mapping), dedup()];
  const deadLetter = join(folder, 'dead.ndjson');
  const run = async (workspace: string | undefined = '*') => {
    const sent: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      sent.push(...proposals);
      return Promise.resolve([]);
    });
    asked.length = 0;
    const { report } = await runPipeline(
      {
        source: mlflowSource({
          uri: server.uri,
          runsPageSize: 5,
          concurrency: 1,
          retries: 0,
          workspace,
        }),
        operators: operators(),
        sinks: [sink],
        maxInFlightPages: 3,
        deadLetter: { path: deadLetter },
        state: stateOptionsSchema.parse({ path: join(folder, 'state'), ...state }),
      },
      { log: silentLog, env: {}, now: () => now },
    );
    now += 60_000;
    return { report, sent, removed: removedIn(sent) };
  };
  /** @param mend - what somebody does to the dead-letter file */
  const again = async (mend: (text: string) => string) => {
    writeFileSync(deadLetter, mend(readFileSync(deadLetter, 'utf8')));
    const sent: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      sent.push(...proposals);
      return Promise.resolve([]);
    });
    const settings = { path: deadLetter, operators: operators(), sinks: [sink], runId: 'again' };
    const { report } = await replay({ ...settings, log: silentLog, env: {} });
    return { report, sent };
  };
  /** Searches for runs in a workspace since the last run began. */
  const searchesIn = (name: string): number =>
    asked.filter(
      ({ endpoint, headers }) =>
        endpoint === 'runs/search' && headers['x-mlflow-workspace'] === name,
    ).length;
  return { inside, workspaces, hidden, trouble, asked, run, again, searchesIn };
}

function removedIn(proposals: readonly Proposal[]): string[] {
  return proposals
    .filter(({ aspectName, aspect }) => aspectName === 'status' && aspect['removed'] === true)
    .map(({ entityUrn }) => entityUrn)
    .sort();
}

function without(content: ServerContent, runIndex: number, model: string): void {
  const id = sampleRunId(runIndex);
  content.runs = content.runs.filter(({ info }) => info.run_id !== id);
  content.registeredModels = content.registeredModels.filter(({ name }) => name !== model);
  content.modelVersions = content.modelVersions.filter(({ name }) => name !== model);
}

const model = (name: string, workspace: string) =>
  `urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,@${workspace}/${name},PROD)`;

describe('a pipeline over workspaces, with a state', () => {
  it('sends the same of each under ids of its own, and then nothing', async () => {
    const { run } = await pipeline();
    const first = await run();
    expect(first.report).toMatchObject({ outcome: 'complete', counts: { rejected: 0 } });
    const groups = first.sent
      .filter(({ aspectName }) => aspectName === 'mlModelGroupProperties')
      .map(({ entityUrn }) => /mlflow,(.*),PROD/.exec(entityUrn)?.[1]);
    expect(groups.sort()).toEqual([
      '@team-a/model 1',
      '@team-a/model 2',
      '@team-b/model 1',
      '@team-b/model 2',
      'model 1',
      'model 2',
    ]);
    const second = await run();
    expect(second.report).toMatchObject({ outcome: 'complete', state: { resumed: false } });
    expect(second.sent).toEqual([]);
  });

  it('removes what is deleted in one of them there only', async () => {
    const { inside, run } = await pipeline();
    await run();
    without(inside['team-a'], 4, 'model 2');
    const { removed } = await run();
    const versions = ['1', '2', '3'].map(
      (one) => `urn:li:mlModel:(urn:li:dataPlatform:mlflow,@team-a/model 2_${one},PROD)`,
    );
    expect(removed).toEqual(
      [runUrn(sampleRunId(4), 'team-a'), model('model 2', 'team-a'), ...versions].sort(),
    );
    expect((await run()).sent).toEqual([]);
  });

  it('removes all of a workspace that is deleted, and nothing else', async () => {
    const { workspaces, run } = await pipeline();
    const first = await run();
    const before = first.sent.map(({ entityUrn }) => entityUrn);
    workspaces.delete('team-b');
    const { report, removed } = await run();
    expect(report.state?.stale).toMatchObject({ kept: 0, overLimit: false });
    // Three experiments, thirty runs, two models with three versions each.
    expect(removed).toHaveLength(3 + 30 + 2 + 6);
    expect(removed).toContain(model('model 1', 'team-b'));
    expect(removed).toContain(runUrn(sampleRunId(0), 'team-b'));
    expect(removed).not.toContain(runUrn(sampleRunId(0)));
    expect(removed).not.toContain(runUrn(sampleRunId(0), 'team-a'));
    expect(new Set(before)).toEqual(new Set([...before, ...removed]));

    // When one of that name comes back, so does all of it.
    workspaces.set('team-b', contents()['team-b']);
    const back = await run();
    expect(new Set(back.sent.map(({ entityUrn }) => entityUrn))).toEqual(
      new Set([...removed, ...back.sent.map(({ entityUrn }) => entityUrn)]),
    );
    expect(back.removed).toEqual([]);
  });

  it('keeps what is left out or may not be seen until that is read again', async () => {
    const { inside, hidden, asked, run } = await pipeline();
    await run();
    expect(await run('team-a')).toMatchObject({
      removed: [],
      report: { outcome: 'complete', state: { stale: { removed: 0 } } },
    });
    hidden.add('team-b');
    const { report, removed } = await run();
    expect(removed).toEqual([]);
    expect(report.state?.stale).toMatchObject({ removed: 0, kept: 41 });
    hidden.delete('team-b');
    without(inside['team-b'], 4, 'none');
    expect((await run('team-a')).removed).toEqual([]);
    // Whatever is in it: one question for each workspace, and none for what it holds.
    const questions = asked.filter(({ endpoint }) => endpoint.endsWith('/get'));
    expect(questions.map(({ path }) => path)).toEqual([]);
    for (const name of ['default', 'team-b']) {
      expect(asked.filter(({ path }) => path.endsWith(`/workspaces/${name}`))).toHaveLength(1);
    }
    expect((await run()).removed).toEqual([runUrn(sampleRunId(4), 'team-b')]);
    expect((await run()).sent).toEqual([]);
  });

  it.each([{}, { lookbackDays: 1, fullSweepEveryDays: 99 }])(
    'describes a hosted dataset as the first workspace does, in each sweep: %j',
    async (options) => {
      const { inside, run } = await pipeline({ staleLimitPercent: 100, ...options });
      for (const [name, { runs }] of Object.entries(inside)) {
        const schema = JSON.stringify({ mlflow_colspec: [{ name: name[5] ?? '', type: 'long' }] });
        const dataset = { name: 't', digest: name, source_type: 's3', source: '{}', schema };
        const inputs = { dataset_inputs: [{ dataset, tags: [] }] };
        if (name !== 'default') for (const each of runs) Object.assign(each, { inputs });
      }
      const fields = (sent: readonly Proposal[]): unknown[] =>
        sent
          .filter((one) => one.aspectName === 'schemaMetadata' && one.entityUrn.includes(':s3,t,'))
          .map(({ aspect }) => aspect['fields']);
      const first = await run();
      expect(fields(first.sent)).toMatchObject([[{ fieldPath: 'a' }]]);
      expect(first.report.counts.skipped).toMatchObject({
        'hosted dataset: described by another one before': expect.any(Number) as number,
      });
      expect((await run()).sent).toEqual([]);
      expect((await run()).sent).toEqual([]);
    },
  );

  it('refuses a state whose ids have no workspace for one whose name is part of them', async () => {
    const { run } = await pipeline();
    expect((await run('default')).report.outcome).toBe('complete');
    const refused = await run('team-a');
    expect(refused.report).toMatchObject({
      outcome: 'failed',
      error: { code: 'STATE_WITHOUT_WORKSPACE' },
    });
    expect(refused.report.error?.message).toMatch(/state reset/);
    expect(refused.sent).toEqual([]);
    // With others it goes on, and then with one of them alone.
    expect((await run('default')).sent).toEqual([]);
    expect(await run('*')).toMatchObject({ removed: [], report: { outcome: 'complete' } });
    expect(await run('team-a')).toMatchObject({ sent: [], report: { outcome: 'complete' } });
  });

  it('looks back in each, and reads all where one was left out meanwhile', async () => {
    const { inside, run, searchesIn } = await pipeline({ lookbackDays: 1, fullSweepEveryDays: 99 });
    await run();
    expect(searchesIn('team-b')).toBeGreaterThan(5);
    const lookback = await run();
    expect(lookback.report.state?.kind).toBe('lookback');
    expect(lookback.sent).toEqual([]);
    expect(searchesIn('team-b')).toBeLessThan(3);

    const [first] = inside['team-b'].runs;
    if (first !== undefined) {
      first.info.start_time = Date.now() + 3 * DAY_MS;
      first.info.run_name = 'renamed';
    }
    expect(await run('team-a')).toMatchObject({
      sent: [],
      report: { state: { kind: 'lookback' } },
    });
    const all = await run();
    expect(all.report.state?.kind).toBe('full');
    expect(new Set(all.sent.map(({ entityUrn }) => entityUrn))).toEqual(
      new Set([runUrn(sampleRunId(0), 'team-b')]),
    );
  });

  it('goes on in the workspace where it broke off, behind what was delivered', async () => {
    const { trouble, run, searchesIn } = await pipeline();
    let left = 3;
    trouble.fault = ({ endpoint, headers }) =>
      endpoint === 'runs/search' && headers['x-mlflow-workspace'] === 'team-a' && (left -= 1) < 0
        ? { kind: 'status', status: 500 }
        : undefined;
    const broken = await run();
    expect(broken.report.outcome).toBe('failed');
    expect(searchesIn('team-b')).toBe(0);
    delete trouble.fault;
    const rest = await run();
    expect(rest.report).toMatchObject({ outcome: 'complete', state: { resumed: true } });
    // One look at the end of what was delivered, and the pages that are left.
    expect(searchesIn('default')).toBeLessThan(3);
    expect(searchesIn('team-b')).toBeGreaterThan(5);
    const urns = (sent: readonly Proposal[]): string[] =>
      sent
        .filter(({ aspectName }) => aspectName === 'mlTrainingRunProperties')
        .map(({ entityUrn }) => entityUrn);
    expect(new Set([...urns(broken.sent), ...urns(rest.sent)]).size).toBe(90);
    expect(urns(rest.sent).filter((urn) => urns(broken.sent).includes(urn))).toEqual([]);
    expect((await run()).sent).toEqual([]);
  });
});

describe('a workspace that is lost on the way, with a state', () => {
  const lookingBack = { lookbackDays: 1, fullSweepEveryDays: 99, staleLimitPercent: 100 };

  it('lets nothing be removed, and is removed by the next run where it is deleted', async () => {
    const { inside, workspaces, trouble, run } = await pipeline();
    await run();
    without(inside.default, 4, 'model 2');
    trouble.fault = ({ endpoint, headers }) => {
      if (endpoint === 'runs/search' && headers['x-mlflow-workspace'] === 'team-a') {
        workspaces.delete('team-a');
      }
      return undefined;
    };
    const lost = await run();
    expect(lost.report).toMatchObject({
      outcome: 'complete',
      counts: { warnings: [{ code: 'WORKSPACE_LOST', count: 1 }] },
      state: {
        stale: {
          removed: 0,
          kept: 0,
          skipped: expect.stringContaining('rest of workspace team-a') as string,
        },
      },
    });
    expect(lost.removed).toEqual([]);

    delete trouble.fault;
    const next = await run();
    expect(next.report.state).toMatchObject({ resumed: false });
    expect(next.removed).toContain(runUrn(sampleRunId(4)));
    expect(next.removed).toContain(runUrn(sampleRunId(0), 'team-a'));
    expect(next.removed).toContain(model('model 1', 'team-a'));
    expect(next.removed.filter((urn) => urn.includes('team-b'))).toEqual([]);
    expect((await run()).sent).toEqual([]);
  });

  it('is read in full where it comes back, and keeps what it had where it is hidden', async () => {
    const { inside, hidden, trouble, run } = await pipeline(lookingBack);
    const first = await run();
    expect(first.report.state?.kind).toBe('full');
    let left = 1;
    trouble.fault = ({ endpoint, headers }) => {
      if (headers['x-mlflow-workspace'] !== 'team-a') return undefined;
      if (endpoint === 'runs/search' && (left -= 1) < 0) hidden.add('team-a');
      return hidden.has('team-a') ? { kind: 'status', status: 403 } : undefined;
    };
    // Behind what a lookback reads: nothing but a full sweep finds it.
    const [old] = inside['team-a'].runs;
    if (old !== undefined) old.info.run_name = 'renamed';
    expect(await run()).toMatchObject({
      removed: [],
      report: { outcome: 'complete', state: { kind: 'lookback' } },
    });
    const without = await run();
    // The others were read to their end, and need not be read again.
    expect(without.report).toMatchObject({
      outcome: 'complete',
      state: { kind: 'lookback', stale: { removed: 0 } },
    });
    expect(without.removed).toEqual([]);

    delete trouble.fault;
    hidden.clear();
    const back = await run();
    expect(back.report.state?.kind).toBe('full');
    expect(new Set(back.sent.map(({ entityUrn }) => entityUrn))).toEqual(
      new Set([runUrn(sampleRunId(0), 'team-a')]),
    );
  });

  it('may have been lost where the last look fails: then nothing is removed, and all read again', async () => {
    const { inside, trouble, run } = await pipeline(lookingBack);
    await run();
    without(inside['team-a'], 4, 'model 2');
    let lists = 0;
    trouble.fault = ({ path }) =>
      path.endsWith('/workspaces') && (lists += 1) > 1
        ? { kind: 'status', status: 503 }
        : undefined;
    expect(await run()).toMatchObject({
      removed: [],
      report: {
        outcome: 'complete',
        counts: { warnings: [{ code: 'WORKSPACES_NOT_CONFIRMED', count: 1 }] },
        state: { stale: { removed: 0, skipped: expect.stringContaining('not sure') as string } },
      },
    });
    delete trouble.fault;
    const next = await run();
    expect(next.report.state?.kind).toBe('full');
    expect(next.removed).toContain(model('model 2', 'team-a'));
  });

  it('fails the run where it is the one that is read, which is gone on with', async () => {
    const { hidden, trouble, run } = await pipeline();
    trouble.fault = ({ endpoint, headers }) => {
      if (headers['x-mlflow-workspace'] !== 'team-a') return undefined;
      if (endpoint === 'runs/search') hidden.add('team-a');
      return hidden.has('team-a') ? { kind: 'status', status: 403 } : undefined;
    };
    const { report } = await run('team-a');
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'WORKSPACE_LOST' } });
    expect(report.error?.message).toMatch(/^workspace team-a of http.* is hidden/);
    delete trouble.fault;
    hidden.clear();
    expect(await run('team-a')).toMatchObject({
      report: { outcome: 'complete', state: { resumed: true } },
    });
  });
});

describe('a dead letter from a workspace', () => {
  it('that could not be read is sent again under the id that it would have had', async () => {
    const { inside, run, again } = await pipeline();
    const [odd] = inside['team-a'].runs;
    Object.assign(odd?.info ?? {}, { status: 5 });
    const { report } = await run();
    expect(report.counts).toMatchObject({
      rejected: 1,
      warnings: [{ code: 'MALFORMED_RUN', examples: [`workspace team-a: run ${sampleRunId(0)}`] }],
    });
    const mended = await again((text) => text.replace('"status":5', '"status":"FINISHED"'));
    expect(mended.report).toMatchObject({ tried: 1, done: 1, left: 0 });
    const urns = mended.sent.map(({ entityUrn }) => entityUrn);
    expect(urns).toContain(runUrn(sampleRunId(0), 'team-a'));
    expect(urns).not.toContain(runUrn(sampleRunId(0)));
  });

  it('that could not be mapped is, too', async () => {
    const { inside, run, again } = await pipeline();
    const [long] = inside['team-a'].registeredModels;
    // With its workspace it is just too long for DataHub.
    const name = 'x'.repeat(512 - encodeURIComponent(model('', 'team-a')).length + 1);
    if (long !== undefined) long.name = name;
    const { report } = await run();
    expect(report.counts).toMatchObject({
      rejected: 1,
      warnings: [{ code: 'BAD_URN', examples: [`workspace team-a: registered model ${name}`] }],
    });
    // Still as it was: what is told of it is that it was tried again.
    expect((await again((text) => text)).report).toMatchObject({ tried: 1, done: 0, left: 1 });
    const mended = await again((text) => text.replaceAll(name, 'short'));
    expect(mended.report).toMatchObject({ tried: 1, done: 1, left: 0 });
    expect(new Set(mended.sent.map(({ entityUrn }) => entityUrn))).toEqual(
      new Set([model('short', 'team-a')]),
    );
  });
});
