import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../src/sources/sqlite/sqlite-store.js';
import { sqlitePath, sqliteUri } from '../../../src/sources/sqlite/uri.js';
import { runContext } from '../../../src/testing/run-context.js';

describe('sqlitePath', () => {
  it.each([
    ['sqlite:///mlflow.db', 'mlflow.db'],
    ['sqlite:////data/mlflow.db', '/data/mlflow.db'],
    ['sqlite:///C:/data/mlflow.db', 'C:/data/mlflow.db'],
    ['sqlite+pysqlite:///a%20b.db?timeout=5', 'a%20b.db'],
    [' sqlite:///my store.db\n', 'my store.db'],
  ])('%s is %s', (uri, path) => {
    expect(sqlitePath(uri)).toBe(path);
  });

  it.each(['sqlite://', 'sqlite:///', 'sqlite:///:memory:', 'sqlite://mlflow.db', 'mlflow.db'])(
    'refuses %s',
    (uri) => {
      expect(() => sqlitePath(uri)).toThrow(/sqlite:\/\/\/relative.db/);
    },
  );

  it('is the inverse of sqliteUri', () => {
    for (const path of ['a.db', '/b/c.db']) expect(sqlitePath(sqliteUri(path))).toBe(path);
  });
});

it('names an option that there is none of', async () => {
  const options = { path: 'x.db', runsPagesize: 5 };
  await expect(openSqliteStore(options, runContext())).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
    message: expect.stringContaining('did you mean "runsPageSize"') as string,
  });
});
