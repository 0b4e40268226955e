/**
 * The whole way from an HTTP server to a sink: what a slow sink does to the source and the memory.
 * Told by counting requests and live records, not by timing.
 */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { map } from 'rxjs/operators';
import { afterEach, describe, expect, it } from 'vitest';
import { buildUrns } from '../../src/operators/build-urns.js';
import { dedup } from '../../src/operators/dedup.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { versionGate } from '../../src/operators/version-gate.js';
import { restSource } from '../../src/sources/rest-source.js';
import type { AnyOperator } from '../../src/stream/contracts.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import { memorySink, silentLog } from '../support/memory.js';
import { sampleContent, startMlflowServer, type MlflowServer } from '../support/mlflow-server.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MAX_IN_FLIGHT = 3;
const RUNS_A_PAGE = 3;

let server: MlflowServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Sweeps over a server with so many runs, into a sink that takes `sinkMs` for a run's proposals. */
async function sweep(runs: number, sinkMs: number) {
  const listening = await startMlflowServer({
    flavour: '3.17.2', // 2.22 would ask once more behind a full last page
    content: sampleContent({ experiments: 2, runsPerExperiment: runs / 2 }),
  });
  server = listening;
  const live = new Set<WeakRef<object>>();
  const seen = { pagesDone: 0, mostRequestsAhead: 0, mostLiveRuns: 0 };
  const watching: AnyOperator = map((record: MlflowRecord) => {
    if (record.kind === 'run') live.add(new WeakRef(record));
    return record;
  });
  const { sink } = memorySink(async (proposals) => {
    // Others are the probe's, and those that look for where a search can be cut.
    const pages = listening.requests.filter(({ body }) => body['max_results'] === RUNS_A_PAGE);
    const ahead = pages.length - runPagesDone();
    seen.mostRequestsAhead = Math.max(seen.mostRequestsAhead, ahead);
    await sleep(sinkMs * new Set(proposals.map(({ entityUrn }) => entityUrn)).size);
    return [];
  });
  let pagesBeforeRuns = 0;
  const runPagesDone = (): number => Math.max(0, seen.pagesDone - pagesBeforeRuns);

  const { report } = await runPipeline(
    {
      source: restSource({ uri: listening.uri, runsPageSize: RUNS_A_PAGE }),
      operators: [versionGate(), watching, buildUrns(), mapToProposals(), dedup()],
      sinks: [sink],
      maxInFlightPages: MAX_IN_FLIGHT,
      deadLetter: { path: join(mkdtempSync(join(tmpdir(), 'flow-')), 'dead.ndjson') },
    },
    {
      log: silentLog,
      env: {},
      onProgress: ({ read }) => {
        seen.pagesDone += 1;
        if (read['run'] === undefined) pagesBeforeRuns = seen.pagesDone;
        if (seen.pagesDone % 10 !== 0) return;
        collectGarbage();
        for (const ref of live) if (ref.deref() === undefined) live.delete(ref);
        seen.mostLiveRuns = Math.max(seen.mostLiveRuns, live.size);
      },
    },
  );
  return { report, seen };
}

describe('a sink that takes 50 ms a record', () => {
  it('keeps the source from having more pages outstanding than allowed', async () => {
    const { report, seen } = await sweep(24, 50);
    expect(report.outcome).toBe('complete');
    expect(report.counts.read['run']).toBe(24);
    expect(seen.mostRequestsAhead).toBeGreaterThan(0);
    expect(seen.mostRequestsAhead).toBeLessThanOrEqual(MAX_IN_FLIGHT);
  });
});

describe('the records that are alive', () => {
  it('are as many for ten times the pages', async () => {
    const few = await sweep(30, 0);
    await server?.close();
    const many = await sweep(300, 0);
    expect(many.report.counts.pages).toBeGreaterThan(100);
    // A page that has just been done may be held by what is still on the stack.
    const most = (MAX_IN_FLIGHT + 2) * RUNS_A_PAGE;
    expect(few.seen.mostLiveRuns).toBeLessThanOrEqual(most);
    expect(many.seen.mostLiveRuns).toBeLessThanOrEqual(most);
  });
});
