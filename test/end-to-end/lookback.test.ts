/**
 * The whole way with a state: what a lookback sends when something that old runs refer to changes.
 */

import { mkdtempSync, rmSync } from 'node:fs';
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
import { stateOptionsSchema } from '../../src/state/options.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { memorySink, silentLog } from '../support/memory.js';
import { sampleContent, sampleRunId, startMlflowServer } from '../support/mlflow-server.js';

const DAY_MS = 86_400_000;

async function lookingBack() {
  const content = sampleContent({ experiments: 3, runsPerExperiment: 40, models: 1 });
  for (const { info } of content.runs) info.status = 'FINISHED';
  const server = await startMlflowServer({ content });
  onTestFinished(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'lookback-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  // Every run ended long before.
  let now = (content.runs.at(-2)?.info.start_time ?? 0) + 100 * DAY_MS;
  /** What a run sends, by entity and aspect. */
  const run = async (): Promise<string[]> => {
    const sent: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      sent.push(...proposals);
      return Promise.resolve([]);
    });
    const { report, failure } = await runPipeline(
      {
        source: mlflowSource({ uri: server.uri, runsPageSize: 10 }),
        operators: [versionGate(), buildUrns(), mapToProposals(), dedup()],
        sinks: [sink],
        maxInFlightPages: 1,
        deadLetter: { path: join(folder, 'dead.ndjson') },
        state: stateOptionsSchema.parse({ path: join(folder, 'state'), lookbackDays: 7 }),
      },
      { log: silentLog, env: {}, now: () => now },
    );
    expect(failure).toBeUndefined();
    expect(report.outcome).toBe('complete');
    now += 60_000;
    return sent.map(({ entityUrn, aspectName }) => `${entityUrn} ${aspectName}`);
  };
  const search = () => server.countOf('runs/search');
  return { content, run, search };
}

const urnOf = (index: number) => runUrn(sampleRunId(index));

describe('a lookback', () => {
  it('sends nothing and reads no run where nothing has changed', async () => {
    const { run, search } = await lookingBack();
    expect((await run()).length).toBeGreaterThan(500);
    const before = search();
    expect(await run()).toEqual([]);
    expect(search() - before).toBe(2); // two lanes, both empty
  });

  it('sends the containers of all runs of an experiment that was renamed', async () => {
    const { content, run } = await lookingBack();
    await run();
    const [, second] = content.experiments;
    if (second !== undefined) second.name = 'renamed';
    const sent = await run();
    const containers = sent.filter((one) => /dataProcessInstance.* container$/.test(one));
    expect(containers.sort()).toEqual(
      Array.from({ length: 40 }, (_, at) => `${urnOf(40 + at)} container`).sort(),
    );
    expect(await run()).toEqual([]);
  });

  it('sends the outputs of an old run that has a new version', async () => {
    const { content, run } = await lookingBack();
    await run();
    content.modelVersions.push({
      name: 'model 1',
      version: '4',
      run_id: sampleRunId(50),
      status: 'READY',
    });
    const sent = await run();
    const ofRuns = sent.filter((one) => one.startsWith('urn:li:dataProcessInstance:'));
    expect(new Set(ofRuns.map((one) => one.split(' ')[0]))).toEqual(new Set([urnOf(50)]));
    expect(ofRuns).toContain(`${urnOf(50)} dataProcessInstanceOutput`);
    expect(sent.some((one) => one.includes('model 1_4'))).toBe(true);
    expect(await run()).toEqual([]);
  });
});
