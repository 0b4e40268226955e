/**
 * A server with workspaces, three of which hold experiments and models of the same names: what they
 * hold never meets, and is the same over REST and out of the database.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentUrn } from '../../src/datahub/urn.js';
import { RECORD_KINDS } from '../../src/mlflow/records.js';
import { restSource } from '../../src/sources/rest-source.js';
import { runContext } from '../../src/testing/run-context.js';
import { runOurs, type OurResult } from './ours.js';
import { canonical, type FiledProposal } from './proposals.js';
import { seed } from './seed.js';
import { startMlflow, type MlflowServer } from './servers.js';
import { Changer } from './state/changer.js';
import { StatefulPipeline } from './state/pipeline.js';
import { validate, type Validation } from './validate.js';

const VERSION = '3.17.2';
const OTHERS = ['team-a', 'team-b'] as const;

/** What the scripts that fill it are told by as well. */
const ENABLED = { MLFLOW_ENABLE_WORKSPACES: 'true' };

let folder: string;
let database: string;
let server: MlflowServer;
let changer: Changer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workspaces-'));
  database = `sqlite:///${join(folder, 'mlflow.db')}`;
  server = await startMlflow(VERSION, undefined, 1, {
    uri: database,
    env: ENABLED,
  });
  for (const name of OTHERS) await workspaceRequest('POST', '', { name });
  await seed(VERSION, server.uri, 'common', ENABLED);
  await seed(VERSION, server.uri, 'common', { ...ENABLED, MLFLOW_WORKSPACE: 'team-a' });
  changer = new Changer(VERSION, server.uri, { ...ENABLED, MLFLOW_WORKSPACE: 'team-b' });
  await changer.make('prepare');
  const also = new Changer(VERSION, server.uri, { ...ENABLED, MLFLOW_WORKSPACE: 'team-a' });
  await also.make('prepare');
  await also.stop();
});

afterAll(async () => {
  await changer.stop();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function workspaceRequest(method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`${server.uri}/api/3.0/mlflow/workspaces${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
}

const ours = (
  from: string,
  workspace?: string,
  visit?: (file: string) => Promise<void>,
): Promise<OurResult> =>
  runOurs(from, undefined, visit, workspace === undefined ? [] : ['--workspace', workspace]);

describe('workspaces of MLflow 3.17.2', () => {
  let all: OurResult;
  let plain: OurResult;
  let validation: Validation;

  beforeAll(async () => {
    all = await ours(server.uri, '*', async (file) => {
      validation = await validate(file);
    });
    plain = await ours(server.uri);
  });

  it('are all read, and nothing in them is rejected', () => {
    expect(all.report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
    expect(all.report.counts.rejected).toBe(0);
    // By DataHub's own classes and command.
    expect(validation).toMatchObject({ problems: [], found: all.proposals.length });
    for (const workspace of OTHERS) {
      expect(all.proposals.some(({ entityUrn }) => entityUrn.includes(`,@${workspace}/`))).toBe(
        true,
      );
    }
    const urns = all.proposals.map(({ entityUrn }) => entityUrn);
    expect(urns).toContain(experimentUrn('plain'));
    expect(urns).toContain(experimentUrn('plain', undefined, 'team-a'));
  });

  it('give the same over REST and out of the database, byte for byte but for links', async () => {
    const direct = await ours(database, '*');
    expect(direct.report.counts.read).toEqual(all.report.counts.read);
    expect(asSet(direct.proposals)).toEqual(asSet(all.proposals));
    expect(direct.proposals.length).toBeGreaterThan(500);
    for (const workspace of OTHERS) {
      const [rest, sql] = [await ours(server.uri, workspace), await ours(database, workspace)];
      expect(asSet(sql.proposals)).toEqual(asSet(rest.proposals));
    }
  });

  it('are, one by one, what they are together, and share no id but of users and stages', async () => {
    const parts = [plain, ...(await Promise.all(OTHERS.map((name) => ours(server.uri, name))))];
    const together = new Set(parts.flatMap(({ proposals }) => asSet(proposals, true)));
    expect([...together].sort()).toEqual(asSet(all.proposals, true));
    const owners = new Map<string, number>();
    for (const { proposals } of parts) {
      for (const urn of new Set(proposals.map(({ entityUrn }) => entityUrn))) {
        owners.set(urn, (owners.get(urn) ?? 0) + 1);
      }
    }
    const shared = [...owners].filter(([, count]) => count > 1).map(([urn]) => urn);
    expect(new Set(shared.map((urn) => urn.split(':')[2]))).toEqual(
      new Set(['platformResource', 'tag']),
    );
  });

  it('add nothing to the default one', async () => {
    const named = await ours(server.uri, 'default');
    expect(asSet(named.proposals, true)).toEqual(asSet(plain.proposals, true));
    const direct = await ours(database);
    expect(asSet(direct.proposals)).toEqual(asSet(plain.proposals));
    expect(plain.proposals.some(({ entityUrn }) => /,@|workspace/.test(entityUrn))).toBe(false);
  });

  it('are linked to where they are', () => {
    const links = all.proposals.flatMap(({ aspect }) => aspect.json['externalUrl'] ?? []);
    expect(links).toContain(`${server.uri}/#/models/plain?workspace=team-a`);
    expect(links).toContain(`${server.uri}/#/models/plain`);
  });

  it('are named where one is asked for that is not there', async () => {
    await expect(ours(server.uri, 'team-x')).rejects.toThrow(/default, team-a, team-b/);
    await expect(ours(database, 'team-x')).rejects.toThrow(/default, team-a, team-b/);
  });
});

describe('workspaces of MLflow 3.17.2, with a state', () => {
  const pipelines: StatefulPipeline[] = [];

  beforeAll(async () => {
    for (const from of [server.uri, database]) {
      const state = { lookbackDays: 7, fullSweepEveryDays: 365 };
      const pipeline = await StatefulPipeline.create({ from, source: { workspace: '*' }, state });
      pipelines.push(pipeline);
      const { status, output, proposals } = await pipeline.run();
      expect(status, output).toBe(0);
      expect(proposals.length).toBeGreaterThan(500);
    }
  });

  afterAll(async () => {
    for (const pipeline of pipelines) await pipeline.remove();
  });

  /** What every pipeline sends now: the same. */
  async function sent(...options: readonly string[]): Promise<readonly FiledProposal[]> {
    const results = [];
    for (const pipeline of pipelines) {
      const { status, output, proposals } = await pipeline.run(...options);
      expect(status, output).toBe(0);
      results.push(proposals);
    }
    const [first = [], second = []] = results;
    expect(asSet(second)).toEqual(asSet(first));
    return first;
  }

  it('send nothing where nothing has changed', async () => {
    expect(await sent()).toEqual([]);
  });

  it.each([
    ['delete-run', ['dataProcessInstance']],
    ['delete-model', ['mlModel', 'mlModel', 'mlModel', 'mlModelGroup']],
    ['delete-experiment', ['container', 'dataProcessInstance']],
  ])('remove what is deleted in one of them there only: %s', async (change, types) => {
    const before = new Set((await ours(database, 'team-b')).proposals.map(urnOf));
    await changer.make(change);
    const removed = (await sent()).filter(({ aspect }) => aspect.json['removed'] === true);
    expect(new Set(removed.map(({ entityType }) => entityType))).toEqual(new Set(types));
    for (const proposal of removed) expect(before).toContain(urnOf(proposal));
    expect(await sent()).toEqual([]);
  });

  it('remove all of one that is deleted', async () => {
    const left = new Set((await ours(database, 'team-b')).proposals.map(urnOf));
    await changer.stop();
    await workspaceRequest('DELETE', '/team-b?mode=CASCADE');
    const removed = (await sent()).filter(({ aspect }) => aspect.json['removed'] === true);
    expect(removed.length).toBeGreaterThan(5);
    for (const proposal of removed) expect(left).toContain(urnOf(proposal));
    const there = new Set((await ours(database, '*')).proposals.map(urnOf));
    for (const proposal of removed) expect(there).not.toContain(urnOf(proposal));
    expect(await sent()).toEqual([]);
  });
});

describe('a workspace of MLflow 3.17.2 that is deleted while it is read', () => {
  it.each([
    ['*', 'is warned of, and the others are read'],
    ['team-d', 'ends the reading, which names it'],
  ])('%s %s', async (workspace) => {
    const lost = workspace === '*' ? 'team-c' : workspace;
    await workspaceRequest('POST', '', { name: lost });
    await seed(VERSION, server.uri, 'common', { ...ENABLED, MLFLOW_WORKSPACE: lost });
    const context = runContext();
    const options = { uri: server.uri, workspace, runsPageSize: 1, concurrency: 1 };
    const source = await restSource(options).open(context);
    const met = new Set<string>();
    let deleted = false;
    const read = async (): Promise<void> => {
      for await (const { records } of source.read({ kinds: new Set(RECORD_KINDS) })) {
        for (const {
          kind,
          server: { workspace: name = 'default' },
        } of records) {
          met.add(name);
          if (name !== lost || kind !== 'run' || deleted) continue;
          deleted = true;
          await workspaceRequest('DELETE', `/${lost}?mode=CASCADE`);
        }
      }
    };
    try {
      if (workspace === '*') {
        await read();
        for (const name of ['default', 'team-a', 'team-c']) expect(met).toContain(name);
        expect([...(source.lostWorkspaces ?? [])]).toEqual(['team-c']);
        const { warnings } = context.recorder.counts();
        expect(warnings.find(({ code }) => code === 'WORKSPACE_LOST')).toMatchObject({
          examples: ['team-c is not there any more'],
        });
      } else {
        await expect(read()).rejects.toThrow(/^workspace team-d of .* is not there any more/);
      }
      expect(deleted).toBe(true);
    } finally {
      await source.close();
    }
  });
});

function urnOf({ entityUrn }: FiledProposal): string {
  return entityUrn;
}

/** Without links, unless they are wanted, as a database does not know where its server is. */
function asSet(proposals: readonly FiledProposal[], withLinks = false): readonly string[] {
  const texts = proposals.map(({ entityUrn, aspectName, aspect }) => {
    const fields = Object.entries(aspect.json).filter(
      ([name]) => withLinks || name !== 'externalUrl',
    );
    return `${entityUrn} ${aspectName} ${canonical(Object.fromEntries(fields))}`;
  });
  return [...new Set(texts)].sort();
}
