import { describe, expect, it } from 'vitest';
import { change, copyOf, type MlflowVersion, valueOf } from '../../support/mlflow-database.js';
import { open, readAll } from './reading.js';

describe('what is awkward but legal', () => {
  const aRun = `(SELECT min(run_uuid) FROM runs WHERE lifecycle_stage = 'active')`;

  async function firstRun(version: MlflowVersion, ...statements: string[]) {
    const path = copyOf(version);
    change(path, ...statements);
    const id = String(valueOf(path, `SELECT ${aRun}`));
    const { items, rejected } = await (await open(path)).runsById([id]);
    expect(rejected).toEqual([]);
    const [run] = items;
    if (run === undefined) throw new Error('no run');
    return run;
  }

  it('reads a run without times as 0 and absent', async () => {
    const sql = `UPDATE runs SET start_time = NULL, end_time = 0 WHERE run_uuid = ${aRun}`;
    const run = await firstRun('3.17.2', sql);
    expect(run.startTime).toBe(0);
    expect(run).not.toHaveProperty('endTime');
  });

  it('takes the name of a run from its column before the tag, but on 1.28 from the tag', async () => {
    const statements = [
      `UPDATE runs SET name = 'column' WHERE run_uuid = ${aRun}`,
      `INSERT OR REPLACE INTO tags(key, value, run_uuid) VALUES ('mlflow.runName', 'tag', ${aRun})`,
    ];
    expect((await firstRun('1.28.0', ...statements)).runName).toBe('tag');
    expect((await firstRun('2.22.5', ...statements)).runName).toBe('column');
    const without = [...statements, `UPDATE runs SET name = '' WHERE run_uuid = ${aRun}`];
    expect((await firstRun('2.22.5', ...without)).runName).toBe('tag');
  });

  it('reads empty and missing texts as not set, and as empty where they are values', async () => {
    const run = await firstRun(
      '2.22.5',
      `UPDATE runs SET user_id = '', artifact_uri = NULL WHERE run_uuid = ${aRun}`,
      `DELETE FROM tags WHERE run_uuid = ${aRun}`,
      `INSERT INTO tags(key, value, run_uuid) VALUES ('null', NULL, ${aRun}), ('empty', '', ${aRun})`,
    );
    expect(run).not.toHaveProperty('userId');
    expect(run).not.toHaveProperty('artifactUri');
    expect(run.tags).toEqual([
      { key: 'empty', value: '' },
      { key: 'null', value: '' },
    ]);
  });

  it('keeps every digit of a metric', async () => {
    const values = [1 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.1, 3, 1e22, 123456789.125];
    const run = await firstRun(
      '2.22.5',
      `DELETE FROM latest_metrics WHERE run_uuid = ${aRun}`,
      ...values.map(
        (value, place) =>
          `INSERT INTO latest_metrics(key, value, timestamp, step, is_nan, run_uuid)
           VALUES ('m${place}', ${value}, -${place + 1}, ${place}, 0, ${aRun})`,
      ),
      `INSERT INTO latest_metrics(key, value, timestamp, step, is_nan, run_uuid)
       VALUES ('nan', 0, 1, 1, 1, ${aRun})`,
    );
    expect(run.metrics).toEqual([
      ...values.map((value, place) => ({
        key: `m${place}`,
        value,
        timestamp: -(place + 1),
        step: place,
      })),
      { key: 'nan', value: NaN, timestamp: 1, step: 1 },
    ]);
  });

  it('reads a text with a NUL whole, and one that is not UTF-8 without falling over', async () => {
    const run = await firstRun(
      '2.22.5',
      `DELETE FROM params WHERE run_uuid = ${aRun}`,
      `INSERT INTO params(key, value, run_uuid) VALUES
       ('nul', 'before' || char(0) || 'after', ${aRun}),
       ('latin', CAST(x'c4fc' AS TEXT) || 'x', ${aRun})`,
    );
    expect(run.params).toEqual([
      { key: 'latin', value: '\ufffd\ufffdx' },
      { key: 'nul', value: 'before\0after' },
    ]);
  });

  it('pages past names with a NUL or that are not UTF-8', async () => {
    const path = copyOf('2.22.5');
    change(
      path,
      `DELETE FROM registered_models`,
      `DELETE FROM model_versions`,
      `INSERT INTO registered_models(name) VALUES ('a'), ('a' || char(0)), ('a' || char(0) || 'b'),
       (CAST(x'62ff' AS TEXT)), (CAST(x'62fffe' AS TEXT)), ('c')`,
      `INSERT INTO model_versions(name, version, current_stage, creation_time)
       SELECT name, 1, 'None', 0 FROM registered_models`,
    );
    const { registeredModels, modelVersions, rejected } = await readAll(
      await open(path, { modelsPageSize: 1, versionsPageSize: 1 }),
    );
    const names = ['a', 'a\0', 'a\0b', 'b\ufffd', 'b\ufffd\ufffd', 'c'];
    expect(registeredModels.map(({ name }) => name)).toEqual(names);
    expect(modelVersions.map(({ name }) => name)).toEqual(names);
    expect(rejected).toEqual([]);
  });

  it('leaves out versions of a model that only its own tag calls a prompt', async () => {
    const path = copyOf('3.17.2');
    change(
      path,
      `INSERT INTO registered_model_tags(name, key, value) VALUES
       ('plain', 'mlflow.prompt.is_prompt', 'true'), ('tagged', 'mlflow.prompt.is_prompt', 'false')`,
    );
    const { registeredModels, modelVersions } = await readAll(await open(path));
    for (const names of [registeredModels, modelVersions].map((l) => l.map(({ name }) => name))) {
      expect(names).not.toContain('plain');
      expect(names).toContain('tagged');
    }
  });
});
