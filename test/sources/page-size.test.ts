import { describe, expect, it } from 'vitest';
import type { MlflowStore } from '../../src/sources/store.js';
import { openFileStore } from '../../src/sources/file-store/file-store.js';
import { PAGE_LENGTH, PageSize } from '../../src/sources/page-size.js';
import { runContext } from '../../src/testing/run-context.js';
import { FileStoreFolder, runId } from '../support/file-store.js';
import { change, copyOf, valueOf } from '../support/mlflow-database.js';
import { sampleContent } from '../support/mlflow-server.js';
import { openStore } from './rest/open-store.js';
import { open as openSqlite } from './sqlite/reading.js';

describe('the size of pages', () => {
  it('is what was asked for where things are small, or nothing is in them', () => {
    const size = new PageSize(500);
    for (const [things, length] of [[500, 2_000_000] as const, [0, 0] as const, [3, 0] as const]) {
      size.saw(things, length);
      expect(size.current).toBe(500);
    }
  });

  it('falls at once to what fits, and grows back slowly', () => {
    const size = new PageSize(500);
    size.saw(500, 10 * PAGE_LENGTH);
    expect(size.current).toBe(50);
    const sizes = [1, 2, 3].map(() => {
      size.saw(size.current, 1000);
      return size.current;
    });
    expect(sizes).toEqual([63, 79, 99]);
    size.halve();
    expect(size.current).toBe(49);
  });

  it('is one at least, however large a thing is', () => {
    const size = new PageSize(2);
    size.saw(2, 100 * PAGE_LENGTH);
    size.halve();
    expect(size.current).toBe(1);
    size.saw(1, 10);
    expect(size.current).toBe(2);
  });
});

/** A million characters: eight of them are a page. */
const LARGE = 'x'.repeat(1_000_000);

describe('runs with large tags', () => {
  it('come in small pages over REST', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 40, models: 0 });
    for (const { data } of content.runs) data?.tags?.push({ key: 'large', value: LARGE });
    const { store, asked } = await openStore({ content }, { runsPageSize: 20 });
    expect(await runsOfPages(store, ['1'])).toEqual([20, 8, 8, 4]);
    expect(asked('runs/search').map(({ body }) => body['max_results'])).toEqual([20, 8, 8, 8]);
  });

  it('come in small pages out of a database', async () => {
    const path = copyOf('2.22.5');
    const large = `hex(zeroblob(${LARGE.length / 2}))`;
    change(
      path,
      `INSERT INTO tags(key, value, run_uuid) SELECT 'large', ${large}, run_uuid FROM runs`,
    );
    const store = await openSqlite(path, { runsPageSize: 12 });
    const ids = String(valueOf(path, 'SELECT group_concat(experiment_id) FROM experiments'));
    const sizes = await runsOfPages(store, ids.split(','));
    expect(sizes[0]).toBe(12);
    expect(Math.max(...sizes.slice(1))).toBeLessThanOrEqual(8);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(
      valueOf(path, `SELECT count(*) FROM runs WHERE lifecycle_stage = 'active'`),
    );
  });

  it('come in small pages out of files', async () => {
    const folder = new FileStoreFolder().experiment('0');
    for (let run = 1; run <= 30; run += 1) folder.run('0', runId(run), [], { 'tags/large': LARGE });
    const store = await openFileStore({ path: folder.path, runsPageSize: 20 }, runContext());
    expect(await runsOfPages(store, ['0'])).toEqual([20, 8, 2]);
  });
});

it('large versions of models come in small pages out of files', async () => {
  const folder = new FileStoreFolder().experiment('0').model('churn');
  for (let version = 1; version <= 30; version += 1) {
    folder.version('churn', version, [], { 'tags/large': LARGE });
  }
  const store = await openFileStore({ path: folder.path, versionsPageSize: 20 }, runContext());
  const sizes: number[] = [];
  for await (const { items } of store.modelVersions()) sizes.push(items.length);
  expect(sizes).toEqual([20, 8, 2]);
});

/** How many came in each page. */
async function runsOfPages(store: MlflowStore, ids: readonly string[]): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { items } of store.runs(ids)) sizes.push(items.length);
  return sizes;
}
