/**
 * The whole way with a state: when the histories of metrics are sent, and when they are not.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { runUrn } from '../../src/datahub/urn.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import { dedup } from '../../src/operators/dedup.js';
import {
  mapToProposals,
  type MapToProposalsOptions,
} from '../../src/operators/map-to-proposals/index.js';
import { versionGate } from '../../src/operators/version-gate.js';
import { mlflowSource } from '../../src/sources/mlflow-source.js';
import { stateOptionsSchema } from '../../src/state/options.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { memorySink, silentLog } from '../support/memory.js';
import { sampleContent, sampleRunId, startMlflowServer } from '../support/mlflow-server.js';

const DAY_MS = 86_400_000;
const HISTORY = { metricHistory: { metrics: 'loss', points: 4 } };

async function pipeline() {
  const content = sampleContent({ experiments: 1, runsPerExperiment: 6, models: 1 });
  for (const [place, run] of content.runs.entries()) {
    run.info.status = place === 2 ? 'RUNNING' : 'FINISHED';
    const last = run.data?.metrics?.find(({ key }) => key === 'loss');
    if (last === undefined) continue;
    const earlier = { ...last, value: 9, step: 0, timestamp: (last.timestamp ?? 0) - 1 };
    run.history = [last, earlier];
  }
  const server = await startMlflowServer({ content });
  onTestFinished(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'history-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  // Every run but one ended long before.
  let now = (content.runs[0]?.info.start_time ?? 0) + 100 * DAY_MS;
  /** The steps that a run of the pipeline sends of the loss, by the runs of MLflow. */
  const run = async (options: MapToProposalsOptions) => {
    const sent: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      sent.push(...proposals);
      return Promise.resolve([]);
    });
    const { report, failure } = await runPipeline(
      {
        source: mlflowSource({ uri: server.uri, runsPageSize: 4 }),
        operators: [versionGate(), buildUrns(), mapToProposals(options), dedup()],
        sinks: [sink],
        maxInFlightPages: 2,
        deadLetter: { path: join(folder, 'dead.ndjson') },
        state: stateOptionsSchema.parse({ path: join(folder, 'state'), lookbackDays: 7 }),
      },
      { log: silentLog, env: {}, now: () => now },
    );
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ outcome: 'complete', counts: { warnings: [] } });
    now += 60_000;
    const places = new Map(content.runs.map(({ info }, place) => [runUrn(info.run_id), place]));
    return sent
      .flatMap(({ entityUrn, aspectName, aspect }) =>
        aspectName === 'mlTrainingRunProperties'
          ? [[places.get(entityUrn), stepsIn(aspect)] as const]
          : [],
      )
      .sort(([a = 0], [b = 0]) => a - b);
  };
  return { content, run, asked: () => server.countOf('metrics/get-history') };
}

/** Of the last value nothing is said. */
function stepsIn(aspect: Proposal['aspect']): string {
  const metrics = aspect['trainingMetrics'] as readonly { name: string; description?: string }[];
  return metrics
    .filter(({ name }) => name === 'loss')
    .map(({ description = 'last' }) => description)
    .join();
}

const each = (steps: string, ...places: readonly number[]) => places.map((place) => [place, steps]);

describe('histories of metrics', () => {
  it('are sent when they are asked for, when they change, and taken back when they are not wanted', async () => {
    const { content, run, asked } = await pipeline();
    expect(await run({})).toEqual(each('last', 0, 1, 2, 3, 4, 5));
    expect(await run({})).toEqual([]);
    expect(asked()).toBe(0);

    // Another option than the last time: all is read.
    expect(await run(HISTORY)).toEqual(each('step 0,last', 0, 1, 2, 3, 4, 5));
    expect(asked()).toBe(6);
    expect(await run(HISTORY)).toEqual([]);
    // A lookback reads what is open.
    expect(asked()).toBe(7);

    const open = content.runs[2];
    expect(open?.info.run_id).toBe(sampleRunId(2));
    const next = { key: 'loss', value: 0.5, timestamp: 2e12, step: 2 };
    open?.history?.push(next);
    const metrics = open?.data?.metrics ?? [];
    if (open?.data !== undefined)
      open.data.metrics = [...metrics.filter(({ key }) => key !== 'loss'), next];
    expect(await run(HISTORY)).toEqual(each('step 0,step 1,last', 2));

    // Of a point that comes late the last value says nothing.
    open?.history?.push({ key: 'loss', value: 3, timestamp: 5, step: 1 });
    expect(await run(HISTORY)).toEqual(each('step 0,step 1,step 1,last', 2));

    expect(await run({})).toEqual(each('last', 0, 1, 2, 3, 4, 5));
  });
});
