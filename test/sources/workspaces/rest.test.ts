import { describe, expect, it, onTestFinished } from 'vitest';
import type { RecordKey } from '../../../src/mlflow/record-key.js';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import { restSource } from '../../../src/sources/rest-source.js';
import type { RestOptions } from '../../../src/sources/rest/options.js';
import type { OpenSource, RunContext } from '../../../src/stream/contracts.js';
import {
  sampleContent,
  startMlflowServer,
  workspacesOf,
  type Fault,
  type LoggedRequest,
  type MlflowServerOptions,
  type Workspaces,
} from '../../support/mlflow-server.js';
import { testContext } from '../rest/open-store.js';
import { ALL, placesIn, readAll } from './support.js';

const QUICK = { retries: 1, minRetryDelayMs: 0, maxRetryDelayMs: 1, maxRetryAfterMs: 1 };

const SERVER = {
  flavour: '3.17.2',
  workspaces: workspacesOf({
    'team-a': sampleContent({ experiments: 2, models: 1 }),
    'team-b': sampleContent({ experiments: 1, runsPerExperiment: 1, models: 0 }),
  }),
} as const satisfies MlflowServerOptions;

/** As where workspaces come from a provider that has none by default. */
const withoutDefault =
  (workspaces: Workspaces) =>
  ({ path, endpoint, headers }: LoggedRequest): Fault | undefined => {
    const asked = headers['x-mlflow-workspace'];
    if (endpoint === 'version' || path.includes('/3.0/')) return undefined;
    if (typeof asked === 'string' && workspaces.has(asked)) return undefined;
    const message = 'Active workspace is required.';
    const body = { error_code: 'INVALID_PARAMETER_VALUE', message };
    return { kind: 'status', status: 400, body };
  };

async function open(
  server: MlflowServerOptions,
  options: RestOptions = {},
  over: Partial<RunContext> = {},
) {
  const running = await startMlflowServer(server);
  onTestFinished(() => running.close());
  const context = testContext(over);
  const source = await restSource({ ...QUICK, uri: running.uri, ...options }).open(context);
  onTestFinished(() => source.close());
  return { source, context, server: running };
}

/** How many records of a kind are in which workspace. */
async function countsIn(source: OpenSource): Promise<Record<string, Record<string, number>>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const record of await readAll(source)) {
    const kinds = (counts[record.kind] ??= {});
    const { workspace = 'default' } = record.server;
    kinds[workspace] = (kinds[workspace] ?? 0) + 1;
  }
  return counts;
}

describe('a server with workspaces', () => {
  it('is read one workspace after the other, the server itself once', async () => {
    const { source } = await open(SERVER, { workspace: '*' });
    expect(source.workspaces).toEqual(['default', 'team-a', 'team-b']);
    expect(source.server).not.toHaveProperty('workspace');
    expect(await countsIn(source)).toEqual({
      server: { default: 1 },
      experiment: { default: 3, 'team-a': 2, 'team-b': 1 },
      run: { default: 12, 'team-a': 8, 'team-b': 1 },
      registeredModel: { default: 2, 'team-a': 1 },
      modelVersion: { default: 6, 'team-a': 3 },
      dataset: { default: 2, 'team-a': 2, 'team-b': 1 },
    });
    expect(await source.count({ kinds: ALL })).toEqual({
      experiment: 6,
      registeredModel: 3,
      modelVersion: 9,
    });
    expect(placesIn(await readAll(source))).toEqual(['default', 'team-a', 'team-b']);
  });

  it('gives the pages of a workspace as if it were a server', async () => {
    const { source } = await open(SERVER, { workspace: 'team-a' });
    const alone = await open({
      ...SERVER,
      workspaces: workspacesOf({ default: sampleContent({ experiments: 2, models: 1 }) }),
    });
    const bare = (record: MlflowRecord) => ({ ...record, server: undefined });
    expect((await readAll(source)).map(bare)).toEqual((await readAll(alone.source)).map(bare));
    expect(source.server).toMatchObject({ workspace: 'team-a' });
    expect(source.workspaces).toEqual(['team-a']);
  });

  it.each([
    ['the option', { workspace: 'team-a' }, {}],
    ['the header', { headers: { 'X-MLFLOW-Workspace': ' team-a ', 'X-Other': 'kept' } }, {}],
    ['the variable', {}, { MLFLOW_WORKSPACE: 'team-a' }],
    ['the option, whatever the variable', { workspace: 'team-a' }, { MLFLOW_WORKSPACE: 'team-b' }],
  ])('is read as %s says', async (_, options: RestOptions, env) => {
    const { source, server } = await open(SERVER, options, { env });
    const before = server.requests.length;
    expect(await countsIn(source)).toMatchObject({ experiment: { 'team-a': 2 } });
    for (const { headers, path } of server.requests.slice(before)) {
      // But for the question at the end which there are.
      if (path.includes('/3.0/')) continue;
      expect(headers).toMatchObject({ 'x-mlflow-workspace': 'team-a' });
      if (options.headers !== undefined) expect(headers).toMatchObject({ 'x-other': 'kept' });
    }
  });

  it('is warned of where the header alone chooses, as it did when ids did not hold it', async () => {
    const headers = { 'X-MLFLOW-WORKSPACE': 'team-a' };
    const codes = async (options: RestOptions) =>
      (await open(SERVER, options)).context.recorder.counts().warnings.map(({ code }) => code);
    expect(await codes({ headers })).toEqual(['WORKSPACE_BY_HEADER']);
    expect(await codes({ headers, workspace: 'team-a' })).toEqual([]);
    expect(await codes({ headers: { 'x-mlflow-workspace': 'default' } })).toEqual([]);
  });

  it('chooses by itself where nothing is said, and is not even asked about workspaces', async () => {
    const { source, server } = await open(SERVER);
    expect(await countsIn(source)).toMatchObject({ experiment: { default: 3 } });
    expect(source.workspaces).toBeUndefined();
    expect(server.requests.filter(({ path }) => path.includes('/3.0/'))).toEqual([]);
    expect(server.requests.some(({ headers }) => 'x-mlflow-workspace' in headers)).toBe(false);
  });

  it.each<[string, RestOptions]>([
    ['one', { workspace: 'team-a' }],
    ['all', { workspace: '*' }],
    ['the header’s', { headers: { 'X-MLFLOW-WORKSPACE': 'team-a' } }],
  ])('is reached from within where it has none by default: %s', async (_, options) => {
    const faults = withoutDefault(SERVER.workspaces);
    const workspaces: Workspaces = new Map(SERVER.workspaces);
    workspaces.delete('default');
    const { source, server } = await open({ ...SERVER, workspaces, faults }, options);
    expect(await countsIn(source)).toMatchObject({ experiment: { 'team-a': 2 } });
    expect(server.requests.filter(({ path }) => path.endsWith('/server-info'))).toHaveLength(1);
    await expect(open({ ...SERVER, workspaces, faults })).rejects.toThrow(/workspace is required/);
  });

  it('is reached so behind the other path of the API, too, with its registry', async () => {
    const faults: MlflowServerOptions['faults'] = (request) =>
      request.path.startsWith('/api/')
        ? { kind: 'status', status: 404 }
        : withoutDefault(SERVER.workspaces)(request);
    const registry = await startMlflowServer({ ...SERVER, faults });
    onTestFinished(() => registry.close());
    const options = { workspace: 'team-a', registryUri: registry.uri };
    const { source } = await open({ ...SERVER, faults }, options);
    expect(await countsIn(source)).toMatchObject({
      experiment: { 'team-a': 2 },
      registeredModel: { 'team-a': 1 },
    });
  });

  it('may forbid to list workspaces where one is named', async () => {
    const faults: MlflowServerOptions['faults'] = ({ path }) =>
      path.endsWith('/workspaces') ? { kind: 'status', status: 403 } : undefined;
    const { source } = await open({ ...SERVER, faults }, { workspace: 'team-a' });
    expect(await countsIn(source)).toMatchObject({ experiment: { 'team-a': 2 } });
    await expect(open({ ...SERVER, faults }, { workspace: 'team-x' })).rejects.toThrow(
      /has no workspace team-x that can be read$/,
    );
  });

  it('is no MLflow server where nothing is there, whatever is wanted', async () => {
    const faults = () => ({ kind: 'status', status: 404 }) as const;
    await expect(open({ ...SERVER, faults }, { workspace: '*' })).rejects.toMatchObject({
      code: 'WRONG_ADDRESS',
    });
  });

  it('shares connections and pace between its workspaces', async () => {
    const { source, server } = await open(SERVER, { workspace: '*', concurrency: 2 });
    await readAll(source);
    expect(server.connections).toBeLessThanOrEqual(2);
    await source.close();
    await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_CLOSED' });
  });

  it.each([
    ['*', undefined, 'NO_WORKSPACES', /turned off: start it with --enable-workspaces/, '3.17.2'],
    ['team-a', undefined, 'NO_WORKSPACES', /turned off/, '3.17.2'],
    ['*', undefined, 'NO_WORKSPACES', /MLflow 3.10 brought/, '2.22.5'],
    [
      'team-x',
      SERVER.workspaces,
      'UNKNOWN_WORKSPACE',
      /It has: default, team-a, team-b$/,
      '3.17.2',
    ],
  ] as const)('refuses %s where it can not be read: %#', async (...parts) => {
    const [workspace, workspaces, code, message, flavour] = parts;
    const server = await startMlflowServer({
      flavour,
      ...(workspaces === undefined ? {} : { workspaces }),
    });
    onTestFinished(() => server.close());
    const opening = restSource({ ...QUICK, uri: server.uri, workspace }).open(testContext());
    await expect(opening).rejects.toMatchObject({ code, category: 'usage' });
    await expect(opening).rejects.toThrow(message);
  });

  it('leaves out what may not be seen, and says where that is all', async () => {
    const { source } = await open(
      { ...SERVER, hiddenWorkspaces: new Set(['default', 'team-b']) },
      { workspace: '*' },
    );
    expect(source.workspaces).toEqual(['team-a']);
    const nothing = open(
      { ...SERVER, hiddenWorkspaces: new Set(SERVER.workspaces.keys()) },
      { workspace: '*' },
    );
    await expect(nothing).rejects.toThrow(/may these credentials see any/);
  });

  it('is named in the label where it is not the default one', () => {
    const label = (options: RestOptions) => restSource({ uri: 'http://host', ...options }).label;
    expect(label({})).toBe('mlflow http://host');
    expect(label({ workspace: 'default' })).toBe('mlflow http://host');
    expect(label({ workspace: 'team-a' })).toBe('mlflow http://host, workspace team-a');
    expect(label({ workspace: '*' })).toBe('mlflow http://host, all workspaces');
    const headers = { 'x-mlflow-workspace': 'team-a' };
    expect(label({ headers })).toBe('mlflow http://host, workspace team-a');
  });

  it('refuses what is no name, from wherever it comes', async () => {
    expect(() => restSource({ workspace: 'Team A' })).toThrow(/workspace.*such as team-a/);
    expect(() => restSource({ headers: { 'x-mlflow-workspace': '*' } })).toThrow(/header/);
    expect(() =>
      restSource({ workspace: 'team-a', headers: { 'x-mlflow-workspace': 'team-b' } }),
    ).toThrow(/set one of them/);
    await expect(open(SERVER, {}, { env: { MLFLOW_WORKSPACE: 'A/B' } })).rejects.toThrow(
      /MLFLOW_WORKSPACE says "A\/B"/,
    );
  });

  it('leaves out a name that MLflow itself would not take', async () => {
    const faults: MlflowServerOptions['faults'] = ({ path }) =>
      path.endsWith('/workspaces')
        ? { kind: 'json', body: { workspaces: [{ name: 'team-a' }, { name: "it's/odd" }] } }
        : undefined;
    const { source, context } = await open({ ...SERVER, faults }, { workspace: '*' });
    expect(source.workspaces).toEqual(['team-a']);
    await readAll(source);
    expect(context.recorder.counts().warnings).toMatchObject([
      { code: 'ODD_WORKSPACE', count: 1, examples: [`"it's/odd"`] },
    ]);
  });

  it('refuses an answer that is not MLflow’s', async () => {
    const faults: MlflowServerOptions['faults'] = ({ path }) =>
      path.endsWith('/workspaces')
        ? { kind: 'json', body: { workspaces: [{ nam: 1 }] } }
        : undefined;
    await expect(open({ ...SERVER, faults }, { workspace: '*' })).rejects.toMatchObject({
      code: 'SOURCE_WRONG_ANSWER',
    });
  });
});

describe('what is gone from workspaces', () => {
  const RUN = '0'.repeat(31) + '1';
  const KEYS: readonly RecordKey[] = [
    'experiment 3',
    `run ${RUN}`,
    'experiment@team-a 2',
    'experiment@team-a 3',
    'model@team-a model 1',
    'model@team-a model 2',
    'version@team-a 1 model 1',
    'version@team-a 9 model 1',
    `run@team-b ${RUN}`,
    'run@team-b none',
    'experiment@team-x 1',
    'model@team-x model 1',
    `run@team-x ${RUN}`,
  ];
  const GONE = [
    'experiment@team-a 3',
    'model@team-a model 2',
    'version@team-a 9 model 1',
    'run@team-b none',
    'experiment@team-x 1',
    'model@team-x model 1',
    `run@team-x ${RUN}`,
  ];

  it.each(['*', 'team-a', undefined])(
    'is asked in what is read, and of others once: %s',
    async (workspace) => {
      const { source, server, context } = await open(
        SERVER,
        workspace === undefined ? {} : { workspace },
      );
      const gone = GONE.filter(
        (key) => workspace === '*' || key.includes('@team-x') || key.includes(`@${workspace} `),
      );
      for (let times = 0; times < 2; times += 1) {
        expect([...((await source.findGone?.(KEYS)) ?? [])].sort()).toEqual(gone.sort());
      }
      if (workspace === undefined) {
        const about = server.requests.filter(({ path }) => path.includes('/3.0/'));
        expect(about.map(({ path }) => path.replace(/.*\//, ''))).toEqual([
          'server-info',
          'team-a',
          'team-b',
          'team-x',
        ]);
      }
      // A workspace that is gone is asked for once, and nothing in it.
      const asked = server.requests.filter(
        ({ path, headers }) =>
          path.endsWith('/workspaces/team-x') || headers['x-mlflow-workspace'] === 'team-x',
      );
      expect(asked).toHaveLength(1);
      expect(context.recorder.counts().warnings).toEqual([]);
    },
  );

  it('is nothing of a workspace that may not be seen, nor where there are none any more', async () => {
    const hidden = await open({ ...SERVER, hiddenWorkspaces: new Set(['team-a', 'team-b']) });
    expect(await hidden.source.findGone?.(KEYS)).toEqual(
      new Set(GONE.filter((key) => key.includes('team-x'))),
    );
    expect(hidden.context.recorder.counts().warnings).toMatchObject([
      { code: 'WORKSPACE_NOT_CONFIRMED', count: 2 },
    ]);

    for (const flavour of ['3.17.2', '2.22.5'] as const) {
      const without = await open({ flavour });
      expect(await without.source.findGone?.(KEYS)).toEqual(new Set());
    }
  });

  it.each<[string, MlflowServerOptions['faults']]>([
    ['turned off', undefined],
    [
      'said to be on, and turned off',
      ({ path }) =>
        path.includes('/workspaces/')
          ? { kind: 'status', status: 500, body: { error_code: 'FEATURE_DISABLED', message: 'x' } }
          : path.endsWith('server-info')
            ? { kind: 'json', body: { workspaces_enabled: true } }
            : undefined,
    ],
    [
      'failing',
      ({ path }) => (path.includes('/workspaces/') ? { kind: 'status', status: 503 } : undefined),
    ],
  ])('is nothing, at little cost, where they are %s', async (how, faults) => {
    const { source, server } = await open({
      flavour: '3.17.2',
      ...(how === 'failing' ? { workspaces: SERVER.workspaces } : {}),
      ...(faults === undefined ? {} : { faults }),
    });
    const before = server.requests.length;
    const keys = Array.from({ length: 20 }, (_, at): RecordKey => `run@team-${at} ${RUN}`);
    for (let pages = 0; pages < 3; pages += 1) {
      expect(await source.findGone?.(keys)).toEqual(new Set());
    }
    const asked = server.requests.slice(before).map(({ path }) => path);
    expect(asked.filter((path) => path.endsWith('server-info'))).toHaveLength(1);
    // One for each where that is quickly said; where it fails, of three, each tried twice.
    expect(asked).toHaveLength(how === 'turned off' ? 1 : how === 'failing' ? 7 : 21);
  });

  it('is asked no more in any of them where the server answers nothing', async () => {
    const faults: MlflowServerOptions['faults'] = ({ endpoint }) =>
      endpoint === 'registered-models/get' ? { kind: 'status', status: 503 } : undefined;
    const { source, server } = await open({ ...SERVER, faults }, { workspace: '*' });
    const keys = ['model', 'model@team-a', 'model@team-b'].flatMap((start) =>
      Array.from({ length: 9 }, (_, at) => `${start} lost ${at}` as RecordKey),
    );
    expect(await source.findGone?.(keys)).toEqual(new Set());
    const asked = server.requests.filter(({ endpoint }) => endpoint === 'registered-models/get');
    // Some are on their way when patience ends; in the second and third workspace there is none.
    expect(new Set(asked.map(({ headers }) => headers['x-mlflow-workspace']))).toEqual(
      new Set(['default']),
    );
  });
});
