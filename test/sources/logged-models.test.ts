import { describe, expect, it } from 'vitest';
import { LOGGED_MODEL, readItem } from '../../src/mlflow/parse.js';
import { loggedModelKey } from '../../src/mlflow/record-key.js';
import { OPTIONAL_KINDS, RECORD_KINDS, type RecordKind } from '../../src/mlflow/records.js';
import { openFileStore } from '../../src/sources/file-store/file-store.js';
import { readMlflow } from '../../src/sources/mlflow-reader.js';
import { openSqliteStore } from '../../src/sources/sqlite/sqlite-store.js';
import type { MlflowStore } from '../../src/sources/store.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { versionGate } from '../../src/operators/version-gate.js';
import { narrowedPlan } from '../../src/stream/operators.js';
import { SweepMemory } from '../../src/testing/sweep-memory.js';
import { runContext } from '../../src/testing/run-context.js';
import { FileStoreFolder } from '../support/file-store.js';
import { someServer } from '../support/memory.js';
import { change, copyOf } from '../support/mlflow-database.js';
import { recordsOf } from './mlflow-reader/reading.js';

const id = (number: number): string => `m-${number.toString(16).padStart(32, '0')}`;

async function allOf(store: MlflowStore, experimentIds: readonly string[], since?: number) {
  const pages = [];
  for await (const page of store.loggedModels?.all(experimentIds, since) ?? []) pages.push(page);
  return pages;
}

const idsIn = (pages: Awaited<ReturnType<typeof allOf>>): string[] =>
  pages.flatMap(({ items }) => items.map(({ modelId }) => modelId)).sort();

/** Models 1 to 5: 4 is deleted, 5 in a deleted experiment; 2 has a history. */
function database(): string {
  const path = copyOf('3.17.2');
  const model = (number: number, experiment: string, stage = 'active'): string =>
    `INSERT INTO logged_models SELECT '${id(number)}', ${experiment}, 'm ${number}', 's3://a',
       ${number} * 1000, ${number} * 1000, 2, '${stage}', '', 'r${number}', NULL`;
  const metric = (step: number, value: string, dataset = 'NULL', run = 'ra'): string =>
    `INSERT INTO logged_model_metrics VALUES ('${id(2)}', 'f1', ${step}, ${step}, ${value}, 1, '${run}',
       NULL, ${dataset}, ${dataset === 'NULL' ? 'NULL' : `'d'`})`;
  change(
    path,
    'DELETE FROM logged_model_params',
    'DELETE FROM logged_model_tags',
    'DELETE FROM logged_models',
    ...[1, 2, 3].map((number) => model(number, '1')),
    model(4, '1', 'deleted'),
    model(5, `(SELECT min(experiment_id) FROM experiments WHERE lifecycle_stage = 'deleted')`),
    ...[0, 9, 4].map((step) => metric(step, `${step} / 8.0`)),
    metric(1, '0.5', `'test'`, 'rb'),
    metric(2, '0.25', `'test'`, 'rb'),
    metric(7, '1e308 * 10', `'train'`),
  );
  return path;
}

const F1 = [
  { key: 'f1', value: 1.125, timestamp: 9, step: 9, runId: 'ra' },
  {
    key: 'f1',
    value: 0.25,
    timestamp: 2,
    step: 2,
    runId: 'rb',
    datasetName: 'test',
    datasetDigest: 'd',
  },
];

describe('logged models of a database', () => {
  it('come in pages, active ones of the experiments asked for, with their last metrics', async () => {
    const store = await openSqliteStore({ path: database(), runsPageSize: 2 }, runContext());
    const pages = await allOf(store, ['1']);
    expect(pages.map(({ items }) => items.length)).toEqual([2, 1]);
    expect(idsIn(pages)).toEqual([1, 2, 3].map(id));
    expect(pages[0]?.items[1]).toMatchObject({
      modelId: id(2),
      experimentId: '1',
      name: 'm 2',
      status: 'READY',
      sourceRunId: 'r2',
      metrics: [...F1, { datasetName: 'train', value: Infinity }],
    });
    expect(idsIn(await allOf(store, ['1'], 2000))).toEqual([2, 3].map(id));
    expect(await allOf(store, [])).toEqual([]);
    await store.close();
  });

  it('are found by their ids, but for deleted ones', async () => {
    const store = await openSqliteStore({ path: database(), runsPageSize: 2 }, runContext());
    const found = await store.loggedModels?.byId([1, 3, 4, 5, 6, 3].map(id));
    expect(found?.items.map(({ modelId }) => modelId).sort()).toEqual([1, 3, 5].map(id));
    await store.close();
  });

  it('are gone where they are deleted, unknown, or in a deleted experiment', async () => {
    const store = await openSqliteStore({ path: database() }, runContext());
    const keys = [1, 2, 4, 5, 6].map((number) => loggedModelKey(id(number)));
    expect([...(await store.findGone(keys))]).toEqual(keys.slice(2));
    await store.close();
  });

  it('are left out, and gone, with the experiments that filters leave out', async () => {
    const path = database();
    change(path, "UPDATE experiments SET name = 'tmp' WHERE experiment_id = 1");
    const context = runContext();
    const source = readMlflow(await openSqliteStore({ path }, context), context);
    const filters = [{ experiments: { names: { deny: ['tmp'] } } }];
    const records = await recordsOf(source.read({ kinds: new Set(RECORD_KINDS), filters }));
    expect(records.filter(({ kind }) => kind === 'loggedModel')).toEqual([]);
    const keys = [1, 3, 4].map((number) => loggedModelKey(id(number)));
    expect(await source.findGone?.(keys)).toEqual(new Set(keys));
    await source.close();
  });

  it('are left out by rules of their own, gone then, and still found for versions', async () => {
    const path = database();
    change(
      path,
      `UPDATE logged_models SET status = 3 WHERE model_id = '${id(2)}'`,
      `UPDATE model_versions SET run_id = NULL, source = 'models:/${id(2)}'`,
    );
    const context = runContext();
    const source = readMlflow(await openSqliteStore({ path }, context), context);
    const filters = [{ loggedModels: { statuses: ['READY'], names: { deny: ['m 3'] } } }];
    const kinds = new Set(RECORD_KINDS);
    const keys = [1, 2, 3].map((number) => loggedModelKey(id(number)));
    for (const since of [undefined, 0]) {
      const memory = new SweepMemory();
      memory.begin(since);
      const models: string[] = [];
      const needed = new Set<string | undefined>();
      const leftOut: string[] = [];
      for await (const page of source.read({ kinds, filters, memory })) {
        leftOut.push(...(page.leftOut ?? []));
        for (const record of page.records) {
          if (record.kind === 'loggedModel') models.push(record.model.modelId);
          if (record.kind === 'modelVersion') needed.add(record.loggedModel?.modelId);
        }
      }
      expect(models).toEqual([id(1)]);
      expect(leftOut.sort()).toEqual(keys.slice(1));
      expect([...needed]).toEqual([id(2)]);
    }
    expect(await source.findGone?.(keys)).toEqual(new Set(keys.slice(1)));
    await source.close();
  });

  it.each(['1.28.0', '2.22.5'] as const)('are none before MLflow 3: %s', async (version) => {
    const store = await openSqliteStore({ path: copyOf(version) }, runContext());
    expect(store.loggedModels).toBeUndefined();
    const key = loggedModelKey(id(1));
    expect((await store.findGone([key])).size).toBe(0);
    expect(await store.count()).not.toHaveProperty('loggedModels');
    await store.close();
  });
});

describe('logged models of a folder', () => {
  const meta = (number: number, more = ''): string =>
    [
      'artifact_location: s3://a',
      `creation_timestamp: ${number}000`,
      "experiment_id: '1'",
      `last_updated_timestamp: ${number}000`,
      `model_id: ${id(number)}`,
      "model_type: ''",
      `name: m ${number}`,
      'source_run_id: r',
      'status: 2',
      'status_message: null',
      more,
      '',
    ].join('\n');

  async function open() {
    const folder = new FileStoreFolder().experiment('1').write({
      [`1/models/${id(1)}/meta.yaml`]: meta(1),
      [`1/models/${id(1)}/params/depth/of tree`]: '3',
      [`1/models/${id(1)}/tags/team`]: 'core',
      [`1/models/${id(2)}/meta.yaml`]: meta(2),
      [`1/models/${id(2)}/metrics/f1`]:
        '0 0.0 0 ra\n9 1.125 9 ra\n4 0.5 4 ra\n2 0.25 2 rb test d\n1 0.5 1 rb test d\n',
      [`1/models/${id(3)}/meta.yaml`]: meta(3),
      [`1/models/${id(3)}/metrics/f1`]: 'not a metric\n',
      [`1/models/${id(4)}/meta.yaml`]: meta(4, 'lifecycle_stage: deleted'),
      '1/models/no-model/meta.yaml': 'a: b\n',
    });
    return openFileStore({ path: folder.path, runsPageSize: 1 }, runContext());
  }

  it('come one page after the other, and what is broken is rejected', async () => {
    const store = await open();
    const pages = await allOf(store, ['1']);
    expect(idsIn(pages)).toEqual([1, 2].map(id));
    expect(pages[0]?.items[0]).toMatchObject({
      params: [{ key: 'depth/of tree', value: '3' }],
      tags: [{ key: 'team', value: 'core' }],
    });
    expect(pages[1]?.items[0]?.metrics).toEqual(F1);
    expect(pages.flatMap(({ rejected }) => rejected)).toMatchObject([
      { code: 'MALFORMED_LOGGED_MODEL', identity: `logged model ${id(3)}` },
    ]);
    expect(idsIn(await allOf(store, ['1'], 2000))).toEqual([id(2)]);
    expect(idsIn(await allOf(store, ['2']))).toEqual([]);
    await store.close();
  });

  it('are found by their ids, and gone where they are deleted or unknown', async () => {
    const store = await open();
    const found = await store.loggedModels?.byId([id(2), id(4), '../../1', id(9)]);
    expect(found?.items.map(({ modelId }) => modelId)).toEqual([id(2)]);
    const keys = [1, 3, 4, 9].map((number) => loggedModelKey(id(number)));
    expect([...(await store.findGone(keys))]).toEqual(keys.slice(2));
    await store.close();
  });
});

describe('a broken logged model that a version was made from', () => {
  async function readWith(kinds: readonly RecordKind[], memory?: SweepMemory) {
    const folder = new FileStoreFolder()
      .experiment('1')
      .model('churn')
      .version('churn', 1, [`source: models:/${id(3)}`])
      .write({ [`1/models/${id(3)}/meta.yaml`]: 'model_id: [' });
    const context = runContext();
    const source = readMlflow(await openFileStore({ path: folder.path }, context), context);
    const records = [];
    const rejected = [];
    for await (const page of source.read({ kinds: new Set(kinds), ...(memory && { memory }) })) {
      records.push(...page.records);
      rejected.push(...page.rejected);
    }
    await source.close();
    const { warnings } = context.recorder.counts();
    return { versions: records.filter(({ kind }) => kind === 'modelVersion'), rejected, warnings };
  }
  const withoutThem = RECORD_KINDS.filter((kind) => !OPTIONAL_KINDS.has(kind));

  it.each([
    ['', undefined],
    [' where earlier sweeps are remembered', new SweepMemory()],
  ])('is a warning, and the version comes without it%s', async (_, memory) => {
    const { versions, rejected, warnings } = await readWith(withoutThem, memory);
    expect(versions).toMatchObject([{ version: { name: 'churn', version: '1' } }]);
    expect(versions[0]).not.toHaveProperty('loggedModel');
    expect(rejected).toEqual([]);
    expect(warnings).toMatchObject([
      { code: 'LOGGED_MODEL_NOT_READ', count: 1, examples: [`logged model ${id(3)}`] },
    ]);
  });

  it('is rejected once where logged models are read', async () => {
    const { rejected } = await readWith(RECORD_KINDS);
    expect(rejected).toMatchObject([
      { code: 'MALFORMED_LOGGED_MODEL', identity: `logged model ${id(3)}` },
    ]);
  });
});

describe('a logged model of a server', () => {
  const json = (metrics: readonly object[]) => ({
    info: {
      model_id: id(1),
      experiment_id: '1',
      name: 'm',
      status: 'LOGGED_MODEL_UPLOAD_FAILED',
      model_type: '',
    },
    data: { metrics },
  });

  it('has of each metric and dataset the last value, in whichever order they come', () => {
    const all = [
      { key: 'f1', value: 1, timestamp: 5, step: 2, run_id: 'b' },
      { key: 'f1', value: 1, timestamp: 5, step: 2, run_id: 'a' },
      { key: 'f1', value: 2, timestamp: 9, step: 1, run_id: 'c' },
      { key: 'f1', value: 'NaN', timestamp: 0, step: 0, run_id: 'c', dataset_name: 'x' },
      { key: 'a', value: 1, timestamp: 0, step: 0 },
    ];
    for (const metrics of [all, [...all].reverse()]) {
      const { item } = readItem(LOGGED_MODEL, json(metrics));
      expect(item).toMatchObject({ status: 'FAILED', params: [], tags: [] });
      expect(item).not.toHaveProperty('modelType');
      expect(item?.metrics.map(({ key, runId, datasetName }) => [key, runId, datasetName])).toEqual(
        [
          ['a', undefined, undefined],
          ['f1', 'a', undefined],
          ['f1', 'c', 'x'],
        ],
      );
    }
  });

  it('is rejected where it has no id', () => {
    const { rejection } = readItem(LOGGED_MODEL, { info: { experiment_id: '1', name: 'm' } });
    expect(rejection).toMatchObject({ code: 'MALFORMED_LOGGED_MODEL' });
  });
});

describe('what is read', () => {
  const kindsOf = (...operators: Parameters<typeof narrowedPlan>[0]): RecordKind[] => [
    ...narrowedPlan(operators, someServer).kinds,
  ];

  it('has logged models only where an operator asks for them', () => {
    const usual = RECORD_KINDS.filter((kind) => !OPTIONAL_KINDS.has(kind));
    expect(kindsOf(versionGate(), mapToProposals())).toEqual(usual);
    expect(kindsOf(versionGate(), mapToProposals({ loggedModels: true }))).toEqual([
      ...RECORD_KINDS,
    ]);
  });
});
