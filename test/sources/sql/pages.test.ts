import { expect, it } from 'vitest';
import { PipelineError } from '../../../src/core/errors.js';
import { sqliteDialect } from '../../../src/sources/sqlite/dialect.js';
import { keyedPages, PAGE_TOO_LARGE, type PageReader } from '../../../src/sources/sql/pages.js';
import { ask, type Reading, type SqlDatabase } from '../../../src/sources/sql/query.js';

/** Numbers from 1, of which so many at a time can be given. */
function database(count: number, fitting: number) {
  const asked: number[] = [];
  const read = <T>(reading: () => Reading<T>): Promise<T> => {
    const steps = reading();
    const step = steps.next();
    if (step.done === true) return Promise.resolve(step.value);
    const [after, size] = step.value.parameters as [number, number];
    asked.push(size);
    if (size > fitting) {
      const detail = { code: PAGE_TOO_LARGE, category: 'unavailable' } as const;
      return Promise.reject(new PipelineError('it is too large', detail));
    }
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const rows = numbers.filter((each) => each > after).slice(0, size);
    return Promise.resolve(steps.next(rows.map((each) => [each])).value as T);
  };
  const fake: SqlDatabase = { dialect: sqliteDialect, read, close: () => Promise.resolve() };
  return { fake, asked };
}

const reader: PageReader<number> = function* (after, pageSize) {
  const rows = yield* ask('numbers', [...(after ?? [0]), pageSize]);
  const items = rows.map(([number]) => Number(number));
  const last = items.at(-1);
  const page = { items, rejected: [] };
  return items.length < pageSize || last === undefined ? { page } : { page, next: [last] };
};

it('what a database can not give at once is read in smaller pages, all of it once', async () => {
  const { fake, asked } = database(20, 3);
  const items: number[] = [];
  for await (const page of keyedPages(fake, reader, 16)) items.push(...page.items);
  expect(items).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(asked.slice(0, 4)).toEqual([16, 8, 4, 2]);
});

it('a single thing that is too large is an error', async () => {
  const { fake } = database(3, 0);
  const pages = keyedPages(fake, reader, 4);
  await expect(pages.next()).rejects.toMatchObject({ code: PAGE_TOO_LARGE });
});
