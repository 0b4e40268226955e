import { describe, expect, it, onTestFinished } from 'vitest';
import { restSource, sqliteSource } from '../../../src/index.js';
import { Recorder } from '../../../src/stream/recorder.js';
import { runContext } from '../../../src/testing/run-context.js';
import { change } from '../../support/mlflow-database.js';
import {
  sampleContent,
  startMlflowServer,
  workspacesOf,
  type Fault,
  type LoggedRequest,
  type Workspaces,
} from '../../support/mlflow-server.js';
import { testContext } from '../rest/open-store.js';
import { ALL, placesIn, readAll, withCopyIn } from './support.js';

interface World {
  readonly workspaces: Workspaces;
  readonly hidden: Set<string>;
}

type Lose = (world: World, request: LoggedRequest) => Fault | undefined;

/** A server that loses workspaces as `lose` says, once it is asked for the runs of `team-a`. */
async function open(workspace: string, lose: Lose) {
  const workspaces = workspacesOf({
    'team-a': sampleContent({ experiments: 2, models: 1 }),
    'team-b': sampleContent({ experiments: 1, runsPerExperiment: 1, models: 0 }),
  });
  const world: World = { workspaces, hidden: new Set() };
  let isLost = false;
  const server = await startMlflowServer({
    flavour: '3.17.2',
    workspaces,
    hiddenWorkspaces: world.hidden,
    faults: (request) => {
      const { endpoint, headers } = request;
      isLost ||= endpoint === 'runs/search' && headers['x-mlflow-workspace'] === 'team-a';
      return isLost ? lose(world, request) : undefined;
    },
  });
  onTestFinished(() => server.close());
  const context = testContext();
  const options = { uri: server.uri, workspace, runsPageSize: 2, retries: 0 };
  const source = await restSource(options).open(context);
  onTestFinished(() => source.close());
  return { source, uri: server.uri, warnings: () => context.recorder.counts().warnings };
}

const isIn = (name: string, { headers, path }: LoggedRequest): boolean =>
  headers['x-mlflow-workspace'] === name && !path.endsWith('server-info');

const deleted: Lose = ({ workspaces }) => {
  workspaces.delete('team-a');
  return undefined;
};

/** As a plugin refuses it, or a proxy. */
const refused: Lose = ({ hidden }, request) => {
  hidden.add('team-a');
  return isIn('team-a', request) ? { kind: 'status', status: 403 } : undefined;
};

/** As MLflow's own basic-auth app does it: searches find what may be seen, and that is nothing. */
const emptied: Lose = ({ workspaces, hidden }) => {
  hidden.add('team-a');
  workspaces.set('team-a', sampleContent({ experiments: 0, models: 0 }));
  return undefined;
};

describe('a workspace that is lost while it is read', () => {
  it.each([
    ['deleted', deleted, 'team-a is not there any more'],
    ['refused', refused, 'team-a is hidden from these credentials now'],
    ['emptied', emptied, 'team-a is not there any more, or hidden from these credentials'],
  ])('is warned of, and the others are read: %s', async (_, lose, example) => {
    const { source, warnings } = await open('*', lose);
    expect(source.lostWorkspaces?.size).toBe(0);
    const records = await readAll(source);
    expect(placesIn(records)).toEqual(['default', 'team-a', 'team-b']);
    const runs = records.filter(({ kind }) => kind === 'run').map(({ server }) => server.workspace);
    expect(runs.filter((name) => name === undefined)).toHaveLength(12);
    expect(runs.filter((name) => name === 'team-a').length).toBeLessThan(8);
    expect(runs.filter((name) => name === 'team-b')).toHaveLength(1);
    expect(warnings()).toMatchObject([{ code: 'WORKSPACE_LOST', count: 1, examples: [example] }]);
    expect([...(source.lostWorkspaces ?? [])]).toEqual(['team-a']);
  });

  it.each([
    ['deleted', deleted],
    ['refused', refused],
    ['emptied', emptied],
  ])('is named where it is the one that is read: %s', async (_, lose) => {
    const { source, uri, warnings } = await open('team-a', lose);
    const reading = readAll(source);
    await expect(reading).rejects.toMatchObject({ code: 'WORKSPACE_LOST' });
    await expect(reading).rejects.toThrow(`workspace team-a of ${uri} is`);
    expect(warnings()).toEqual([]);
  });

  it('ends the run where it is the last one', async () => {
    const { source } = await open('*', ({ workspaces, hidden }, request) => {
      for (const name of workspaces.keys()) hidden.add(name);
      return request.path.endsWith('/workspaces') || request.path.endsWith('server-info')
        ? undefined
        : { kind: 'status', status: 403 };
    });
    await expect(readAll(source)).rejects.toThrow(/and so are all others that were read/);
  });

  it('is no reason for a failure of the server’s, whatever it refuses', async () => {
    const { source, warnings } = await open('*', (_, { endpoint }) =>
      endpoint === 'runs/search' ? { kind: 'status', status: 403 } : undefined,
    );
    await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
    expect(warnings()).toEqual([]);
  });

  it.each([
    ['*', ['default', 'team-a', 'team-b']],
    ['team-a', ['team-a']],
  ])('is not sure where the last look fails, which is no failure: %s', async (name, unsure) => {
    const { source, warnings } = await open(name, (_, { path }) =>
      /\/workspaces(\/[^/]+)?$/.test(path) ? { kind: 'status', status: 503 } : undefined,
    );
    const runs = (await readAll(source)).filter(({ kind }) => kind === 'run');
    expect(runs).toHaveLength(name === '*' ? 21 : 8);
    expect(warnings()).toMatchObject([{ code: 'WORKSPACES_NOT_CONFIRMED', count: 1 }]);
    expect([...(source.lostWorkspaces ?? [])]).toEqual(unsure);
  });

  it('is left out of counts', async () => {
    const { source, warnings } = await open('*', refused);
    await readAll(source);
    expect(await source.count({ kinds: ALL })).toMatchObject({ experiment: 4, registeredModel: 2 });
    expect(warnings()).toMatchObject([{ code: 'WORKSPACE_LOST' }]);
  });

  it('is told of a database, too, which finds nothing in it', async () => {
    const path = withCopyIn('team-a');
    const recorder = new Recorder();
    const source = await sqliteSource({ path, workspace: '*' }).open(runContext({ recorder }));
    onTestFinished(() => source.close());
    for await (const { records } of source.read({ kinds: ALL })) {
      if (records[0]?.server.workspace !== 'team-a') continue;
      const tables = ['experiments', 'model_versions', 'registered_models'];
      change(
        path,
        `DELETE FROM runs WHERE experiment_id IN
         (SELECT experiment_id FROM experiments WHERE workspace = 'team-a')`,
        ...tables.map((table) => `DELETE FROM ${table} WHERE workspace = 'team-a'`),
        `DELETE FROM workspaces WHERE name = 'team-a'`,
      );
    }
    expect(recorder.counts().warnings.find(({ code }) => code === 'WORKSPACE_LOST')).toMatchObject({
      count: 1,
      examples: ['team-a is not there any more, or hidden from these credentials'],
    });
  });
});
