import fc from 'fast-check';
import { EMPTY, lastValueFrom, NEVER, Observable, of, Subject, timer, toArray } from 'rxjs';
import { map, mergeMap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { pull } from '../../src/stream/pull.js';

/** Pages 0, 1, 2, ... that say how many were asked for, and whether they were closed. */
function countedPages(count: number) {
  const state = { asked: 0, closed: false };
  const pages: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const value = state.asked++;
        return Promise.resolve(value < count ? { done: false, value } : { done: true, value });
      },
      return: () => {
        state.closed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  return { pages, state };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('pull', () => {
  it('asks for no page while as many as allowed are on their way', async () => {
    const { pages, state } = countedPages(100);
    const done = Array.from({ length: 100 }, () => new Subject<never>());
    const subscription = pull(pages, {
      maxInFlight: 3,
      project: (page) => done[page] ?? EMPTY,
    }).subscribe();
    await settled();
    expect(state.asked).toBe(3);

    done[1]?.complete(); // a page may be done before one that came earlier
    await settled();
    expect(state.asked).toBe(4);

    done[0]?.complete();
    done[2]?.complete();
    await settled();
    expect(state.asked).toBe(6);
    subscription.unsubscribe();
  });

  it('never has more pages on their way than allowed, whatever the work and the reading take', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ read: fc.nat(3), work: fc.nat(3) }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (plan, maxInFlight) => {
          let asked = 0;
          let finished = 0;
          let most = 0;
          const pages: AsyncIterable<number> = {
            [Symbol.asyncIterator]: () => ({
              next: async () => {
                const value = asked++;
                most = Math.max(most, asked - finished);
                await new Promise((resolve) => setTimeout(resolve, plan[value]?.read ?? 0));
                return value < plan.length ? { done: false, value } : { done: true, value: 0 };
              },
            }),
          };
          const order: number[] = [];
          const result = await lastValueFrom(
            pull(pages, {
              maxInFlight,
              project: (page) => {
                order.push(page);
                return timer(plan[page]?.work ?? 0).pipe(
                  map(() => {
                    finished += 1;
                    return page;
                  }),
                );
              },
            }).pipe(toArray()),
          );
          expect(most).toBeLessThanOrEqual(maxInFlight);
          expect(order).toEqual(plan.map((_, index) => index));
          expect([...result].sort((a, b) => a - b)).toEqual(order);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is not stalled by work that drops everything, or adds to it', async () => {
    const { pages } = countedPages(50);
    const values = await lastValueFrom(
      pull(pages, {
        maxInFlight: 2,
        project: (page) => (page % 2 === 0 ? EMPTY : of(page, page)),
      }).pipe(toArray()),
    );
    expect(values).toHaveLength(50);
  });

  it('completes with nothing for an iterable without pages', async () => {
    const { pages, state } = countedPages(0);
    expect(
      await lastValueFrom(
        pull(pages, { maxInFlight: 4, project: (page) => of(page) }).pipe(toArray()),
      ),
    ).toEqual([]);
    expect(state.closed).toBe(false); // it ended by itself
  });

  it('ends with the error of the reading, after the pages before it', async () => {
    async function* failing() {
      yield await Promise.resolve(1);
      throw new Error('page 2 is gone');
    }
    const seen: number[] = [];
    await expect(
      lastValueFrom(
        pull(failing(), {
          maxInFlight: 4,
          project: (page) => {
            seen.push(page);
            return of(page);
          },
        }),
      ),
    ).rejects.toThrow('page 2 is gone');
    expect(seen).toEqual([1]);
  });

  it.each([
    [
      'an error of the work',
      () =>
        new Observable((s) => {
          s.error(new Error('no'));
        }),
    ],
    [
      'work that throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('ends with %s, and closes the iterable', async (_, project) => {
    const { pages, state } = countedPages(10);
    await expect(lastValueFrom(pull(pages, { maxInFlight: 2, project }))).rejects.toThrow('no');
    expect(state.closed).toBe(true);
    expect(state.asked).toBeLessThanOrEqual(2);
  });

  it('stops the work and closes the iterable when nobody listens any more', async () => {
    const { pages, state } = countedPages(10);
    let stopped = 0;
    const subscription = pull(pages, {
      maxInFlight: 2,
      project: () =>
        new Observable(() => () => {
          stopped += 1;
        }),
    }).subscribe();
    await settled();
    subscription.unsubscribe();
    await settled();
    expect(stopped).toBe(2);
    expect(state.closed).toBe(true);
    expect(state.asked).toBe(2);
  });

  it('holds a place for ever for work that never completes', async () => {
    const { pages, state } = countedPages(10);
    const subscription = pull(pages, {
      maxInFlight: 2,
      project: (page) => (page === 0 ? NEVER : of(page)),
    }).subscribe();
    await settled();
    expect(state.asked).toBe(11); // the other place goes on to the end
    subscription.unsubscribe();
  });

  it('can be read again', async () => {
    async function* pages() {
      yield* await Promise.resolve([1, 2, 3]);
    }
    const source: AsyncIterable<number> = { [Symbol.asyncIterator]: () => pages() };
    const pulled = pull(source, { maxInFlight: 2, project: (page) => of(page) }).pipe(toArray());
    expect(await lastValueFrom(pulled)).toEqual([1, 2, 3]);
    expect(await lastValueFrom(pulled)).toEqual([1, 2, 3]);
  });

  it('runs under operators that come after it', async () => {
    const { pages } = countedPages(5);
    const values = await lastValueFrom(
      pull(pages, { maxInFlight: 2, project: (page) => of(page) }).pipe(
        mergeMap((page) => of(page * 2)),
        toArray(),
      ),
    );
    expect(values).toEqual([0, 2, 4, 6, 8]);
  });
});
