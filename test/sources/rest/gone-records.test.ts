import { describe, expect, it } from 'vitest';
import {
  experimentKey,
  modelKey,
  runKey,
  versionKey,
  type RecordKey,
} from '../../../src/mlflow/record-key.js';
import { openRestStore } from '../../../src/sources/rest/rest-store.js';
import {
  DELETED_RUN_ID,
  sampleContent,
  sampleRunId,
  type Fault,
  type Flavour,
  type ServerContent,
} from '../../support/mlflow-server.js';
import { failureOf, startServer } from '../../mlflow/open-client.js';
import { openStore, testContext } from './open-store.js';

const FLAVOURS: Flavour[] = ['1.27.0', '1.28.0', '2.22.5', '3.17.2'];

/** Everything that is there: three experiments with four runs each, two models with three versions. */
const THERE: readonly RecordKey[] = [
  ...['1', '2', '3'].map((id) => experimentKey(id)),
  ...Array.from({ length: 12 }, (_, index) => runKey(sampleRunId(index))),
  ...['model 1', 'model 2'].map((name) => modelKey(name)),
  ...['model 1', 'model 2'].flatMap((name) => ['1', '2', '3'].map((one) => versionKey(name, one))),
];

/** Takes a record of each kind away, in each of the ways that there are. */
function withLosses(): { content: ServerContent; gone: readonly RecordKey[] } {
  const content = sampleContent();
  const [first] = content.experiments;
  // Its runs are not marked, as in a store of files.
  if (first !== undefined) first.lifecycle_stage = 'deleted';
  const deleted = content.runs[5];
  if (deleted !== undefined) deleted.info.lifecycle_stage = 'deleted';
  content.runs = content.runs.filter(({ info }) => info.run_id !== sampleRunId(6));
  content.registeredModels = content.registeredModels.filter(({ name }) => name !== 'model 2');
  content.modelVersions = content.modelVersions.filter(({ name }) => name !== 'model 2');
  const version = content.modelVersions.find((one) => one.version === '2');
  if (version !== undefined) version.current_stage = 'Deleted_Internal';
  const gone: RecordKey[] = [
    ...['1', '4', '424242'].map((id) => experimentKey(id)),
    ...[0, 1, 2, 3, 5, 6].map((index) => runKey(sampleRunId(index))),
    runKey(DELETED_RUN_ID),
    runKey("no run's id"),
    modelKey('model 2'),
    modelKey('none, & never'),
    versionKey('model 1', '2'),
    versionKey('model 1', '77'),
    ...['1', '2', '3'].map((one) => versionKey('model 2', one)),
  ];
  return { content, gone };
}

describe.each(FLAVOURS)('what is gone from a server like %s', (flavour) => {
  it('is nothing of what is there', async () => {
    const { store, server } = await openStore({ flavour });
    expect(await store.findGone(THERE)).toEqual(new Set());
    const before = server.requests.length;
    expect(await store.findGone([])).toEqual(new Set());
    expect(server.requests.length).toBe(before);
  });

  it('is what is deleted or not known, and runs of deleted experiments', async () => {
    const { content, gone } = withLosses();
    const { store, context } = await openStore({ flavour, content });
    expect(await store.findGone([...THERE, ...gone])).toEqual(new Set(gone));
    expect(context.recorder.counts().warnings).toEqual([]);
  });

  it('is nothing that permissions hide', async () => {
    const { content } = withLosses();
    const { store, context } = await openStore({ flavour, content, hides: () => true });
    const hidden = THERE.filter(
      (key) => !/ 1 | 2$|model 2|version 2/.test(key) && key !== runKey(sampleRunId(6)),
    );
    const active = hidden.filter((key) => key !== 'experiment 1');
    expect(active.length).toBeGreaterThan(10);
    expect(await store.findGone(active)).toEqual(new Set());
    expect(context.recorder.counts().warnings).toMatchObject([{ code: 'GONE_NOT_CONFIRMED' }]);
  });
});

describe('asking what is gone', () => {
  const answering =
    (fault: Fault) =>
    ({ endpoint }: { endpoint: string }): Fault | undefined =>
      endpoint.endsWith('/get') || endpoint.endsWith('/search') ? fault : undefined;

  const lost: readonly RecordKey[] = [
    'experiment 77',
    'run 0123',
    modelKey('nobody'),
    versionKey('nobody', '1'),
    versionKey('nobody', '2'),
  ];

  it.each<[string, Fault]>([
    ['403', { kind: 'status', status: 403, body: 'Permission denied' }],
    ['401', { kind: 'status', status: 401 }],
    ['500', { kind: 'status', status: 500 }],
    ['a 404 of a proxy', { kind: 'status', status: 404, body: '<html>Not Found</html>' }],
    [
      'a 404 of an unknown endpoint',
      { kind: 'status', status: 404, body: { error_code: 'ENDPOINT_NOT_FOUND', message: 'x' } },
    ],
    [
      'a parameter that was lost',
      {
        kind: 'status',
        status: 400,
        body: {
          error_code: 'INVALID_PARAMETER_VALUE',
          message: "Missing value for required parameter 'run_id'",
        },
      },
    ],
    ['a sign-on page', { kind: 'html' }],
    ['an empty object', { kind: 'json', body: {} }],
    ['another shape', { kind: 'json', body: { run: { info: null }, experiment: [], runs: 7 } }],
    ['a broken connection', { kind: 'drop' }],
  ])('takes %s for no answer', async (_, fault) => {
    let asking = false;
    const { store } = await openStore({
      faults: (request) => (asking ? answering(fault)(request) : undefined),
    });
    asking = true;
    expect(await store.findGone(lost)).toEqual(new Set());
    asking = false;
  });

  it('tells them again once the server answers', async () => {
    let failing = true;
    const { store } = await openStore({
      faults: ({ endpoint }) =>
        failing && endpoint === 'registered-models/get'
          ? { kind: 'status', status: 503 }
          : undefined,
    });
    expect(await store.findGone([modelKey('nobody')])).toEqual(new Set());
    failing = false;
    expect(await store.findGone([modelKey('nobody')])).toEqual(new Set([modelKey('nobody')]));
  });

  it('gives up on a server that answers nothing', async () => {
    const { store, asked } = await openStore(
      { faults: ({ endpoint }) => (endpoint === 'runs/get' ? { kind: 'drop' } : undefined) },
      { retries: 0, concurrency: 1 },
    );
    const runs = Array.from({ length: 50 }, (_, at) => runKey(`lost${at}`));
    expect(await store.findGone([...runs, 'experiment 77'])).toEqual(new Set(['experiment 77']));
    expect(asked('runs/get')).toHaveLength(3);
    await store.findGone(runs);
    expect(asked('runs/get')).toHaveLength(3);
  });

  it('does not take an active experiment for a deleted one where the view is ignored', async () => {
    const { store } = await openStore({
      faults: ({ endpoint, body }) =>
        endpoint === 'experiments/search' && body['view_type'] === 'DELETED_ONLY'
          ? {
              kind: 'json',
              body: { experiments: sampleContent().experiments.slice(0, 3) },
            }
          : undefined,
    });
    expect(await store.findGone(['experiment 1', 'experiment 2'])).toEqual(new Set());
  });

  it('costs a few searches where much is gone, and bounded requests at a time', async () => {
    const content = sampleContent({
      experiments: 60,
      runsPerExperiment: 5,
      models: 1,
      versionsPerModel: 100,
    });
    const keys: RecordKey[] = [];
    for (const one of content.experiments.slice(0, 50)) {
      one.lifecycle_stage = 'deleted';
      keys.push(experimentKey(one.experiment_id));
    }
    for (const { info } of content.runs.slice(0, 250)) {
      info.lifecycle_stage = 'deleted';
      keys.push(runKey(info.run_id));
    }
    for (const one of content.modelVersions) keys.push(versionKey(one.name, one.version));
    content.registeredModels = [];
    content.modelVersions = [];
    const { store, server, asked } = await openStore({ content }, { concurrency: 3 });
    const before = server.requests.length;
    expect(await store.findGone(keys)).toEqual(new Set(keys));
    // Deleted experiments, all experiments, runs by their ids (2.22 has an empty page behind a full
    // one), the model.
    expect(server.requests.length - before).toBe(5);
    const unknown = Array.from({ length: 40 }, (_, at) => runKey(`${at}`.padStart(32, 'e')));
    expect(await store.findGone(unknown)).toEqual(new Set(unknown));
    expect(asked('runs/get')).toHaveLength(40);
    expect(server.peakConcurrency).toBeLessThanOrEqual(3);
  });

  it('ends with the reason of an abort', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const server = await startServer({
      faults: ({ endpoint }) => {
        if (endpoint !== 'registered-models/get') return undefined;
        setImmediate(() => {
          controller.abort(reason);
        });
        return { kind: 'silence' };
      },
    });
    const store = await openRestStore(
      { uri: server.uri },
      testContext({ signal: controller.signal }),
    );
    expect(await failureOf(store.findGone([modelKey('model 1')]))).toBe(reason);
    await store.close();
  });
});
