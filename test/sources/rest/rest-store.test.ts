import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DELETED_RUN_ID,
  sampleContent,
  sampleRunId,
  type Fault,
  type Flavour,
  type LoggedRequest,
} from '../../support/mlflow-server.js';
import { failureOf, startServer } from '../../mlflow/open-client.js';
import type { Run } from '../../../src/mlflow/types.js';
import type { StorePage } from '../../../src/sources/store.js';
import { openRestStore } from '../../../src/sources/rest/rest-store.js';
import { collect, openStore, testContext } from './open-store.js';

const FLAVOURS: Flavour[] = ['1.27.0', '1.28.0', '2.22.5', '3.17.2'];
const SEARCHING = FLAVOURS.slice(1);

describe.each(FLAVOURS)('a server like %s', (flavour) => {
  const modern = !flavour.startsWith('1.');

  it('gives its runs, the same through all versions', async () => {
    const { store, context } = await openStore({ flavour }, { runsPageSize: 2 });
    const { items, rejected } = await collect(store.runs(['1', '2', '3', '4']));
    expect(rejected).toEqual([]);
    expect(items.map(({ runId }) => runId).sort()).toEqual(
      Array.from({ length: 12 }, (_, index) => sampleRunId(index)),
    );
    const second = items.find(({ runId }) => runId === sampleRunId(1));
    expect(second).toMatchObject({
      runName: 'run 1',
      experimentId: '1',
      status: 'FAILED',
      params: [
        { key: '__proto__', value: 'data' },
        { key: 'lr', value: '0.01' },
      ],
      datasetInputs: modern ? [{ dataset: { name: 'dataset 1' } }] : [],
    });
    expect(context.recorder.counts().skipped).toEqual({});
  });

  it('gives its models and versions in order', async () => {
    const content = sampleContent({ models: 3, versionsPerModel: 11 });
    const { store } = await openStore(
      { flavour, content },
      { modelsPageSize: 2, versionsPageSize: 4 },
    );
    const models = await collect(store.registeredModels());
    expect(models.items.map(({ name, latestVersion }) => [name, latestVersion])).toEqual([
      ['model 1', '11'],
      ['model 2', '11'],
      ['model 3', '11'],
    ]);
    expect(models.items[0]?.aliases).toEqual(modern ? [{ alias: 'champion', version: '11' }] : []);
    const versions = await collect(store.modelVersions());
    expect(versions.items.map(({ name, version }) => `${name}/${version}`)).toEqual(
      [1, 2, 3].flatMap((model) =>
        Array.from({ length: 11 }, (_, index) => `model ${model}/${index + 1}`),
      ),
    );
    expect(Math.max(...versions.pages.map(({ items }) => items.length))).toBe(4);
  });

  it('gives runs by id, deleted ones too, and leaves out what it does not know', async () => {
    const { store, asked } = await openStore({ flavour });
    const ids = [DELETED_RUN_ID, sampleRunId(5), 'unknown', "it's", '', sampleRunId(0)];
    const { items, rejected } = await store.runsById([...ids, ...ids]);
    expect(items.map(({ runId, lifecycleStage }) => [runId, lifecycleStage])).toEqual([
      [DELETED_RUN_ID, 'deleted'],
      [sampleRunId(5), 'active'],
      [sampleRunId(0), 'active'],
    ]);
    expect(rejected).toEqual([]);
    expect(asked('runs/search')).toHaveLength(modern ? 1 : 0);
    expect(asked('runs/get')).toHaveLength(modern ? 0 : 4);
  });

  it('counts what fits into a page, and asks for no more', async () => {
    const { store, server } = await openStore({ flavour });
    const before = server.requests.length;
    expect(await store.count()).toEqual({
      registeredModels: 2,
      modelVersions: 6,
      ...(flavour === '1.27.0' ? {} : { experiments: 3 }),
    });
    expect(server.requests.length - before).toBe(flavour === '1.27.0' ? 2 : 3);
    const small = await openStore({ flavour }, { modelsPageSize: 1, experimentsPageSize: 1 });
    expect(await small.store.count()).toEqual({ modelVersions: 6 });
  });

  it('leaves out deleted versions and prompts', async () => {
    const content = sampleContent();
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];
    content.registeredModels.push({ name: 'prompt', tags });
    content.modelVersions.push(
      { name: 'prompt', version: '1', tags },
      { name: 'model 1', version: '99', current_stage: 'Deleted_Internal' },
    );
    const { store } = await openStore({ flavour, content });
    expect((await collect(store.registeredModels())).items).toHaveLength(2);
    expect((await collect(store.modelVersions())).items).toHaveLength(6);
  });
});

describe('experiments', () => {
  it.each(SEARCHING)('of %s come by id, without deleted ones', async (flavour) => {
    const content = sampleContent({ experiments: 12 });
    content.experiments.reverse();
    const { store } = await openStore({ flavour, content }, { experimentsPageSize: 5 });
    const { items } = await collect(store.experiments());
    expect(items.map(({ experimentId }) => Number(experimentId))).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });

  it('of a server before 1.28.0 are an error that names the gate', async () => {
    const { store } = await openStore({ flavour: '1.27.0' });
    const reading = async (): Promise<unknown> => collect(store.experiments());
    const error = await failureOf(reading());
    expect(error).toMatchObject({ code: 'MLFLOW_TOO_OLD' });
    expect(error.message).toMatch(/older than 1\.28\.0.*versionGate\(\)/);
  });
});

describe('paging', () => {
  it('gives everything exactly once, whatever the page sizes and the concurrency', async () => {
    const size = fc.integer({ min: 1, max: 7 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SEARCHING),
        fc.record({
          experimentsPageSize: size,
          runsPageSize: size,
          modelsPageSize: size,
          versionsPageSize: size,
          concurrency: fc.integer({ min: 1, max: 5 }),
          experimentsPerSearch: fc.integer({ min: 1, max: 4 }),
        }),
        fc.record({
          experiments: fc.integer({ min: 0, max: 6 }),
          runsPerExperiment: fc.integer({ min: 0, max: 6 }),
          models: fc.integer({ min: 0, max: 5 }),
          versionsPerModel: fc.integer({ min: 0, max: 4 }),
        }),
        fc.integer({ min: 1, max: 6 }),
        async (flavour, options, sizes, hidden) => {
          const server = await startServer({
            flavour,
            content: sampleContent(sizes),
            // Permissions make pages short and even empty.
            hides: (item) => 'info' in item && hash(JSON.stringify(item)) % hidden === 1,
          });
          const store = await openRestStore({ uri: server.uri, ...options }, testContext());
          const experiments = (await collect(store.experiments())).items;
          expect(experiments).toHaveLength(sizes.experiments);
          const ids = experiments.map(({ experimentId }) => experimentId);
          const runs = (await collect(store.runs(ids))).items.map(({ runId }) => runId);
          const all = sampleContent(sizes).runs.filter(
            (run) =>
              run.info.lifecycle_stage === 'active' && hash(JSON.stringify(run)) % hidden !== 1,
          );
          expect([...runs].sort()).toEqual(all.map(({ info }) => info.run_id).sort());
          const again = (await collect(store.runs(ids))).items.map(({ runId }) => runId);
          expect(again).toEqual(runs);
          expect((await collect(store.registeredModels())).items).toHaveLength(sizes.models);
          const versions = (await collect(store.modelVersions())).items;
          expect(new Set(versions.map(({ name, version }) => `${name}/${version}`)).size).toBe(
            sizes.models * sizes.versionsPerModel,
          );
          expect(versions).toHaveLength(sizes.models * sizes.versionsPerModel);
          await store.close();
          await server.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('fetches a page for a call and never ahead of it', async () => {
    const { store, asked } = await openStore({}, { runsPageSize: 2, concurrency: 2 });
    const iterator = store.runs(['1', '2', '3'])[Symbol.asyncIterator]();
    expect(asked('runs/search')).toHaveLength(0);
    for (let call = 1; call <= 3; call += 1) {
      await iterator.next();
      expect(asked('runs/search')).toHaveLength(call);
    }
    await iterator.return?.();
    expect(asked('runs/search')).toHaveLength(3);
  });

  it('serves overlapping calls in parallel, in an order that does not depend on the answers', async () => {
    const held: (() => void)[] = [];
    const faults = ({ endpoint }: LoggedRequest): undefined | Promise<undefined> =>
      endpoint === 'runs/search'
        ? new Promise((resolve) => {
            held.push(() => {
              resolve(undefined);
            });
            // Answered once two are there, the later first.
            if (held.length === 2) for (const release of held.splice(0).reverse()) release();
          })
        : undefined;
    const { store, server } = await openStore(
      { faults, content: sampleContent({ experiments: 2, runsPerExperiment: 2 }) },
      { concurrency: 2 },
    );
    const iterator = store.runs(['1', '2'])[Symbol.asyncIterator]();
    const experimentsOf = (result: IteratorResult<StorePage<Run>, unknown>): string[] =>
      result.done === true ? [] : result.value.items.map(({ experimentId }) => experimentId);
    const [first, second] = await Promise.all([iterator.next(), iterator.next()]);
    expect(experimentsOf(first)).toEqual(['1', '1']);
    expect(experimentsOf(second)).toEqual(['2', '2']);
    expect(server.peakConcurrency).toBe(2);
  });

  it('lets small experiments share a search', async () => {
    const content = sampleContent({ experiments: 250, runsPerExperiment: 1 });
    const { store, asked } = await openStore({ content });
    const ids = content.experiments.map((one) => one.experiment_id);
    expect((await collect(store.runs(ids))).items).toHaveLength(250);
    expect(asked('runs/search')).toHaveLength(3);
    const few = await openStore({ content: sampleContent({ experiments: 3 }) });
    await collect(few.store.runs(['1', '2', '3']));
    expect(few.asked('runs/search').map(({ body }) => body['experiment_ids'])).toEqual([
      ['1', '2'],
      ['3'],
    ]);
  });

  it('drops what comes again because pages were shifted', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 6 });
    let shifted = false;
    const faults = ({ body }: LoggedRequest): undefined => {
      if (body['page_token'] === undefined || shifted) return;
      shifted = true;
      const [oldest] = content.runs;
      if (oldest === undefined) return;
      const info = { ...oldest.info, run_id: 'late', run_uuid: 'late', start_time: 1 };
      content.runs.unshift({ ...oldest, info });
    };
    const { store, context } = await openStore({ content, faults }, { runsPageSize: 2 });
    const { items } = await collect(store.runs(['1']));
    expect(items.map(({ runId }) => runId)).toEqual(
      Array.from({ length: 6 }, (_, index) => sampleRunId(index)),
    );
    expect(context.recorder.counts().skipped).toEqual({ 'repeated by the server': 1 });
  });

  it.each([1, 2, 3, 7])('ends with an error where tokens come round after %d', async (length) => {
    let pages = 0;
    const faults = ({ endpoint }: LoggedRequest): Fault | undefined => {
      if (endpoint !== 'runs/search') return undefined;
      pages += 1;
      const token = `token ${pages % length}`;
      return { kind: 'json', body: { next_page_token: token } };
    };
    const { store } = await openStore({ faults });
    const error = await failureOf(collect(store.runs(['1'])));
    expect(error).toMatchObject({ code: 'SOURCE_TOKEN_REPEATS' });
    expect(error.message).toContain('runs/search gives page tokens that come round again');
  });

  it('takes an empty token for none', async () => {
    const faults = (): Fault => ({
      kind: 'patch',
      patch: (answer) => ({ ...answer, next_page_token: '' }),
    });
    const { store, asked } = await openStore({
      faults: ({ endpoint }) => (endpoint === 'runs/search' ? faults() : undefined),
    });
    await collect(store.runs(['1']));
    expect(asked('runs/search')).toHaveLength(1);
  });

  it('asks for no experiments at all without any', async () => {
    const { store, asked } = await openStore();
    expect((await collect(store.runs([]))).pages).toEqual([]);
    expect((await store.runsById([])).items).toEqual([]);
    expect(asked('runs/search')).toEqual([]);
  });

  it('reads a store of the usual size in few requests', async () => {
    const content = sampleContent({
      experiments: 20,
      runsPerExperiment: 250,
      models: 100,
      versionsPerModel: 10,
    });
    const { store, context } = await openStore({ content });
    const experiments = (await collect(store.experiments())).items;
    const runs = await collect(store.runs(experiments.map(({ experimentId }) => experimentId)));
    expect(runs.items).toHaveLength(5_000);
    expect((await collect(store.registeredModels())).items).toHaveLength(100);
    const versions = (await collect(store.modelVersions())).items;
    expect(versions).toHaveLength(1_000);
    await store.runsById([DELETED_RUN_ID]);
    expect(context.recorder.requests).toBeLessThanOrEqual(30);
  });
});

describe('a bad answer', () => {
  const onRuns =
    (fault: Fault) =>
    ({ endpoint }: LoggedRequest): Fault | undefined =>
      endpoint === 'runs/search' ? fault : undefined;

  it('with a null among the runs loses that one only', async () => {
    const faults = onRuns({
      kind: 'patch',
      patch: ({ runs }) => ({ runs: [null, ...(runs as unknown[]).slice(1)] }),
    });
    const { store } = await openStore({ faults }, { concurrency: 1 });
    const { items, rejected } = await collect(store.runs(['1']));
    expect(items).toHaveLength(3);
    expect(rejected).toEqual([
      expect.objectContaining({ code: 'MALFORMED_RUN', identity: 'run without id', content: null }),
    ]);
  });

  it.each<[string, unknown]>([
    ['runs an object', { runs: {} }],
    ['runs null', { runs: null }],
    ['no runs but something else', { status: 'ok' }],
    ['an error', { error_code: 'X', message: 'y' }],
    ['a token of another type', { runs: [], next_page_token: 5 }],
  ])('with %s and status 200 is no empty one', async (_, body) => {
    const { store } = await openStore({ faults: onRuns({ kind: 'json', body }) });
    expect(await failureOf(collect(store.runs(['1'])))).toMatchObject({
      code: 'SOURCE_WRONG_ANSWER',
    });
  });

  it('from a server without a registry gives nothing, with a warning', async () => {
    const message = " Model registry functionality is unavailable; got unsupported URI './mlruns'";
    const { store, context } = await openStore({
      flavour: '1.28.0',
      faults: ({ endpoint }) =>
        endpoint.includes('model')
          ? {
              kind: 'status',
              status: 400,
              body: { error_code: 'INVALID_PARAMETER_VALUE', message },
            }
          : undefined,
    });
    expect((await collect(store.registeredModels())).pages).toEqual([]);
    expect((await collect(store.modelVersions())).pages).toEqual([]);
    expect(context.recorder.counts().warnings).toMatchObject([
      { code: 'NO_MODEL_REGISTRY', count: 2 },
    ]);
    expect(await store.count()).toEqual({ experiments: 3 });
  });

  it('for one of several searches ends the reading', async () => {
    const faults = ({ endpoint, body }: LoggedRequest): Fault | undefined =>
      endpoint === 'runs/search' && JSON.stringify(body['experiment_ids']) === '["2"]'
        ? { kind: 'status', status: 403 }
        : undefined;
    const { store } = await openStore({ faults }, { experimentsPerSearch: 1 });
    expect(await failureOf(collect(store.runs(['1', '2', '3'])))).toMatchObject({
      code: 'SOURCE_FORBIDDEN',
    });
  });
});

it('says that a request is tried again, once for each', async () => {
  const said: string[] = [];
  const log = { ...testContext().log, warn: (_: object, text: string) => said.push(text) };
  let failures = 0;
  const server = await startServer({
    faults: ({ endpoint }) => {
      if (endpoint !== 'runs/search' || failures === 2) return undefined;
      failures += 1;
      return { kind: 'status', status: 503 };
    },
  });
  const options = { uri: server.uri, minRetryDelayMs: 0, maxRetryDelayMs: 1 };
  const store = await openRestStore(options, testContext({ log }));
  await collect(store.runs(['1']));
  await store.close();
  expect(said).toEqual([expect.stringMatching(/runs\/search.*503.*; trying again$/)]);
});

describe('an answer over maxResponseBytes', () => {
  /** Runs of about 800 bytes, and those at the places named of 20,000. */
  function content(count: number, large: readonly number[]) {
    const made = sampleContent({ experiments: 1, runsPerExperiment: count, models: 0 });
    for (const index of large) {
      made.runs[index]?.data?.tags?.push({ key: 'large', value: 'x'.repeat(20_000) });
    }
    return made;
  }

  const sizes = (requests: readonly LoggedRequest[]) =>
    requests.map(({ body }) => body['max_results']);

  it('is asked for again with half the page, which grows back slowly', async () => {
    const { store, asked } = await openStore(
      { content: content(40, []) },
      { runsPageSize: 32, maxResponseBytes: 8_000 },
    );
    const { items, rejected } = await collect(store.runs(['1']));
    expect(new Set(items.map(({ runId }) => runId)).size).toBe(40);
    expect(rejected).toEqual([]);
    expect(sizes(asked('runs/search')).slice(0, 5)).toEqual([32, 16, 8, 10, 5]);
  });

  it.each(SEARCHING)('by one run of %s rejects that one and goes on', async (flavour) => {
    for (const large of [[0], [3], [5], [0, 1, 5], [2, 3, 4]]) {
      const { store } = await openStore(
        { flavour, content: content(6, large) },
        { runsPageSize: 4, maxResponseBytes: 10_000 },
      );
      const { items, rejected } = await collect(store.runs(['1']));
      expect(items.map(({ runId }) => runId)).toEqual(
        [0, 1, 2, 3, 4, 5].filter((index) => !large.includes(index)).map(sampleRunId),
      );
      expect(rejected.map(({ identity }) => identity)).toEqual(
        large.map((index) => `run ${sampleRunId(index)}`),
      );
      expect(rejected[0]).toMatchObject({ kind: 'record', code: 'RECORD_TOO_LARGE' });
      expect(rejected[0]?.message).toContain('set a larger maxResponseBytes');
      expect(rejected[0]?.content).toMatch(/^\{"runs":\[\{"info"/);
    }
  });

  it('by one run is met by id as well', async () => {
    for (const flavour of ['1.28.0', '2.22.5'] as const) {
      const { store } = await openStore(
        { flavour, content: content(4, [2]) },
        { maxResponseBytes: 10_000 },
      );
      const { items, rejected } = await store.runsById([0, 1, 2, 3].map(sampleRunId));
      expect(items).toHaveLength(3);
      expect(rejected.map(({ identity }) => identity)).toEqual([`run ${sampleRunId(2)}`]);
    }
  });

  it('by one version names it', async () => {
    const made = sampleContent({ models: 1, versionsPerModel: 3 });
    const version = made.modelVersions[1];
    if (version !== undefined) version.description = 'x'.repeat(20_000);
    const { store } = await openStore({ content: made }, { maxResponseBytes: 10_000 });
    const { items, rejected } = await collect(store.modelVersions());
    expect(items).toHaveLength(2);
    expect(rejected[0]?.identity).toBe('model version model 1 version 2');
  });

  it('is a clear error where tokens are of another kind', async () => {
    const [small, large] = content(2, [1]).runs;
    const { store, asked } = await openStore(
      {
        faults: ({ endpoint, body }) => {
          if (endpoint !== 'runs/search') return undefined;
          return body['page_token'] === 'opaque'
            ? { kind: 'json', body: { runs: [large] } }
            : { kind: 'json', body: { runs: [small], next_page_token: 'opaque' } };
        },
      },
      { runsPageSize: 2, maxResponseBytes: 10_000 },
    );
    const iterator = store.runs(['1'])[Symbol.asyncIterator]();
    await iterator.next();
    const error = await failureOf(iterator.next());
    expect(error).toMatchObject({ code: 'SOURCE_RESPONSE_TOO_LARGE' });
    expect(error.message).toContain("tokens don't tell how to step over it");
    expect(sizes(asked('runs/search'))).toEqual([2, 2, 1]);
  });

  it('is a clear error where the server pays no heed to the page size', async () => {
    const all = { runs: sampleContent().runs };
    const { store, asked } = await openStore(
      {
        faults: ({ endpoint }) =>
          endpoint === 'runs/search' ? { kind: 'json', body: all } : undefined,
      },
      { maxResponseBytes: 2_000, runsPageSize: 8 },
    );
    const error = await failureOf(collect(store.runs(['1'])));
    expect(error).toMatchObject({ code: 'SOURCE_RESPONSE_TOO_LARGE' });
    expect(error.message).toContain('no heed to the page size');
    expect(sizes(asked('runs/search'))).toEqual([8, 4, 2, 1]);
    const old = await openStore(
      { flavour: '1.28.0', content: sampleContent({ versionsPerModel: 50 }) },
      { maxResponseBytes: 2_000 },
    );
    await expect(collect(old.store.modelVersions())).rejects.toMatchObject({
      code: 'SOURCE_RESPONSE_TOO_LARGE',
    });
    expect(old.asked('model-versions/search')).toHaveLength(1);
  });
});

describe('an abort', () => {
  it('ends the reading with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const server = await startServer({
      faults: ({ endpoint }) => {
        if (endpoint !== 'runs/search') return undefined;
        setImmediate(() => {
          controller.abort(reason);
        });
        return { kind: 'silence' };
      },
    });
    const context = testContext({ signal: controller.signal });
    const store = await openRestStore({ uri: server.uri }, context);
    expect(await failureOf(collect(store.runs(['1', '2'])))).toBe(reason);
    await store.close();
  });
});

/** Some number of a text: what is hidden must not depend on the order. */
function hash(text: string): number {
  let value = 7;
  for (let index = 0; index < text.length; index += 1) {
    value = (value * 31 + text.charCodeAt(index)) % 1_000_003;
  }
  return value;
}
