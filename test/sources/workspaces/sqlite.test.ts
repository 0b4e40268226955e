import { describe, expect, it, onTestFinished } from 'vitest';
import type { RecordKey } from '../../../src/mlflow/record-key.js';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import { fileStoreSource } from '../../../src/sources/file-store-source.js';
import { mlflowSource } from '../../../src/sources/mlflow-source.js';
import type { OpenSource } from '../../../src/stream/contracts.js';
import { Recorder } from '../../../src/stream/recorder.js';
import { runContext } from '../../../src/testing/run-context.js';
import { change, copyOf, databaseOf } from '../../support/mlflow-database.js';
import { ALL, placesIn, readAll, SHIFT, withCopyIn } from './support.js';

async function open(path: string, workspace?: string) {
  const recorder = new Recorder();
  const options = workspace === undefined ? {} : { workspace };
  const source = mlflowSource({ uri: `sqlite:///${path}`, ...options });
  const opened = await source.open(runContext({ recorder }));
  onTestFinished(() => opened.close());
  return { source: opened, recorder };
}

const named = (records: readonly MlflowRecord[], workspace: string | undefined): string[] =>
  records
    .filter(({ server }) => server.workspace === workspace)
    .flatMap((record) => {
      switch (record.kind) {
        case 'experiment':
          return [`experiment ${record.experiment.name}`];
        case 'run':
          return [`run ${record.run.runId.slice(4)} in ${record.experiment.name}`];
        case 'registeredModel': {
          const { name, tags, aliases, latestVersion } = record.model;
          return [JSON.stringify([name, tags, aliases, latestVersion])];
        }
        case 'modelVersion': {
          const { name, version, tags, aliases } = record.version;
          return [JSON.stringify([name, version, tags, aliases])];
        }
        case 'loggedModel':
          return [JSON.stringify([record.model.name, record.model.params])];
        case 'server':
        case 'dataset':
          return [];
      }
    })
    .sort();

describe('the workspaces of a database', () => {
  it('are read one after the other, each with what is its own', async () => {
    const { source, recorder } = await open(withCopyIn('team-a'), '*');
    expect(source.workspaces).toEqual(['default', 'empty', 'team-a']);
    const records = await readAll(source);
    expect(placesIn(records)).toEqual(['default', 'team-a']);
    expect(records.filter(({ kind }) => kind === 'server')).toHaveLength(1);
    const [ours, theirs] = [named(records, undefined), named(records, 'team-a')];
    expect(ours.length).toBeGreaterThan(50);
    expect(theirs).toEqual(ours);
    expect(recorder.counts().warnings.map(({ code }) => code)).not.toContain('OTHER_WORKSPACE');

    const plain = await open(databaseOf('3.17.2'));
    expect(ours).toEqual(named(await readAll(plain.source), undefined));
    const counts = Object.entries(await plain.source.count({ kinds: ALL }));
    expect(await source.count({ kinds: ALL })).toEqual(
      Object.fromEntries(counts.map(([kind, count]) => [kind, 2 * count])),
    );
  });

  it('are one of them where it is named, and others are warned of', async () => {
    const path = withCopyIn('team-a');
    const all = await readAll((await open(path, '*')).source);
    const { source, recorder } = await open(path, 'team-a');
    expect(source.server).toMatchObject({ workspace: 'team-a' });
    const alone = (await readAll(source)).filter(({ kind }) => kind !== 'server');
    expect(alone).toEqual(all.filter(({ server }) => server.workspace === 'team-a'));
    expect(recorder.counts().warnings).toMatchObject([
      {
        code: 'OTHER_WORKSPACE',
        message: expect.stringContaining('Only the workspace "team-a"') as string,
        examples: ['default: 13 experiments', 'default: 17 registered models'],
      },
    ]);
  });

  it('are those that anything is in, too, and none with an odd name', async () => {
    const path = copyOf('3.17.2');
    change(
      path,
      `INSERT INTO experiments(experiment_id, name, lifecycle_stage, workspace) VALUES
       (500, 'theirs', 'active', 'elsewhere'), (501, 'odd', 'active', 'it''s odd')`,
      `DELETE FROM workspaces`,
    );
    const { source, recorder } = await open(path, '*');
    expect(source.workspaces).toEqual(['default', 'elsewhere']);
    expect(recorder.counts().warnings).toMatchObject([
      { code: 'ODD_WORKSPACE', examples: [`"it's odd"`] },
    ]);
  });

  it('are refused where they are not there', async () => {
    await expect(open(databaseOf('3.17.2'), 'team-x')).rejects.toMatchObject({
      code: 'UNKNOWN_WORKSPACE',
      message: expect.stringMatching(/has no workspace team-x.*It has: default$/) as string,
    });
    await expect(open(databaseOf('2.22.5'), '*')).rejects.toMatchObject({
      code: 'NO_WORKSPACES',
      category: 'usage',
    });
    const noFiles = /a folder of files has no workspaces/;
    expect(() => mlflowSource({ uri: './mlruns', workspace: '*' })).toThrow(noFiles);
    expect(() => fileStoreSource({ path: 'mlruns', workspace: '*' } as never)).toThrow(noFiles);
    const context = runContext({ env: { MLFLOW_TRACKING_URI: 'file:///data/mlruns' } });
    await expect(mlflowSource({ workspace: 'team-a' }).open(context)).rejects.toThrow(noFiles);
  });

  it('are chosen by MLflow’s variable where no option says which', async () => {
    const path = withCopyIn('team-a');
    const env = { MLFLOW_TRACKING_URI: `sqlite:///${path}`, MLFLOW_WORKSPACE: 'team-a' };
    const recorder = new Recorder();
    for (const [workspace, read] of [
      [undefined, 'team-a'],
      ['empty', 'empty'],
    ] as const) {
      const opened = await mlflowSource({ workspace }).open(runContext({ env, recorder }));
      onTestFinished(() => opened.close());
      expect(opened.workspaces).toEqual([read]);
      expect(opened.server).toMatchObject({ workspace: read });
    }
    expect(recorder.counts().warnings.find(({ code }) => code === 'OTHER_WORKSPACE')).toMatchObject(
      { message: expect.stringContaining('"team-a"') as string },
    );
    const bad = runContext({ env: { ...env, MLFLOW_WORKSPACE: 'A/B' } });
    await expect(mlflowSource().open(bad)).rejects.toThrow(/MLFLOW_WORKSPACE says "A\/B"/);
  });

  it('are asked for what is gone in those that are read, and whether others are there', async () => {
    const path = withCopyIn('team-a');
    change(
      path,
      `DELETE FROM registered_models WHERE name = 'stages' AND workspace = 'team-a'`,
      `UPDATE experiments SET lifecycle_stage = 'deleted' WHERE experiment_id = ${SHIFT + 1}`,
    );
    const keys: RecordKey[] = [
      'model stages',
      'model@team-a stages',
      'model@gone stages',
      'experiment 1',
      `experiment ${SHIFT + 2}`,
      `experiment@team-a ${SHIFT + 1}`,
      `experiment@team-a ${SHIFT + 2}`,
      'version 2 stages',
      'version@team-a 2 stages',
      'version@gone 2 stages',
    ];
    const gone = async (source: OpenSource) => [...((await source.findGone?.(keys)) ?? [])].sort();
    const inDefault = [`experiment ${SHIFT + 2}`];
    const inTeam = [`experiment@team-a ${SHIFT + 1}`, 'model@team-a stages'];
    const inNone = ['model@gone stages', 'version@gone 2 stages'];
    for (const [workspace, expected] of [
      ['*', [...inDefault, ...inTeam, ...inNone]],
      ['team-a', [...inTeam, ...inNone]],
      [undefined, [...inDefault, ...inNone]],
    ] as const) {
      expect(await gone((await open(path, workspace)).source)).toEqual([...expected].sort());
    }
    // One that knows no workspaces does not say.
    const old = await open(databaseOf('2.22.5'));
    expect(await gone(old.source)).toEqual([`experiment ${SHIFT + 2}`]);
  });
});
