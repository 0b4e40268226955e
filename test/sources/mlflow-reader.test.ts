import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECORD_KINDS, type MlflowRecord, type RecordKind } from '../../src/mlflow/records.js';
import type { Experiment, ModelVersion, RegisteredModel, Run } from '../../src/mlflow/types.js';
import { readMlflow } from '../../src/sources/mlflow-reader.js';
import type { MlflowStore, StorePage } from '../../src/sources/store.js';
import type { RunContext } from '../../src/stream/contracts.js';
import { Recorder } from '../../src/stream/recorder.js';
import { silentLog, someServer } from '../support/memory.js';

interface Content {
  experiments: Experiment[];
  runs: Run[];
  models: RegisteredModel[];
  versions: ModelVersion[];
}

/** A store in memory that counts its requests, as a server would see them. */
function memoryStore(content: Content, pageSize: number) {
  const requests = { count: 0 };
  async function* paged<T>(all: readonly T[]): AsyncGenerator<StorePage<T>> {
    for (let at = 0; at === 0 || at < all.length; at += pageSize) {
      requests.count += 1;
      yield await Promise.resolve({ items: all.slice(at, at + pageSize), rejected: [] });
    }
  }
  const store: MlflowStore = {
    server: someServer,
    experiments: () => paged(content.experiments),
    runs: (ids) =>
      paged(
        content.runs.filter((r) => r.lifecycleStage === 'active' && ids.includes(r.experimentId)),
      ),
    registeredModels: () => paged(content.models),
    modelVersions: () => paged(content.versions),
    runsById: (ids) => {
      requests.count += 1;
      return Promise.resolve({
        items: content.runs.filter((run) => ids.includes(run.runId)),
        rejected: [],
      });
    },
    findGone: () => Promise.resolve(new Set()),
    count: () => Promise.resolve({ experiments: content.experiments.length, runs: 7 }),
    close: () => Promise.resolve(),
  };
  return { store, requests };
}

const experiment = (experimentId: string): Experiment => ({
  experimentId,
  name: `experiment ${experimentId}`,
  lifecycleStage: 'active',
  tags: [],
});

const run = (runId: string, more: Partial<Run> = {}): Run => ({
  runId,
  experimentId: '1',
  status: 'FINISHED',
  startTime: 1000,
  lifecycleStage: 'active',
  params: [],
  metrics: [],
  tags: [],
  datasetInputs: [],
  ...more,
});

const model = (name: string, more: Partial<RegisteredModel> = {}): RegisteredModel => ({
  name,
  creationTimestamp: 1,
  lastUpdatedTimestamp: 2,
  tags: [],
  aliases: [],
  ...more,
});

const version = (name: string, number: number, runId?: string): ModelVersion => ({
  name,
  version: String(number),
  currentStage: 'None',
  creationTimestamp: 1,
  lastUpdatedTimestamp: 2,
  status: 'READY',
  tags: [],
  aliases: [],
  ...(runId === undefined ? {} : { runId }),
});

const input = (name: string, sourceType = 'local', digest = 'd') => ({
  dataset: { name, digest, sourceType, source: '{}' },
  tags: [],
});

function context(): RunContext {
  return {
    runId: 'test',
    startedAt: 0,
    signal: new AbortController().signal,
    log: silentLog,
    recorder: new Recorder(),
    env: {},
    reject: () => undefined,
  };
}

async function readAll(
  store: MlflowStore,
  kinds: readonly RecordKind[] = RECORD_KINDS,
): Promise<MlflowRecord[]> {
  const source = readMlflow(store, context());
  const records: MlflowRecord[] = [];
  for await (const page of source.read({ kinds: new Set(kinds) })) records.push(...page.records);
  await source.close();
  return records;
}

function only<K extends RecordKind>(records: readonly MlflowRecord[], kind: K) {
  return records.filter(
    (record): record is Extract<MlflowRecord, { kind: K }> => record.kind === kind,
  );
}

const sample: Content = {
  experiments: [experiment('1'), experiment('2')],
  runs: [
    run('a'),
    run('b', { experimentId: '2' }),
    run('gone', { lifecycleStage: 'deleted' }),
    run('c'),
  ],
  models: [
    model('churn', {
      aliases: [
        { alias: 'champion', version: '2' },
        { alias: 'best', version: '2' },
      ],
    }),
    model('empty'),
  ],
  versions: [
    version('churn', 1, 'a'),
    version('churn', 2, 'a'),
    version('churn', 3, 'gone'),
    version('churn', 10),
    version('churn', 9, 'unknown'),
  ],
};

describe('readMlflow', () => {
  it('gives the server first, then everything once', async () => {
    const records = await readAll(memoryStore(sample, 2).store);
    expect(records[0]).toEqual({ kind: 'server', server: someServer });
    expect(only(records, 'server')).toHaveLength(1);
    expect(only(records, 'experiment').map((r) => r.experiment.experimentId)).toEqual(['1', '2']);
    expect(only(records, 'registeredModel').map((r) => r.model.name)).toEqual(['churn', 'empty']);
    expect(only(records, 'run').map((r) => r.run.runId)).toEqual(['a', 'b', 'c']);
  });

  it('gives a run its experiment’s name and all its versions, with their aliases', async () => {
    const records = await readAll(memoryStore(sample, 2).store);
    const [a, b] = only(records, 'run');
    expect(a?.experiment).toEqual({ experimentId: '1', name: 'experiment 1' });
    expect(b?.experiment.name).toBe('experiment 2');
    expect(a?.versions.map((v) => [v.version, v.aliases])).toEqual([
      ['1', []],
      ['2', ['best', 'champion']],
    ]);
  });

  it('gives each version once, with its run: deleted ones too, and none where there is none', async () => {
    const records = await readAll(memoryStore(sample, 2).store);
    expect(only(records, 'modelVersion').map((r) => [r.version.version, r.run?.runId])).toEqual([
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'gone'],
      ['9', undefined],
      ['10', undefined],
    ]);
  });

  it('does not ask for what the plan leaves out, and still finds the runs of versions', async () => {
    const { store, requests } = memoryStore(sample, 100);
    const records = await readAll(store, ['server', 'registeredModel', 'modelVersion']);
    expect(requests.count).toBe(3); // models, versions, the runs of versions
    expect(only(records, 'run')).toEqual([]);
    expect(only(records, 'modelVersion').map((r) => r.run?.runId)).toEqual([
      'a',
      'a',
      'gone',
      undefined,
      undefined,
    ]);
  });

  it('lets the latest run describe a dataset, whatever the order they come in', async () => {
    const { store } = memoryStore(
      {
        experiments: [experiment('1')],
        runs: [
          run('r2', { startTime: 20, datasetInputs: [input('iris', 'local', 'new')] }),
          run('r1', { startTime: 10, datasetInputs: [input('iris', 'local', 'old')] }),
          run('r3', { startTime: 15, datasetInputs: [input('iris', 's3'), input('wine')] }),
        ],
        models: [],
        versions: [],
      },
      1,
    );
    const datasets = only(await readAll(store), 'dataset');
    expect(
      datasets.map(({ name, uses }) => [name, uses.map((u) => [u.runId, u.input.dataset.digest])]),
    ).toEqual([
      [
        'iris',
        [
          ['r3', 'd'],
          ['r2', 'new'],
        ],
      ],
      ['wine', [['r3', 'd']]],
    ]);
  });

  it('warns of the runs of an experiment that could not be read', async () => {
    const { store } = memoryStore(sample, 2);
    const rejected = [
      { kind: 'record', code: 'X', message: '', identity: 'experiment 7', content: null } as const,
    ];
    async function* experiments() {
      yield await Promise.resolve({ items: [], rejected });
    }
    const run = context();
    const source = readMlflow({ ...store, experiments }, run);
    for await (const page of source.read({ kinds: new Set(RECORD_KINDS) }))
      expect(page).toBeDefined();
    await source.close();
    expect(run.recorder.counts().warnings).toEqual([
      expect.objectContaining({ code: 'RUNS_NOT_READ', examples: ['experiment 7'] }),
    ]);
  });

  it('asks for pages, not for entities', async () => {
    const runs = Array.from({ length: 500 }, (_, n) => run(`r${n}`));
    const { store, requests } = memoryStore(
      {
        experiments: [experiment('1')],
        runs,
        models: [model('m')],
        versions: runs.map(({ runId }, n) => version('m', n + 1, n % 2 === 0 ? runId : 'gone')),
      },
      100,
    );
    await readAll(store);
    expect(requests.count).toBe(1 + 5 + 1 + 5 + 1);
  });

  it('asks for nothing that no call of next() asked for', async () => {
    const { store, requests } = memoryStore(sample, 1);
    const source = readMlflow(store, context());
    const iterator = source.read({ kinds: new Set(RECORD_KINDS) })[Symbol.asyncIterator]();
    expect(requests.count).toBe(0);
    await iterator.next(); // the server, which is known
    expect(requests.count).toBe(0);
    await iterator.next();
    expect(requests.count).toBe(1);
    await iterator.return?.();
    await source.close();
  });

  it('can be read again', async () => {
    const source = readMlflow(memoryStore(sample, 2).store, context());
    const sweep = async () => {
      const records: MlflowRecord[] = [];
      for await (const page of source.read({ kinds: new Set(RECORD_KINDS) }))
        records.push(...page.records);
      return records;
    };
    expect(await sweep()).toEqual(await sweep());
    await source.close();
  });

  it('counts for a check only what the plan reads', async () => {
    const source = readMlflow(memoryStore(sample, 2).store, context());
    expect(await source.count({ kinds: new Set<RecordKind>(['experiment']) })).toEqual({
      experiment: 2,
    });
    await source.close();
  });

  it('gives every run and version exactly once, for any store and page size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ deleted: fc.boolean(), experiment: fc.constantFrom('1', '2') }), {
          maxLength: 20,
        }),
        fc.array(fc.option(fc.nat(25), { nil: undefined }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        async (runs, versionRuns, pageSize) => {
          const content: Content = {
            experiments: [experiment('1'), experiment('2')],
            runs: runs.map(({ deleted, experiment: experimentId }, n) =>
              run(`r${n}`, { experimentId, lifecycleStage: deleted ? 'deleted' : 'active' }),
            ),
            models: [model('m')],
            versions: versionRuns.map((n, at) =>
              version('m', at + 1, n === undefined ? undefined : `r${n}`),
            ),
          };
          const records = await readAll(memoryStore(content, pageSize).store);
          expect(
            only(records, 'run')
              .map((r) => r.run.runId)
              .sort(),
          ).toEqual(
            content.runs
              .filter((r) => r.lifecycleStage === 'active')
              .map((r) => r.runId)
              .sort(),
          );
          expect(
            only(records, 'modelVersion')
              .map((r) => Number(r.version.version))
              .sort((a, b) => a - b),
          ).toEqual(versionRuns.map((_, at) => at + 1));
          for (const { version: v, run: r } of only(records, 'modelVersion')) {
            const known = content.runs.some(({ runId }) => runId === v.runId);
            expect(r?.runId).toBe(known ? v.runId : undefined);
          }
          const linked = only(records, 'run').flatMap((r) => r.versions.map((v) => v.version));
          expect(new Set(linked).size).toBe(linked.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});
