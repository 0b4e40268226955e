/**
 * Readings of runs with what their metrics were before.
 */

import { describe, expect, it } from 'vitest';
import { RECORD_KINDS, type MlflowRecord } from '../../../src/mlflow/records.js';
import type { MetricHistoryChoice } from '../../../src/mlflow/metric-points.js';
import type { Run } from '../../../src/mlflow/types.js';
import { readMlflow } from '../../../src/sources/mlflow-reader.js';
import {
  MetricHistories,
  type RunsPart,
} from '../../../src/sources/mlflow-reader/metric-histories.js';
import type { RestOptions } from '../../../src/sources/rest/options.js';
import type { FoundPoints, MlflowStore } from '../../../src/sources/store.js';
import type { Page, ReadPlan } from '../../../src/stream/contracts.js';
import { Recorder } from '../../../src/stream/recorder.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import {
  sampleContent,
  sampleRunId,
  type FaultHook,
  type SampleSize,
  type ServerContent,
  type WireMetric,
} from '../../support/mlflow-server.js';
import { run as aRun } from '../../operators/records.js';
import { someServer } from '../../support/memory.js';
import { openStore } from '../rest/open-store.js';
import { range, recordsOf, runOf, runsIn, versionsIn } from './reading.js';

const LOSS = { metrics: 'loss', points: 1_000 };

/** Each run has ten points of its loss, of which the last one is what it says, and one of its accuracy. */
function contentOf(size: SampleSize): ServerContent {
  const content = sampleContent(size);
  for (const run of content.runs) {
    const start = run.info.start_time ?? 0;
    const steps = Array.from({ length: 10 }, (_, at): WireMetric => {
      return { key: 'loss', value: at / 8, timestamp: start + at, step: at };
    });
    const accuracy = { key: 'accuracy', value: 0.5, timestamp: start, step: 1 };
    const last = steps.at(-1);
    run.history = [...steps.slice(3), ...steps.slice(0, 3), accuracy];
    run.data = { ...run.data, metrics: [accuracy, ...(last === undefined ? [] : [last])] };
  }
  return content;
}

async function opened(
  content: ServerContent,
  options: RestOptions & { readonly faults?: FaultHook } = {},
) {
  const { faults, ...rest } = options;
  const { store, context, server } = await openStore(
    { content, ...(faults === undefined ? {} : { faults }) },
    rest,
  );
  const source = readMlflow(store, context);
  const kinds = new Set(RECORD_KINDS);
  return {
    read: (plan: Partial<ReadPlan> = {}) => source.read({ kinds, metricHistory: LOSS, ...plan }),
    plain: () => source.read({ kinds }),
    asked: () => server.countOf('metrics/get-history'),
    warnings: () => context.recorder.counts().warnings,
  };
}

const runsOf = (records: readonly MlflowRecord[]): readonly Run[] =>
  records.flatMap((record) => (record.kind === 'run' ? [record.run] : []));

const stepsOf = ({ metrics }: Run): readonly (number[] | undefined)[] =>
  metrics.map(({ history }) => history?.map(({ step }) => step));

async function pagesOf(source: AsyncIterable<Page<MlflowRecord>>): Promise<Page<MlflowRecord>[]> {
  const pages: Page<MlflowRecord>[] = [];
  for await (const page of source) pages.push(page);
  return pages;
}

describe('a reading with histories of metrics', () => {
  it('gives runs the points of the metrics that are asked for, and nothing else', async () => {
    const content = contentOf({ experiments: 2, runsPerExperiment: 3 });
    const { read, plain, asked } = await opened(content);
    const usual = await recordsOf(plain());
    expect(asked()).toBe(0);
    const records = await recordsOf(read());
    expect(asked()).toBe(6);
    // accuracy, loss
    for (const run of runsOf(records))
      expect(stepsOf(run)).toEqual([undefined, [0, 1, 2, 3, 4, 5, 6, 7, 8]]);
    expect(runsOf(records)).toHaveLength(6);
    const withoutHistories = JSON.stringify(records, (key, value: unknown) =>
      key === 'history' ? undefined : value,
    );
    expect(JSON.parse(withoutHistories)).toEqual(JSON.parse(JSON.stringify(usual)));
  });

  it('gives the last ones, and none where there is but one', async () => {
    const content = contentOf({ experiments: 1, runsPerExperiment: 2 });
    const { read } = await opened(content);
    const [run] = runsOf(await recordsOf(read({ metricHistory: { metrics: '.*', points: 3 } })));
    expect(run && stepsOf(run)).toEqual([undefined, [7, 8]]);
  });

  it('has none of what is logged while it reads', async () => {
    const content = contentOf({ experiments: 1, runsPerExperiment: 1 });
    const [run] = content.runs;
    run?.history?.push({ key: 'loss', value: 7, timestamp: 2e12, step: 10 });
    const { read } = await opened(content);
    const [found] = runsOf(await recordsOf(read()));
    expect(found && stepsOf(found)).toEqual([undefined, [0, 1, 2, 3, 4, 5, 6, 7, 8]]);
  });

  it('asks for nothing where no runs are wanted', async () => {
    const { read, asked } = await opened(contentOf({ experiments: 1, runsPerExperiment: 2 }));
    await recordsOf(read({ kinds: new Set(['modelVersion', 'dataset'] as const) }));
    expect(asked()).toBe(0);
  });

  it('gives large pages in parts, and asks for one when it is wanted', async () => {
    const content = contentOf({ experiments: 1, runsPerExperiment: 45, models: 0 });
    const { read, asked } = await opened(content, { runsPageSize: 50 });
    const pages = read()[Symbol.asyncIterator]();
    const sizes: number[] = [];
    for (;;) {
      const next = await pages.next();
      if (next.done === true) break;
      const runs = runsOf(next.value.records);
      if (runs.length === 0) continue;
      sizes.push(runs.length);
      expect(asked()).toBe(sizes.reduce((sum, size) => sum + size, 0));
    }
    // 20,000 points are 20 runs of 1,000, however many they turn out to have.
    expect(sizes).toEqual([20, 20, 5]);
  });

  it('sends a run with the last value of a metric whose history can not be read', async () => {
    const content = contentOf({ experiments: 1, runsPerExperiment: 3, models: 0 });
    const faults: FaultHook = ({ endpoint, query }) =>
      endpoint === 'metrics/get-history' && query.get('run_id') === sampleRunId(1)
        ? { kind: 'json', body: { metrics: [{ value: 'much' }] } }
        : undefined;
    const { read, warnings } = await opened(content, { faults });
    const runs = runsOf(await recordsOf(read()));
    expect(runs.map((run) => stepsOf(run)[1]?.length)).toEqual([9, undefined, 9]);
    expect(runs[1]?.metrics.map(({ key }) => key)).toEqual(['accuracy', 'loss']);
    expect(warnings()).toMatchObject([
      {
        code: 'METRIC_HISTORY_NOT_READ',
        examples: [
          `run ${sampleRunId(1)} metric loss: the value of a point should be a number, and is a string`,
        ],
      },
    ]);
  });

  it('has them for runs that a filter leaves, too', async () => {
    const content = contentOf({ experiments: 1, runsPerExperiment: 4, models: 0 });
    for (const [place, { info }] of content.runs.entries())
      info.status = place % 2 === 0 ? 'FINISHED' : 'FAILED';
    const { read, asked } = await opened(content);
    const filters = [{ runs: { statuses: ['FINISHED'] } }];
    const runs = runsOf(await recordsOf(read({ filters })));
    expect(runs.map((run) => stepsOf(run)[1]?.length)).toEqual([9, 9]);
    expect(asked()).toBe(2);
  });
});

describe('a sweep with histories of metrics', () => {
  // Of 45 runs there are three parts to a page.
  const size = { experiments: 2, runsPerExperiment: 45, models: 2 };
  const setting = { runsPageSize: 50, experimentsPerSearch: 1 };

  it('goes on where it broke off, in the middle of a page as well', async () => {
    const content = contentOf(size);
    const { read } = await opened(content, setting);
    const whole = await recordsOf(read());
    const pages = await pagesOf(read());
    for (let cut = 0; cut <= pages.length; cut += 1) {
      const memory = new SweepMemory();
      memory.begin();
      const before = await memory.deliver(read({ memory }), cut);
      const after = await memory.deliver(read({ memory }));
      expect([...runsIn(before), ...runsIn(after)].sort()).toEqual(runsIn(whole));
      expect([...versionsIn(before), ...versionsIn(after)].sort()).toEqual(versionsIn(whole));
      const runs = [...runsOf(before), ...runsOf(after)];
      expect(runs.every((run) => stepsOf(run)[1]?.length === 9)).toBe(true);
    }
  });

  it('says where it goes on behind the last part of a page alone', async () => {
    const { read } = await opened(contentOf(size), setting);
    const memory = new SweepMemory();
    memory.begin();
    const pages = await pagesOf(read({ memory }));
    const withRuns = pages.filter(({ records }) => runsOf(records).length > 0);
    expect(withRuns.map(({ position }) => position !== undefined)).toEqual([
      ...[false, false, true],
      ...[false, false, true],
    ]);
  });

  it('that looks back has them for runs that are open, and for those of new versions', async () => {
    const content = contentOf({
      experiments: 1,
      runsPerExperiment: 8,
      models: 1,
      versionsPerModel: 1,
    });
    for (const [place, { info }] of content.runs.entries()) {
      info.status = place === 2 ? 'RUNNING' : 'FINISHED';
    }
    const { read } = await opened(content, setting);
    const memory = new SweepMemory();
    memory.begin();
    const all = await memory.deliver(read({ memory }));
    memory.complete();
    const [version] = content.modelVersions;
    if (version === undefined) throw new Error('no version');
    content.modelVersions.push({ ...version, version: '9', run_id: sampleRunId(5) });
    memory.begin((runOf(content, 7).start_time ?? 0) + 1);
    const records = await memory.deliver(read({ memory }));
    expect(runsIn(records)).toEqual([sampleRunId(2), sampleRunId(5)]);
    for (const run of runsOf(records)) expect(stepsOf(run)[1]).toHaveLength(9);
    // The same as when all was read.
    const before = runsOf(all);
    for (const run of runsOf(records)) expect(before).toContainEqual(run);
  });
});

describe('the parts of a page of runs', () => {
  /** A run whose metrics have seven points each; the store says how many it was asked for at a time. */
  const opened = (choice: MetricHistoryChoice) => {
    const asked: number[] = [];
    const recorder = new Recorder();
    const metricPoints: MlflowStore['metricPoints'] = (all) => {
      asked.push(all.reduce((sum, { keys, points }) => sum + keys.length * points, 0));
      const found = all.map(({ keys, points }): FoundPoints => {
        const steps = [1, 2, 3, 4, 5, 6, 7].slice(-points);
        const list = steps.map((step) => ({ value: step, timestamp: step, step }));
        return { points: new Map(keys.map((key) => [key, list])), unread: new Map() };
      });
      return Promise.resolve(found);
    };
    const store = { server: someServer, metricPoints };
    return { asked, recorder, histories: new MetricHistories(store, recorder, choice) };
  };
  const runWith = (count: number): Run => ({
    ...aRun({ runId: `r${count}` }),
    metrics: range(0, count).map((at) => ({ key: `m${at}`, value: 7, timestamp: 7, step: 7 })),
  });
  const collected = async (histories: MetricHistories, runs: readonly Run[]) => {
    const parts: RunsPart[] = [];
    for await (const part of histories.parts(runs)) parts.push(part);
    return parts;
  };

  it('have no more than 20,000 points, and a run alone has no more either, which is said', async () => {
    const { asked, recorder, histories } = opened({ metrics: 'm.*', points: 7 });
    const runs = [2_000, 900, 100, 4_000, 0, 20_000].map(runWith);
    const parts = await collected(histories, runs);
    expect(parts.map(({ runs: some }) => some.map(({ runId }) => runId))).toEqual([
      ['r2000'],
      ['r900', 'r100'],
      // None can be had of so many metrics, nor of none.
      ['r4000', 'r0', 'r20000'],
    ]);
    expect(parts.map(({ isLast }) => isLast)).toEqual([false, false, true]);
    expect(asked).toEqual([14_000, 7_000, 20_000]);
    const found = parts.flatMap(({ runs: some }) => some);
    expect(found.map((run) => [...new Set(stepsOf(run).map(String))])).toEqual([
      ['1,2,3,4,5,6'],
      ['1,2,3,4,5,6'],
      ['1,2,3,4,5,6'],
      ['3,4,5,6'],
      [],
      ['undefined'],
    ]);
    expect(recorder.counts().warnings).toMatchObject([
      {
        code: 'METRIC_HISTORY_SHORTENED',
        examples: ['run r20000: 1 of each of 20000', 'run r4000: 5 of each of 4000'],
      },
    ]);
  });

  it('say nothing of less where there is no more', async () => {
    const { recorder, histories } = opened({ metrics: 'm.*', points: 1_000 });
    const [part] = await collected(histories, [runWith(30)]);
    expect(part?.runs.map((run) => stepsOf(run)[0])).toEqual([[1, 2, 3, 4, 5, 6]]);
    expect(recorder.counts().warnings).toEqual([]);
  });

  it('are one where there is nothing to ask for, be it no run at all', async () => {
    const { asked, histories } = opened({ metrics: 'other', points: 7 });
    const runs = [3, 4].map(runWith);
    expect(await collected(histories, runs)).toEqual([{ runs, isLast: true }]);
    expect(await collected(histories, [])).toEqual([{ runs: [], isLast: true }]);
    expect(asked).toEqual([]);
  });
});
