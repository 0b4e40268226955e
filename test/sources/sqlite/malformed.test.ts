import { describe, expect, it } from 'vitest';
import { Recorder } from '../../../src/stream/recorder.js';
import { runContext } from '../../../src/testing/run-context.js';
import { change, copyOf, databaseOf, valueOf } from '../../support/mlflow-database.js';
import { collect, open, readAll } from './reading.js';

describe('a row that makes no sense', () => {
  it('is a rejection, and the rest of the page arrives', async () => {
    const path = copyOf('2.22.5');
    const before = await readAll(await open(path));
    const [first, second, third, fourth] = before.runs.map(({ runId }) => runId);
    // Nobody asks for the runs of an experiment that could not be read.
    const kept = before.runs.slice(4).filter(({ experimentId }) => experimentId !== '12');
    change(
      path,
      `UPDATE runs SET start_time = 'yesterday' WHERE run_uuid = '${first ?? ''}'`,
      `INSERT INTO params(key, value, run_uuid) VALUES ('blob', x'80', '${second ?? ''}')`,
      `INSERT INTO latest_metrics(key, value, timestamp, step, is_nan, run_uuid)
       VALUES ('text', 'high', 0, 0, 0, '${third ?? ''}')`,
      `UPDATE runs SET end_time = 1.5 WHERE run_uuid = '${fourth ?? ''}'`,
      `UPDATE model_versions SET creation_time = 'never' WHERE name = 'plain'`,
      `UPDATE registered_models SET description = x'00' WHERE name = 'tagged'`,
      `UPDATE experiments SET creation_time = 'soon' WHERE experiment_id = 12`,
    );
    const after = await readAll(await open(path, { runsPageSize: 2 }));
    expect(after.runs).toEqual(kept);
    expect(after.modelVersions).toEqual(before.modelVersions.filter((v) => v.name !== 'plain'));
    expect(after.registeredModels).toEqual(
      before.registeredModels.filter(({ name }) => name !== 'tagged'),
    );
    expect(after.rejected.map(({ kind, code, identity }) => [kind, code, identity])).toEqual([
      ['record', 'MALFORMED_EXPERIMENT', 'experiment 12'],
      ['record', 'MALFORMED_RUN', `run ${first ?? ''}`],
      ['record', 'MALFORMED_RUN', `run ${second ?? ''}`],
      ['record', 'MALFORMED_RUN', `run ${third ?? ''}`],
      ['record', 'MALFORMED_RUN', `run ${fourth ?? ''}`],
      ['record', 'MALFORMED_REGISTERED_MODEL', 'registered model tagged'],
      ['record', 'MALFORMED_MODEL_VERSION', 'model version plain version 1'],
    ]);
    const [, ...ofRuns] = after.rejected;
    expect(ofRuns[0]?.message).toContain('start_time should be a whole number');
    expect(ofRuns[0]?.content).toMatchObject({ info: { start_time: 'yesterday' } });
  });

  it('is a rejection where its key is no text', async () => {
    const path = copyOf('2.22.5');
    const before = await readAll(await open(path));
    change(
      path,
      `INSERT INTO runs(run_uuid, status, lifecycle_stage, experiment_id) VALUES
       (x'00', 'FINISHED', 'active', 0), ('', 'FINISHED', 'active', 0)`,
      `INSERT INTO registered_models(name) VALUES (x'01'), ('')`,
      `INSERT INTO model_versions(name, version, current_stage) VALUES
       ('plain', 'two', 'None'), ('', 1, 'None'), (x'02', 1, 'None')`,
    );
    const after = await readAll(await open(path, { runsPageSize: 3, versionsPageSize: 3 }));
    expect(after.rejected.map(({ code }) => code)).toEqual([
      ...Array<string>(2).fill('MALFORMED_RUN'),
      ...Array<string>(2).fill('MALFORMED_REGISTERED_MODEL'),
      ...Array<string>(3).fill('MALFORMED_MODEL_VERSION'),
    ]);
    expect({ ...after, rejected: [] }).toEqual(before);
  });
});

describe('workspaces of MLflow 3', () => {
  it('are left out but for the default one, with a warning that counts them', async () => {
    const path = copyOf('3.17.2');
    const before = await readAll(await open(path));
    const runId = 'f'.repeat(32);
    change(
      path,
      `INSERT INTO experiments(experiment_id, name, lifecycle_stage, workspace) VALUES
       (500, 'theirs', 'active', 'team-b'), (501, 'theirs too', 'active', 'team-b'),
       (502, 'plain', 'active', 'team-c')`,
      `INSERT INTO runs(run_uuid, status, lifecycle_stage, experiment_id)
       VALUES ('${runId}', 'FINISHED', 'active', 500)`,
      `INSERT INTO registered_models(name, workspace) VALUES ('plain', 'team-b')`,
      `INSERT INTO registered_model_tags(name, key, value, workspace) VALUES
       ('plain', 'mlflow.prompt.is_prompt', 'true', 'team-b'), ('plain', 'x', 'theirs', 'team-b')`,
      `INSERT INTO registered_model_aliases(name, alias, version, workspace)
       VALUES ('plain', 'theirs', 9, 'team-b')`,
      `INSERT INTO model_versions(name, version, current_stage, workspace)
       VALUES ('plain', 1, 'None', 'team-b'), ('plain', 9, 'None', 'team-b')`,
      `INSERT INTO model_version_tags(name, version, key, value, workspace)
       VALUES ('plain', 1, 'x', 'theirs', 'team-b')`,
    );
    const recorder = new Recorder();
    const store = await open(path, {}, runContext({ recorder }));
    expect(await readAll(store)).toEqual(before);
    expect((await store.runsById([runId])).items).toEqual([]);
    expect(await store.count()).toMatchObject({ experiments: before.experiments.length });
    expect(recorder.counts().skipped).toEqual({
      'experiments of other workspaces': 3,
      'registered_models of other workspaces': 1,
    });
    expect(recorder.counts().warnings).toEqual([
      {
        code: 'OTHER_WORKSPACE',
        message: expect.stringContaining('Only the workspace "default"') as string,
        count: 3,
        examples: ['team-b: 2 experiments', 'team-c: 1 experiments', 'team-b: 1 registered models'],
      },
    ]);
  });

  it('warn of nothing where there are none', async () => {
    const recorder = new Recorder();
    await open(databaseOf('3.17.2'), {}, runContext({ recorder }));
    expect(recorder.counts()).toMatchObject({ skipped: {}, warnings: [] });
  });
});

describe('ids greater than what a number holds', () => {
  it('stay as they are', async () => {
    const path = copyOf('2.22.5');
    const [id, next] = ['9007199254740993', '9223372036854775807'];
    change(
      path,
      `INSERT INTO experiments(experiment_id, name, lifecycle_stage) VALUES
       (${id}, 'big', 'active'), (${next}, 'biggest', 'active')`,
      `INSERT INTO experiment_tags(experiment_id, key, value) VALUES (${id}, 'k', 'v')`,
      `INSERT INTO runs(run_uuid, status, lifecycle_stage, experiment_id)
       VALUES ('big', 'FINISHED', 'active', ${id})`,
    );
    const store = await open(path, { experimentsPageSize: 1 });
    const { experiments, runs } = await readAll(store);
    expect(experiments.slice(-2)).toMatchObject([
      { experimentId: id, tags: [{ key: 'k', value: 'v' }] },
      { experimentId: next },
    ]);
    expect(runs.find(({ runId }) => runId === 'big')?.experimentId).toBe(id);
    expect(await collect(store.runs([id]))).toHaveLength(1);
    expect(valueOf(path, 'SELECT count(*) FROM experiments')).toBe(15);
  });
});
