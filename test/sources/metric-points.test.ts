/**
 * Points of metrics out of stores of every kind: the same, and what is wrong with one is no harm to others.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { comparePoints } from '../../src/mlflow/metric-points.js';
import type { MetricPoint } from '../../src/mlflow/types.js';
import { openFileStore } from '../../src/sources/file-store/file-store.js';
import type { AskedMetrics, FoundPoints, MlflowStore } from '../../src/sources/store.js';
import { runContext } from '../../src/testing/run-context.js';
import { databaseWith } from '../support/database-of-content.js';
import { FileStoreFolder } from '../support/file-store.js';
import {
  offsetToken,
  sampleContent,
  sampleRunId,
  type FaultHook,
  type ServerContent,
  type WireMetric,
} from '../support/mlflow-server.js';
import { openStore } from './rest/open-store.js';
import { open as openSqlite } from './sqlite/reading.js';

const FLAVOURS = ['1.28.0', '2.22.5', '3.17.2'] as const;
const KEYS = ['loss', 'val/acc', 'with space', '5'];

const small = fc.integer({ min: -2, max: 4 }).map((number) => number + 0);
const points: fc.Arbitrary<WireMetric> = fc.record({
  key: fc.constantFrom(...KEYS),
  value: fc.oneof(small, fc.constantFrom<number | string>(0.1, 1e-7, -1e21, 'NaN')),
  timestamp: small,
  step: small,
});
const histories = fc.array(fc.array(points, { maxLength: 60 }), { minLength: 3, maxLength: 3 });
const limits = fc.array(fc.integer({ min: 2, max: 6 }), { minLength: 3, maxLength: 3 });

const pointOf = ({ value, timestamp = 0, step = 0 }: WireMetric): MetricPoint => ({
  value: Number(value),
  timestamp,
  step,
});

/** All points of a metric, each once, in their order. */
function pointsOf(history: readonly WireMetric[], key: string): readonly MetricPoint[] {
  const found = history.filter((point) => point.key === key).map(pointOf);
  return [
    ...new Map(
      found.map((point) => [JSON.stringify(Object.values(point).map(String)), point]),
    ).values(),
  ].sort(comparePoints);
}

/** Runs 0, 1, … with these points, and no others. */
function contentWith(all: readonly (readonly WireMetric[])[]): ServerContent {
  const content = sampleContent({ experiments: 1, runsPerExperiment: all.length, models: 0 });
  for (const [place, history] of all.entries()) {
    const run = content.runs[place];
    if (run === undefined) throw new Error('no such run');
    run.history = [...history];
    const metrics = KEYS.flatMap((key) => {
      const last = pointsOf(history, key).at(-1);
      return last === undefined ? [] : [{ key, ...last, value: wire(last.value) }];
    });
    run.data = { ...run.data, metrics };
  }
  return content;
}

const wire = (value: number): number | string => (Number.isNaN(value) ? 'NaN' : value);

function folderWith(content: ServerContent): FileStoreFolder {
  const folder = new FileStoreFolder().experiment('1');
  for (const { info, history = [] } of content.runs) {
    folder.run('1', info.run_id);
    for (const { key, value, timestamp = 0, step = 0 } of history) {
      const path = join(folder.path, '1', info.run_id, 'metrics', key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${timestamp} ${value} ${step}\n`, { flag: 'a' });
    }
  }
  return folder;
}

async function fileStoreOf(content: ServerContent, maxOpenFiles = 64): Promise<MlflowStore> {
  const { path } = folderWith(content);
  const store = await openFileStore({ path, maxOpenFiles }, runContext());
  onTestFinished(() => store.close());
  return store;
}

/** Of every kind, over the same content. */
const STORES: readonly (readonly [string, (content: ServerContent) => Promise<MlflowStore>])[] = [
  ...FLAVOURS.flatMap((flavour) => [
    [
      `a server of MLflow ${flavour}`,
      async (content: ServerContent) => (await openStore({ content, flavour })).store,
    ] as const,
    [
      `a database of MLflow ${flavour}`,
      (content: ServerContent) => openSqlite(databaseWith(content, flavour)),
    ] as const,
  ]),
  ['a folder of files', fileStoreOf],
];

const asked = (place: number, keys: readonly string[], number: number): AskedMetrics => ({
  run: { runId: sampleRunId(place), experimentId: '1' },
  keys,
  points: number,
});

async function found(
  store: MlflowStore,
  ...all: readonly AskedMetrics[]
): Promise<readonly FoundPoints[]> {
  return (await store.metricPoints?.(all)) ?? [];
}

describe.each(STORES)('%s', (_, open) => {
  it('gives the last points of each metric of each run', async () => {
    await fc.assert(
      fc.asyncProperty(histories, limits, async (all, numbers) => {
        const store = await open(contentWith(all));
        const wanted = numbers.map((number, place) => asked(place, KEYS, number));
        const got = await found(store, ...wanted);
        expect(got).toHaveLength(wanted.length);
        for (const [place, { points: byKey, unread }] of got.entries()) {
          expect(unread).toEqual(new Map());
          for (const key of KEYS) {
            const expected = pointsOf(all[place] ?? [], key).slice(-(numbers[place] ?? 0));
            expect(byKey.get(key) ?? []).toEqual(expected);
          }
        }
      }),
      { numRuns: 8 },
    );
  });

  it('gives nothing that was not asked for, and nothing of a run that is not there', async () => {
    const history = [1, 2, 3].flatMap((step) =>
      KEYS.map((key) => ({ key, value: step / 8, timestamp: step, step })),
    );
    const store = await open(contentWith([history, history]));
    const [one, gone, other] = await found(
      store,
      asked(0, ['loss'], 3),
      asked(99, ['loss'], 3),
      asked(1, ['5', 'val/acc'], 3),
    );
    expect([...(one?.points.keys() ?? [])]).toEqual(['loss']);
    expect(gone?.points.get('loss') ?? []).toEqual([]);
    expect([...(other?.points.keys() ?? [])].sort()).toEqual(['5', 'val/acc']);
    expect(await found(store)).toEqual([]);
  });

  it('says which metric can not be read, and gives the others', async () => {
    const beyond = { key: 'loss', value: 1, timestamp: 2 ** 60, step: 1 };
    const fine = { key: '5', value: 2, timestamp: 1, step: 1 };
    const store = await open(contentWith([[beyond, fine], [fine]]));
    const [broken, other] = await found(store, asked(0, ['loss', '5'], 9), asked(1, ['5'], 9));
    expect(broken?.unread.get('loss')).toMatch(/timestamp of a point should be a whole number/);
    expect(broken?.points.get('loss')).toBeUndefined();
    expect(broken?.points.get('5')).toEqual([pointOf(fine)]);
    expect(other?.points.get('5')).toEqual([pointOf(fine)]);
  });
});

describe('a server', () => {
  const many = Array.from({ length: 60_000 }, (_, at) => ({
    key: 'loss',
    value: at % 7,
    timestamp: at,
    step: at,
  }));

  it.each([
    ['3.17.2', 3],
    ['2.22.5', 1],
    ['1.28.0', 1],
  ] as const)('of MLflow %s is asked %i times for 60,000 points', async (flavour, times) => {
    const { store, asked: requests } = await openStore({ content: contentWith([many]), flavour });
    const [{ points: byKey } = { points: new Map<string, MetricPoint[]>() }] = await found(
      store,
      asked(0, ['loss'], 3),
    );
    expect(byKey.get('loss')?.map(({ step }) => step)).toEqual([59_997, 59_998, 59_999]);
    expect(requests('metrics/get-history')).toHaveLength(times);
  });

  it('is asked as often at a time as is allowed, and no oftener', async () => {
    const faults: FaultHook = ({ endpoint }) =>
      endpoint === 'metrics/get-history' ? { kind: 'delay', ms: 20 } : undefined;
    const content = contentWith(Array.from({ length: 12 }, () => many.slice(0, 3)));
    const { store, server } = await openStore({ content, faults }, { concurrency: 3 });
    await found(store, ...content.runs.slice(0, 12).map((_, place) => asked(place, ['loss'], 9)));
    expect(server.peakConcurrency).toBe(3);
  });

  /** With a fault of the first run alone. */
  const faulty = async (fault: ReturnType<FaultHook>): Promise<MlflowStore> => {
    const content = contentWith([many.slice(0, 3), many.slice(0, 3)]);
    const faults: FaultHook = ({ endpoint, query }) =>
      endpoint === 'metrics/get-history' && query.get('run_id') === sampleRunId(0)
        ? fault
        : undefined;
    return (await openStore({ content, faults }, { maxResponseBytes: 4_096 })).store;
  };

  it.each<[string, ReturnType<FaultHook>, RegExp]>([
    ['refuses it', { kind: 'status', status: 403, body: 'Permission denied' }, /may not read here/],
    [
      'knows it no longer',
      { kind: 'status', status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } },
      /RESOURCE_DOES_NOT_EXIST/,
    ],
    [
      'answers at too great a length',
      { kind: 'json', body: { metrics: ['x'.repeat(9_999)] } },
      /maxResponseBytes/,
    ],
    [
      'sends what is none',
      { kind: 'json', body: { metrics: [null] } },
      /a point should be an object/,
    ],
    [
      'gives a token that comes round again',
      {
        kind: 'patch',
        patch: (answer) => ({ ...answer, next_page_token: offsetToken(0) }),
      },
      /without an end/,
    ],
    ['gives empty pages', { kind: 'json', body: { next_page_token: 'x' } }, /without an end/],
  ])('that %s costs that metric alone', async (_, fault, why) => {
    const store = await faulty(fault);
    const [broken, other] = await found(store, asked(0, ['loss'], 3), asked(1, ['loss'], 3));
    expect(broken?.unread.get('loss')).toMatch(why);
    expect(broken?.points.size).toBe(0);
    expect(other?.points.get('loss')).toHaveLength(3);
  });

  it.each<[string, ReturnType<FaultHook>, string]>([
    ['fails', { kind: 'status', status: 500 }, 'SOURCE_FAILED'],
    ['wants other credentials', { kind: 'status', status: 401 }, 'SOURCE_UNAUTHORIZED'],
    ['is gone', { kind: 'drop' }, 'SOURCE_UNREACHABLE'],
    ['is none of MLflow', { kind: 'json', body: { status: 'ok' } }, 'SOURCE_WRONG_ANSWER'],
  ])('that %s is a failure, as elsewhere', async (_, fault, code) => {
    const store = await faulty(fault);
    await expect(found(store, asked(0, ['loss'], 3), asked(1, ['loss'], 3))).rejects.toMatchObject({
      code,
    });
  });
});

describe('a folder of files', () => {
  it('has few of them open at a time, and reads one of any length', async () => {
    const folder = folderWith(contentWith([[], []]));
    const line = (at: number): string => `${at} 0.5 ${at % 1_000}\n`;
    folder.write({
      [`1/${sampleRunId(0)}/metrics/long`]: Array.from({ length: 200_000 }, (_, at) =>
        line(at),
      ).join(''),
      [`1/${sampleRunId(0)}/metrics/broken`]: '1 0.5 1\nno metric\n',
    });
    const store = await openFileStore({ path: folder.path, maxOpenFiles: 1 }, runContext());
    onTestFinished(() => store.close());
    const [first] = await found(store, asked(0, ['long', 'broken', 'gone'], 2));
    expect(first?.points.get('long')).toEqual([
      { value: 0.5, timestamp: 198_999, step: 999 },
      { value: 0.5, timestamp: 199_999, step: 999 },
    ]);
    expect(first?.unread).toEqual(new Map([['broken', 'not a metric: no metric']]));
  });
});

describe('a database', () => {
  it('reads many runs in several reads, each run once', async () => {
    const all = Array.from({ length: 130 }, (_, place) => [
      { key: 'loss', value: place, timestamp: 1, step: 1 },
      { key: 'loss', value: place + 0.5, timestamp: 1, step: 2 },
    ]);
    const store = await openSqlite(databaseWith(contentWith(all), '3.17.2'));
    const wanted = all.map((_, place) => asked(place, ['loss'], place % 3 === 0 ? 2 : 1_000));
    const got = await found(store, ...wanted);
    expect(got.map(({ points: byKey }) => byKey.get('loss')?.map(({ value }) => value))).toEqual(
      all.map((_, place) => [place, place + 0.5]),
    );
  });
});
