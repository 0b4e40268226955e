import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { experimentKey, modelKey, runKey, versionKey } from '../../../src/mlflow/record-key.js';
import { openFileStore } from '../../../src/sources/file-store/file-store.js';
import type { FileStoreOptions } from '../../../src/sources/file-store/options.js';
import type { MlflowStore } from '../../../src/sources/store.js';
import type { RunContext } from '../../../src/stream/contracts.js';
import { runContext } from '../../../src/testing/run-context.js';
import { FileStoreFolder, runId } from '../../support/file-store.js';
import { collect, readAll } from '../sqlite/reading.js';

async function open(
  { path }: FileStoreFolder,
  options: Partial<FileStoreOptions> = {},
  context: RunContext = runContext(),
): Promise<MlflowStore> {
  const store = await openFileStore({ path, ...options }, context);
  onTestFinished(() => store.close());
  return store;
}

/** In its place something that nobody can read, not even root, who lacks no permission. */
function makeUnreadable(path: string): void {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(basename(path), path);
}

describe('a folder of MLflow', () => {
  it('gives experiments, runs, models and versions', async () => {
    const folder = new FileStoreFolder()
      .experiment('0', [], { 'tags/mlflow.note.content': 'Line\r\none ☕', 'tags/a/b': '' })
      .run('0', runId(1), ['run_name: first'], {
        'params/depth': '3',
        'params/a/b c': 'with\nlines\n',
        'metrics/loss': '1 0.5 1\n3 0.25 2\n2 0.75 2\n',
        'metrics/deep/nan': '1 nan\n',
        'tags/mlflow.user': 'ada',
        'inputs/i1/meta.yaml':
          'source_type: DATASET\nsource_id: d1\ntags:\n  mlflow.data.context: training\n',
        'inputs/m1/meta.yaml': 'source_type: MODEL\nsource_id: m-1\ntags: {}\n',
        'inputs/i2/meta.yaml': 'source_type: DATASET\nsource_id: none\ntags: {}\n',
      })
      .write({
        '0/datasets/d1/meta.yaml':
          "digest: 12345e67\nname: table\nprofile: null\nschema: '{}'\nsource: '{}'\nsource_type: s3\n",
        '0/models/m-1/meta.yaml': 'model_id: m-1\n',
        '0/traces/t/trace_info.yaml': '',
        '0/evaluations/table.json': '[]',
      })
      .model('churn', { 'tags/owner': 'ada', 'aliases/champion': '2', 'aliases/fresh': '' })
      .version('churn', 2, [`run_id: ${runId(1)}`], { 'tags/a': 'b' })
      .version('churn', 10, ['current_stage: Staging'])
      .version('churn', 11, ['current_stage: Deleted_Internal'])
      .model('prompt', { 'tags/mlflow.prompt.is_prompt': 'true' })
      .version('prompt', 1, [], { 'tags/mlflow.prompt.is_prompt': 'true' });
    const store = await open(folder);
    expect(store.server.uri).toBe(`file://${folder.path}`);
    const all = await readAll(store);
    expect(all.rejected).toEqual([]);
    expect(all.experiments).toEqual([
      {
        experimentId: '0',
        name: 'experiment 0',
        artifactLocation: 'file:///artifacts/0',
        lifecycleStage: 'active',
        creationTime: 1700000000000,
        lastUpdateTime: 1700000000000,
        tags: [
          { key: 'a/b', value: '' },
          { key: 'mlflow.note.content', value: 'Line\r\none ☕' },
        ],
      },
    ]);
    expect(all.runs).toEqual([
      {
        runId: runId(1),
        experimentId: '0',
        runName: 'first',
        userId: 'ada',
        status: 'FINISHED',
        startTime: 1700000000000,
        endTime: 1700000060000,
        lifecycleStage: 'active',
        artifactUri: `file:///artifacts/0/${runId(1)}`,
        params: [
          { key: 'a/b c', value: 'with\nlines\n' },
          { key: 'depth', value: '3' },
        ],
        metrics: [
          { key: 'deep/nan', value: NaN, timestamp: 1, step: 0 },
          { key: 'loss', value: 0.25, timestamp: 3, step: 2 },
        ],
        tags: [{ key: 'mlflow.user', value: 'ada' }],
        datasetInputs: [
          {
            dataset: {
              name: 'table',
              digest: '12345e67',
              sourceType: 's3',
              source: '{}',
              schema: '{}',
            },
            tags: [{ key: 'mlflow.data.context', value: 'training' }],
          },
        ],
      },
    ]);
    expect(all.registeredModels).toMatchObject([
      {
        name: 'churn',
        latestVersion: '10',
        tags: [{ key: 'owner', value: 'ada' }],
        aliases: [{ alias: 'champion', version: '2' }],
      },
    ]);
    expect(all.modelVersions).toMatchObject([
      { version: '2', runId: runId(1), tags: [{ key: 'a', value: 'b' }] },
      { version: '10', currentStage: 'Staging' },
    ]);
  });

  it('takes what MLflow 1.28 and older wrote: no times, names in tags, ids as numbers', async () => {
    const folder = new FileStoreFolder()
      .write({ '0/meta.yaml': 'experiment_id: 0\nlifecycle_stage: active\nname: 0123\n' })
      .run('0', runId(1), ["name: ''", 'experiment_id: 0', 'end_time: null', 'status: 1'], {
        'tags/mlflow.runName': 'named by its tag',
      });
    const { experiments, runs, rejected } = await readAll(await open(folder));
    expect(rejected).toEqual([]);
    expect(experiments).toEqual([
      { experimentId: '0', name: '0123', lifecycleStage: 'active', tags: [] },
    ]);
    expect(runs).toMatchObject([{ runName: 'named by its tag', status: 'RUNNING' }]);
    expect(runs[0]).not.toHaveProperty('endTime');
  });

  it('leaves out what is deleted, is a copy, or is hidden', async () => {
    const folder = new FileStoreFolder()
      .experiment('0')
      .experiment('1', ['lifecycle_stage: deleted'])
      .run('0', runId(1), ['lifecycle_stage: deleted'])
      .run('0', runId(2))
      .experiment('.trash/5')
      .write({ '.git/meta.yaml': 'name: none' });
    const { experiments, runs, rejected } = await readAll(await open(folder));
    expect(experiments.map(({ experimentId }) => experimentId)).toEqual(['0']);
    expect(runs.map((run) => run.runId)).toEqual([runId(2)]);
    expect(rejected).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['cut off', "name: 'half"],
    ['no mapping', '- 1\n- 2\n'],
    ['of one program only', 'name: !!python/object:os.system {}\n'],
    ['of another folder', "run_id: '77'\nexperiment_id: '77'\nname: x\nversion: 7\n"],
    ['a million aliases', `a: &a [x,x]\n${bomb()}`],
  ])('tells a meta.yaml that is %s, and reads the rest', async (_, text) => {
    const folder = new FileStoreFolder().experiment('0').experiment('1').experiment('2');
    for (const id of [1, 2, 3]) folder.run('0', runId(id));
    folder.model('a').version('a', 1).version('a', 2).model('b');
    folder.write({
      '1/meta.yaml': text,
      [`0/${runId(2)}/meta.yaml`]: text,
      'models/a/version-1/meta.yaml': text,
      'models/b/meta.yaml': text,
    });
    const all = await readAll(await open(folder));
    expect(all.experiments.map(({ experimentId }) => experimentId)).toEqual(['0', '2']);
    expect(all.runs.map((run) => run.runId)).toEqual([runId(1), runId(3)]);
    expect(all.modelVersions.map(({ version }) => version)).toEqual(['2']);
    expect(all.rejected).toMatchObject([
      { code: 'MALFORMED_EXPERIMENT', identity: 'experiment 1' },
      { code: 'MALFORMED_RUN', identity: `run ${runId(2)}` },
      { code: 'MALFORMED_REGISTERED_MODEL', identity: 'registered model b' },
      { code: 'MALFORMED_MODEL_VERSION', identity: 'model version a version 1' },
    ]);
    for (const { message } of all.rejected) expect(message).toContain('meta.yaml: ');
  });

  it('tells a run whose metric, status or time is none', async () => {
    const folder = new FileStoreFolder()
      .experiment('0')
      .run('0', runId(1), [], { 'metrics/loss': '1 0.5 1\nnot a number\n' })
      .run('0', runId(2), ['status: 9'])
      .run('0', runId(3), ['start_time: soon'])
      .run('0', runId(4), [], { 'metrics/empty': '', 'metrics/half written': '1 0.5 1\n17' });
    const { runs, rejected } = await readAll(await open(folder));
    expect(runs.map(({ metrics }) => metrics)).toEqual([
      [{ key: 'half written', value: 0.5, timestamp: 1, step: 1 }],
    ]);
    expect(rejected.map(({ message }) => message)).toEqual([
      expect.stringContaining('loss: not a metric: not a number'),
      expect.stringContaining('its status is none of 1 to 5'),
      expect.stringContaining('start_time should be a whole number'),
    ]);
  });

  it('tells what it is not let read', async () => {
    const folder = new FileStoreFolder().experiment('0').experiment('1').run('0', runId(1));
    makeUnreadable(join(folder.path, '1/meta.yaml'));
    makeUnreadable(join(folder.path, '0', runId(1), 'params'));
    const { experiments, rejected } = await readAll(await open(folder));
    expect(experiments).toHaveLength(1);
    expect(rejected.map(({ identity }) => identity)).toEqual(['experiment 1', `run ${runId(1)}`]);
  });

  it('waits for no pipe under the name of a file', async () => {
    const folder = new FileStoreFolder().experiment('0').experiment('1');
    rmSync(join(folder.path, '1/meta.yaml'));
    execFileSync('mkfifo', [join(folder.path, '1/meta.yaml')]);
    const { experiments, rejected } = await readAll(await open(folder));
    expect(experiments).toHaveLength(1);
    expect(rejected).toMatchObject([{ identity: 'experiment 1' }]);
  });

  it('takes no file of more than 16 MiB', async () => {
    const limit = 16 * 1024 * 1024;
    const folder = new FileStoreFolder()
      .experiment('0')
      .run('0', runId(1), [], { 'params/largest': 'x'.repeat(limit) })
      .run('0', runId(2), [], { 'params/larger': 'x'.repeat(limit + 1) });
    const { runs, rejected } = await readAll(await open(folder));
    expect(runs[0]?.params[0]?.value).toHaveLength(limit);
    expect(rejected).toMatchObject([{ identity: `run ${runId(2)}` }]);
  });

  it('follows links as MLflow does, and none in a circle', async () => {
    const folder = new FileStoreFolder().experiment('0').run('0', runId(1));
    const elsewhere = new FileStoreFolder().experiment('7').run('7', runId(2));
    symlinkSync(join(elsewhere.path, '7'), join(folder.path, '7'));
    symlinkSync('..', join(folder.path, '0', runId(1), 'params', 'loop'));
    symlinkSync('nowhere', join(folder.path, '0', runId(1), 'params', 'dangling'));
    const { runs, rejected } = await readAll(await open(folder));
    expect(runs.map((run) => run.runId)).toEqual([runId(1), runId(2)]);
    expect(runs[0]?.params).toEqual([]);
    expect(rejected).toEqual([]);
  });

  it('finds runs by id, deleted ones and those of deleted experiments too', async () => {
    const folder = new FileStoreFolder()
      .experiment('0')
      .run('0', runId(1), ['lifecycle_stage: deleted'])
      .experiment('.trash/5', ["experiment_id: '5'", 'lifecycle_stage: deleted'])
      .run('.trash/5', runId(2), ["experiment_id: '5'"]);
    // More than are listed for two.
    for (let id = 1000; id < 1300; id += 1) folder.run('0', runId(id));
    const store = await open(folder);
    const ids = [runId(1), runId(2), runId(1100), runId(9), '../0', 'tags'];
    const { items, rejected } = await store.runsById(ids);
    expect(items.map((run) => run.runId).sort()).toEqual([runId(1), runId(2), runId(1100)]);
    expect(items.map(({ lifecycleStage }) => lifecycleStage)).toContain('deleted');
    expect(rejected).toEqual([]);
  });

  it('says what is gone, and nothing of what it can not read or where the store itself is gone', async () => {
    const folder = new FileStoreFolder()
      .experiment('0')
      .experiment('1', ['lifecycle_stage: deleted'])
      .experiment('.trash/5')
      .run('0', runId(1), ['lifecycle_stage: deleted'])
      .run('0', runId(2))
      .run('1', runId(3))
      .run('0', runId(4))
      .model('a')
      .version('a', 1)
      .version('a', 2, ['current_stage: Deleted_Internal']);
    folder.write({ [`0/${runId(4)}/meta.yaml`]: 'x: [' });
    const store = await open(folder);
    const there = [
      experimentKey('0'),
      runKey(runId(2)),
      runKey(runId(4)),
      runKey('../x'),
      modelKey('a'),
      modelKey('a/../b'),
      versionKey('a', '1'),
    ];
    const gone = [
      experimentKey('1'),
      experimentKey('5'),
      experimentKey('77'),
      runKey(runId(1)),
      runKey(runId(3)),
      runKey(runId(9)),
      modelKey('b'),
      versionKey('a', '2'),
      versionKey('a', '3'),
      versionKey('b', '1'),
    ];
    expect(await store.findGone([...there, ...gone])).toEqual(new Set(gone));
    for (const name of ['0', '1', '.trash', 'models']) folder.remove(name);
    expect(await store.findGone([...there, ...gone])).toEqual(new Set());
  });

  it('goes on behind a position, and reads the runs since a time', async () => {
    const folder = new FileStoreFolder().experiment('0').experiment('1');
    for (let id = 1; id <= 30; id += 1) {
      folder.run(id % 3 === 0 ? '1' : '0', runId(id), [`start_time: ${id}`]);
    }
    const store = await open(folder, { runsPageSize: 4 });
    const ids = ['0', '1'];
    const whole = (await collect(store.runs(ids))).map((run) => run.runId);
    expect(new Set(whole).size).toBe(30);
    for (const since of [undefined, 11]) {
      const selection = since === undefined ? {} : { since };
      const wanted = whole.filter((id) => parseInt(id, 16) >= (since ?? 0));
      const read: string[] = [];
      for await (const { items, position } of store.runs(ids, selection)) {
        read.push(...items.map((run) => run.runId));
        const positions = new Map([[position?.lane ?? '', position?.value ?? '']]);
        const rest = await collect(store.runs(ids, { ...selection, positions }));
        expect([...read, ...rest.map((run) => run.runId)]).toEqual(wanted);
        // Other experiments: from the start.
        const others = await collect(store.runs(['1'], { ...selection, positions }));
        expect(others).toHaveLength(wanted.filter((id) => parseInt(id, 16) % 3 === 0).length);
      }
      expect(read).toEqual(wanted);
    }
    expect(
      await collect(store.runs(ids, { positions: new Map([['runs', '{"x":']]) })),
    ).toHaveLength(30);
  });

  it('leaves out what vanishes while it is read, and is told when the store does', async () => {
    const folder = new FileStoreFolder().experiment('0').experiment('1');
    for (const id of [1, 2, 3]) folder.run('0', runId(id)).run('1', runId(id + 10));
    const store = await open(folder, { runsPageSize: 1 });
    const pages = store.runs(['0', '1'])[Symbol.asyncIterator]();
    await pages.next();
    folder.remove(`0/${runId(2)}`).remove('1');
    expect((await pages.next()).value).toMatchObject({ items: [{ runId: runId(3) }] });
    expect(await pages.next()).toEqual({ value: undefined, done: true });
    const again = store.runs(['0', '1'])[Symbol.asyncIterator]();
    await again.next();
    folder.remove('');
    await expect(
      (async () => {
        while ((await again.next()).done !== true);
      })(),
    ).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    folder.folder('');
  });

  it('has no more files open than it may, and ends when it is called off', async () => {
    const folder = new FileStoreFolder().experiment('0');
    for (let id = 1; id <= 20; id += 1) folder.run('0', runId(id), [], { 'params/a': '1' });
    const one = await open(folder, { maxOpenFiles: 1 });
    expect((await readAll(one)).runs).toHaveLength(20);
    const controller = new AbortController();
    const store = await open(folder, {}, runContext({ signal: controller.signal }));
    controller.abort(new Error('called off'));
    await expect(collect(store.runs(['0']))).rejects.toThrow('called off');
  });
});

describe('what is no folder of MLflow', () => {
  it.each([
    ['nowhere', 'SOURCE_NOT_FOUND', 'does not exist'],
    ['file', 'SOURCE_NOT_MLFLOW', 'is a file and no folder'],
    ['artifacts', 'SOURCE_NOT_MLFLOW', 'has no experiment in it'],
    ['file/in a file', 'SOURCE_NOT_FOUND', 'does not exist'],
  ])('%s: %s', async (name, code, message) => {
    const { path } = new FileStoreFolder().write({ file: '', 'artifacts/0/abc/model.pkl': '' });
    const opening = openFileStore({ path: join(path, name) }, runContext());
    await expect(opening).rejects.toMatchObject({ code, category: 'unavailable' });
    await expect(opening).rejects.toThrow(message);
  });

  it('one that it is not let read', async () => {
    const folder = new FileStoreFolder().experiment('0');
    makeUnreadable(folder.path);
    await expect(openFileStore({ path: folder.path }, runContext())).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    });
  });
});

/** Lists of lists, each of which names the one before ten times. */
function bomb(): string {
  return 'bcdefg'
    .split('')
    .map(
      (key, index) =>
        `${key}: &${key} [${Array(10)
          .fill(`*${'abcdefg'.charAt(index)}`)
          .join(',')}]`,
    )
    .join('\n');
}
