import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseOf } from '../../../src/sources/sql/revisions.js';
import { Recorder } from '../../../src/stream/recorder.js';
import { runContext } from '../../../src/testing/run-context.js';
import {
  change,
  copyOf,
  databaseOf,
  temporaryFolder,
  writerOf,
} from '../../support/mlflow-database.js';
import { open, readAll } from './reading.js';

function file(content: string | Uint8Array): string {
  const path = join(temporaryFolder(), 'some.db');
  writeFileSync(path, content);
  return path;
}

async function refusal(path: string) {
  const error: unknown = await open(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error as { code: string; category: string; message: string };
}

describe('a file that is refused', () => {
  it('a folder', async () => {
    const folder = temporaryFolder();
    expect(await refusal(folder)).toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: `${folder} is a folder: give the database file, such as mlflow.db in it`,
    });
  });

  it('something else than a database', async () => {
    const path = file('a,b,c\n'.repeat(5000));
    expect(await refusal(path)).toMatchObject({
      code: 'SOURCE_NOT_A_DATABASE',
      category: 'unavailable',
      message: expect.stringContaining(`${path} is not a SQLite database`) as string,
    });
  });

  it('an empty file', async () => {
    expect(await refusal(file(''))).toMatchObject({
      code: 'SOURCE_NOT_MLFLOW',
      message: expect.stringContaining('has no table of MLflow') as string,
    });
  });

  it("a database that is not MLflow's, with what it lacks", async () => {
    const path = file('');
    change(path, 'CREATE TABLE runs(id)', 'CREATE TABLE other(id)');
    const { code, message } = await refusal(path);
    expect(code).toBe('SOURCE_NOT_MLFLOW');
    expect(message).toContain('it lacks the tables alembic_version, experiments, experiment_tags');
  });

  it('a database of MLflow 1.27, with what to do', async () => {
    const path = databaseOf('1.27.0');
    expect(await refusal(path)).toMatchObject({
      code: 'SOURCE_TOO_OLD',
      category: 'unavailable',
      message:
        `${path} was made by an MLflow older than 1.28.0 (its schema is bd07f7e963c5). Copy it ` +
        'and upgrade the copy with MLflow 1.28.0 or later: mlflow db upgrade sqlite:///copy.db',
    });
  });

  it('a newer schema without columns that are needed, which are named', async () => {
    const path = copyOf('3.17.2');
    change(
      path,
      `UPDATE alembic_version SET version_num = 'abcdef012345'`,
      'ALTER TABLE runs RENAME COLUMN start_time TO began',
      'ALTER TABLE datasets RENAME COLUMN digest TO hash',
      'DROP TABLE input_tags',
    );
    const { code, message } = await refusal(path);
    expect(code).toBe('SOURCE_SCHEMA_UNKNOWN');
    expect(message).toContain('lacks runs.start_time, datasets.digest, input_tags. ');
    expect(message).toContain('schema abcdef012345 is of an MLflow newer than 3.17');
  });

  it('a known schema without columns that it should have', async () => {
    const path = copyOf('2.22.5');
    change(path, 'ALTER TABLE params RENAME COLUMN value TO v');
    const { code, message } = await refusal(path);
    expect(code).toBe('SOURCE_SCHEMA_UNKNOWN');
    expect(message).toContain('lacks params.value. The database is damaged');
  });

  it('a database that was cut off', async () => {
    const path = copyOf('2.22.5');
    writeFileSync(path, readFileSync(path).subarray(0, 40_000));
    const reading = open(path).then(readAll);
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_DAMAGED' });
  });

  it('a database left in the middle of a change', async () => {
    const path = copyOf('2.22.5');
    const writer = writerOf(path);
    writer.exec('PRAGMA cache_size=2');
    writer.exec(`BEGIN; WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)
      INSERT INTO experiment_tags SELECT 'key ' || i, 'value', 0 FROM c`);
    const copy = join(temporaryFolder(), 'copy.db');
    for (const end of ['', '-journal']) copyFileSync(path + end, copy + end);
    writer.exec('ROLLBACK');
    expect(await refusal(copy)).toMatchObject({
      code: 'SOURCE_NEEDS_RECOVERY',
      message: expect.stringContaining('start MLflow on it once') as string,
    });
  });
});

describe('a newer schema', () => {
  it('is read with a warning where all that is needed is there', async () => {
    const path = copyOf('3.17.2');
    change(path, `UPDATE alembic_version SET version_num = 'abcdef012345'`);
    const recorder = new Recorder();
    const store = await open(path, {}, runContext({ recorder }));
    expect(store.server.versionText).toBe('unknown, with the database schema abcdef012345');
    expect(await readAll(store)).toEqual(await readAll(await open(databaseOf('3.17.2'))));
    expect(recorder.counts().warnings).toMatchObject([
      { code: 'NEWER_SCHEMA', count: 1, examples: [`${path}: abcdef012345`] },
    ]);
  });
});

it('tells the MLflow of a revision', () => {
  expect(releaseOf('cc1f77228345')).toEqual({
    age: 'known',
    versionText: '1.28.0 or later, before 1.29.0',
  });
  expect(releaseOf('0584bdc529eb').versionText).toBe('2.18.0 or later, before 3.0.0');
  expect(releaseOf('451aebb31d03').age).toBe('older');
  expect(releaseOf('').age).toBe('unknown');
});
