import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ask } from '../../../src/sources/sql/query.js';
import { sqliteDialect } from '../../../src/sources/sqlite/dialect.js';
import { ReadOnlyDatabase } from '../../../src/sources/sqlite/read-only-database.js';
import { runContext } from '../../../src/testing/run-context.js';
import {
  change,
  copyOf,
  databaseOf,
  temporaryFolder,
  valueOf,
  writerOf,
} from '../../support/mlflow-database.js';
import { collect, open, readAll } from './reading.js';

const INSERT = `INSERT INTO experiment_tags(experiment_id, key, value) VALUES (0, 'k', 'v')`;

describe('a database opened to be read', () => {
  it('refuses to be written to, and is the same afterwards', async () => {
    const path = copyOf('2.22.5');
    const before = readFileSync(path);
    const database = ReadOnlyDatabase.open(path, 0, runContext());
    const write = database.read(() => ask(`${INSERT} RETURNING key`));
    await expect(write).rejects.toThrow('attempt to write a readonly database');
    await database.close();
    await readAll(await open(path));
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(join(path, '..'))).toEqual(['mlflow.db']);
  });

  it('is not created where it is missing', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'missing.db');
    await expect(open(path)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      category: 'unavailable',
      message: expect.stringContaining(`${path} does not exist`) as string,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('may have any character in its path', async () => {
    const folder = join(temporaryFolder(), 'a?b#c%20 d&mode=rwc 東京');
    mkdirSync(folder);
    const path = copyOf('2.22.5', `x?y#z%41.db`);
    const store = await open(path);
    expect((await readAll(store)).runs).toHaveLength(43);
    expect(readdirSync(join(path, '..'))).toEqual(['x?y#z%41.db']);
    const missing = join(folder, 'x.db?mode=rwc');
    await expect(open(missing)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives texts and numbers exactly', async () => {
    const database = ReadOnlyDatabase.open(databaseOf('2.22.5'), 0, runContext());
    const rows = await database.read(() =>
      ask(
        sqliteDialect.select(
          ['a', 'b', { real: 'c' }],
          `(SELECT 'x' || char(0) || 'y' AS a, x'00ff' AS b, 1.0 / 3 AS c
            UNION ALL SELECT NULL, 9007199254740991, 9e999
            UNION ALL SELECT CAST(x'ff' AS TEXT), '', 'text')`,
        ),
      ),
    );
    expect(rows).toEqual([
      ['x\0y', ['00FF'], '0.33333333333333331'],
      [null, 9007199254740991, 'Inf'],
      ['\ufffd', '', ['74657874']],
    ]);
    await database.close();
  });
});

describe('who writes to it', () => {
  it('commits between two pages while an iteration is open', async () => {
    const path = copyOf('2.22.5');
    const writer = writerOf(path);
    const store = await open(path, { runsPageSize: 5, versionsPageSize: 2 });
    const runs = store.runs(['1', '2', '3', '4', '5'])[Symbol.asyncIterator]();
    const versions = store.modelVersions()[Symbol.asyncIterator]();
    let commits = 0;
    for (;;) {
      const pages = [await runs.next(), await versions.next()];
      // Throws SQLITE_BUSY at once where any reader still holds a lock.
      writer.exec(`INSERT INTO experiment_tags VALUES ('after page ${commits}', 'v', 0)`);
      commits += 1;
      if (pages.every(({ done }) => done === true)) break;
    }
    expect(commits).toBeGreaterThan(5);
    // Also where an iteration is given up half-way.
    await store.registeredModels()[Symbol.asyncIterator]().next();
    writer.exec(INSERT);
  });

  it('is not held up by a query that fails', async () => {
    const path = copyOf('2.22.5');
    const writer = writerOf(path);
    const database = ReadOnlyDatabase.open(path, 0, runContext());
    const overflow = sqliteDialect.select(['abs(-9223372036854775807 - (rowid > 2))'], 'runs');
    await expect(database.read(() => ask(overflow))).rejects.toThrow(/overflow/);
    writer.exec(INSERT);
    await database.close();
  });

  it('is waited for, and not held up afterwards', async () => {
    const path = copyOf('2.22.5');
    const context = runContext();
    const store = await open(path, { lockTimeoutMs: 20_000 }, context);
    const expected = (await readAll(store)).registeredModels;
    const writer = writerOf(path);
    for (let round = 0; round < 2; round += 1) {
      writer.exec('BEGIN EXCLUSIVE');
      const reading = collect(store.registeredModels());
      const count = store.count();
      await sleep(150);
      writer.exec('COMMIT');
      expect(await reading).toEqual(expected);
      expect(await count).toMatchObject({ registeredModels: expected.length });
      writer.exec(`INSERT INTO experiment_tags VALUES ('round ${round}', 'v', 0)`);
    }
    expect(context.recorder.retries).toBeGreaterThan(1);
  });

  it('ends the reading when it keeps the lock, with advice', async () => {
    const path = copyOf('2.22.5');
    const store = await open(path, { lockTimeoutMs: 100 });
    const writer = writerOf(path);
    writer.exec('BEGIN EXCLUSIVE');
    const locked = {
      code: 'SOURCE_LOCKED',
      category: 'unavailable',
      message: expect.stringContaining(`${path} is locked by another process`) as string,
    };
    await expect(collect(store.experiments())).rejects.toMatchObject(locked);
    await expect(open(path, { lockTimeoutMs: 0 })).rejects.toMatchObject(locked);
    writer.exec('COMMIT');
    writer.exec(INSERT);
    await expect(collect(store.experiments())).resolves.toHaveLength(12);
    writer.exec(INSERT.replace("'k'", "'k2'"));
  });

  it('is not waited for once the run is aborted', async () => {
    const path = copyOf('2.22.5');
    const abort = new AbortController();
    const context = runContext({ signal: abort.signal });
    const store = await open(path, { lockTimeoutMs: 3_600_000 }, context);
    writerOf(path).exec('BEGIN EXCLUSIVE');
    const reading = collect(store.experiments());
    setTimeout(() => {
      abort.abort(new Error('stopped by a test'));
    }, 100);
    await expect(reading).rejects.toThrow('stopped by a test');
    await expect(collect(store.experiments())).rejects.toThrow('stopped by a test');
  });

  it('may use a write-ahead log', async () => {
    const path = copyOf('2.22.5');
    change(path, 'PRAGMA journal_mode=WAL');
    const writer = writerOf(path);
    writer.exec(`INSERT INTO experiments(experiment_id, name, lifecycle_stage)
      VALUES (100, 'only in the log', 'active')`);
    expect(existsSync(`${path}-wal`)).toBe(true);
    const store = await open(path, { experimentsPageSize: 5 });
    const pages = store.experiments()[Symbol.asyncIterator]();
    await pages.next();
    writer.exec(INSERT);
    expect((await readAll(store)).experiments.at(-1)?.name).toBe('only in the log');
    expect(valueOf(path, 'PRAGMA journal_mode')).toBe('wal');
  });
});
