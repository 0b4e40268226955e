import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import {
  DELETED_RUN_ID,
  sampleContent,
  sampleRunId,
  type ServerContent,
} from '../../support/mlflow-server.js';
import { opened, recordsOf } from './reading.js';

const id = (number: number): string => `m-${number.toString(16).padStart(32, '0')}`;

/** Ten logged models, five in each of two experiments, made one after the other. */
function content(): ServerContent {
  const loggedModels = Array.from({ length: 10 }, (_, index) => ({
    info: {
      model_id: id(index + 1),
      experiment_id: String((index % 2) + 1),
      name: `model ${index + 1}`,
      creation_timestamp_ms: (index + 1) * 1_000,
      status: 'LOGGED_MODEL_READY',
      ...(index === 0 ? { source_run_id: sampleRunId(0) } : {}),
    },
    data: { params: [{ key: 'n', value: String(index + 1) }] },
  }));
  return { ...sampleContent({ experiments: 2 }), loggedModels };
}

const modelsIn = (records: readonly MlflowRecord[]) =>
  records.flatMap((record) => (record.kind === 'loggedModel' ? [record] : []));

const SETTING = { flavour: '3.17.2', runsPageSize: 3 } as const;

describe('logged models of a server', () => {
  it('come once each, with their experiments, a page at a time', async () => {
    const { pages, requestsOf } = await opened(content(), SETTING);
    let records: MlflowRecord[] = [];
    const requests = await requestsOf(async () => {
      records = await recordsOf(pages());
    });
    const models = modelsIn(records);
    expect(models.map(({ model }) => model.modelId).sort()).toEqual(
      Array.from({ length: 10 }, (_, index) => id(index + 1)),
    );
    expect(models.map(({ experiment }) => experiment.name)).toContain('experiment 2');
    const searches = requests.filter(({ endpoint }) => endpoint === 'logged-models/search');
    expect(searches).toHaveLength(4);
  });

  it('are not asked for where nobody wants them, nor is a server of before MLflow 3', async () => {
    for (const setting of [
      { ...SETTING, kinds: new Set(['server', 'experiment', 'run', 'modelVersion'] as const) },
      { ...SETTING, flavour: '2.22.5' as const },
    ]) {
      const { pages, requestsOf } = await opened(content(), setting);
      const requests = await requestsOf(async () => {
        expect(modelsIn(await recordsOf(pages()))).toEqual([]);
      });
      expect(requests.map(({ endpoint }) => endpoint)).not.toContain('logged-models/search');
    }
  });

  it('say what versions without a run were made with, and by which run', async () => {
    const all = content();
    const version = (number: string, model: number, runId = '') => ({
      name: 'model 1',
      version: number,
      source: `models:/${id(model)}`,
      run_id: runId,
    });
    all.modelVersions = [
      version('1', 1),
      version('2', 2),
      version('3', 3, sampleRunId(1)),
      version('4', 4, 'f'.repeat(32)),
      version('5', 5, DELETED_RUN_ID),
      { ...version('6', 6), source: 's3://elsewhere' },
      version('7', 99),
    ];
    const { pages } = await opened(all, SETTING);
    const found = (await recordsOf(pages())).flatMap((record) =>
      record.kind === 'modelVersion'
        ? [[record.version.version, record.run?.runId, record.loggedModel?.modelId]]
        : [],
    );
    expect(found.sort()).toEqual([
      ['1', sampleRunId(0), id(1)],
      ['2', undefined, id(2)],
      ['3', sampleRunId(1), undefined],
      ['4', undefined, id(4)],
      ['5', DELETED_RUN_ID, undefined],
      ['6', undefined, undefined],
      ['7', undefined, undefined],
    ]);
  });

  it('are passed over where the sweep has delivered them before it broke off', async () => {
    const { pages, skipped } = await opened(content(), SETTING);
    const memory = new SweepMemory();
    memory.begin();
    const records = await recordsOf(pages());
    memory.confirm({ records: modelsIn(records).slice(0, 4), rejected: [] });
    const again = modelsIn(await recordsOf(pages(memory)));
    expect(again).toEqual(modelsIn(records).slice(4));
    expect(skipped()['loggedModel: delivered before the sweep broke off']).toBe(4);
  });

  it('are read by a lookback as far as they were made since, all those of a new experiment', async () => {
    const all = content();
    const { pages } = await opened(all, SETTING);
    const memory = new SweepMemory();
    memory.begin();
    await memory.deliver(pages(memory));
    memory.complete();
    memory.begin(5_000);
    const third = { ...all.experiments[0], experiment_id: '9', name: 'new' };
    all.experiments.push(third);
    all.loggedModels?.push({ info: { model_id: id(11), experiment_id: '9', name: 'old' } });
    const found = modelsIn(await recordsOf(pages(memory))).map(({ model }) => model.modelId);
    expect(found.sort()).toEqual([5, 6, 7, 8, 9, 10, 11].map(id));
  });
});
