import { describe, expect, it } from 'vitest';
import { PagesAhead } from '../../src/stream/pages-ahead.js';
import { onReturn } from '../../src/stream/pages.js';

/** Numbers from 1, and what was asked of them. */
function numbers(end: number, failAt?: number) {
  const told = { asked: 0, closed: 0 };
  const pages: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        told.asked += 1;
        if (told.asked === failAt) return Promise.reject(new Error('no page'));
        const done = told.asked > end;
        return Promise.resolve(
          done ? { done, value: undefined } : { done: false, value: told.asked },
        );
      },
      return: () => {
        told.closed += 1;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  return { pages, told };
}

async function taken(pages: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

describe('PagesAhead', () => {
  it('asks for the first pages before they are taken, and for no more', async () => {
    const { pages, told } = numbers(5);
    const ahead = new PagesAhead(pages, 2);
    await Promise.resolve();
    expect(told.asked).toBe(2);
    expect(await taken(ahead)).toEqual([1, 2, 3, 4, 5]);
  });

  it.each([0, 1, 2])('gives all pages where there are %i', async (count) => {
    const { pages } = numbers(count);
    const all = Array.from({ length: count }, (_, index) => index + 1);
    expect(await taken(new PagesAhead(pages, 2))).toEqual(all);
  });

  it('tells an error where its page is taken', async () => {
    const { pages } = numbers(5, 2);
    const iterator = new PagesAhead(pages, 2)[Symbol.asyncIterator]();
    await new Promise(setImmediate); // an error that nobody had taken would end the test by now
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await expect(iterator.next()).rejects.toThrow('no page');
  });

  it('closes what it asks, taken or not', async () => {
    const { pages, told } = numbers(5);
    const ahead = new PagesAhead(pages, 2);
    await ahead.close();
    expect(told.closed).toBe(1);
    for await (const page of ahead) if (page === 1) break;
    expect(told.closed).toBe(2);
  });
});

describe('onReturn', () => {
  it('does something more where pages are not wanted any more', async () => {
    const { pages, told } = numbers(5);
    let ended = 0;
    const end = (): Promise<void> => {
      ended += 1;
      return Promise.resolve();
    };
    for await (const page of onReturn(pages, end)) if (page === 2) break;
    expect([told.closed, ended]).toEqual([1, 1]);
    expect(await taken(onReturn(numbers(2).pages, end))).toEqual([1, 2]);
    expect(ended).toBe(1);
  });
});
