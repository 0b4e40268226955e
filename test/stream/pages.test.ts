import fc from 'fast-check';
import { lastValueFrom, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { concatPages, interleavePages, mapPages, stoppablePages } from '../../src/stream/pages.js';
import { pull } from '../../src/stream/pull.js';

/** The pages given, each answered after its own number of milliseconds; counts what is asked. */
function slowPages<T>(pages: readonly T[], delays: readonly number[], asked = { count: 0 }) {
  return (): AsyncIterable<T> => ({
    [Symbol.asyncIterator]: () => {
      async function* read() {
        for (const [index, page] of pages.entries()) {
          await new Promise((resolve) => setTimeout(resolve, delays[index % delays.length] ?? 0));
          yield page;
        }
      }
      const iterator = read();
      return {
        next: () => {
          asked.count += 1;
          return iterator.next();
        },
        return: () => iterator.return(undefined),
      };
    },
  });
}

/** Reads with `width` overlapping calls. */
async function readAll<T>(pages: AsyncIterable<T>, width: number): Promise<T[]> {
  const iterator = pages[Symbol.asyncIterator]();
  const values: T[] = [];
  const pending: Promise<IteratorResult<T, unknown>>[] = [];
  for (;;) {
    while (pending.length < width) pending.push(iterator.next());
    const result = await pending.shift();
    if (result === undefined || result.done === true) {
      await Promise.all(pending);
      return values;
    }
    values.push(result.value);
  }
}

const lists = fc.array(fc.array(fc.nat(), { maxLength: 5 }), { maxLength: 6 });
const delays = fc.array(fc.nat(3), { minLength: 1, maxLength: 4 });

/** In turns over at most `width` lists at a time: what interleaving should come to. */
function inTurns(input: readonly (readonly number[])[], width: number): number[] {
  const waiting = input.map((list) => [...list]);
  const lanes = waiting.splice(0, width);
  const result: number[] = [];
  let turn = 0;
  while (lanes.length > 0) {
    if (turn >= lanes.length) turn = 0;
    const value = lanes[turn]?.shift();
    if (value === undefined) {
      lanes.splice(turn, 1, ...waiting.splice(0, 1));
    } else {
      result.push(value);
      turn += 1;
    }
  }
  return result;
}

describe('interleavePages', () => {
  it('gives the same order whatever the answers take and however many calls overlap', async () => {
    await fc.assert(
      fc.asyncProperty(
        lists,
        delays,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (input, slow, width, overlap) => {
          const pages = interleavePages(
            input.map((list, index) => slowPages(list, slow.slice(index % slow.length))),
            width,
          );
          expect(await readAll(pages, overlap)).toEqual(inTurns(input, width));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('loses nothing where calls come at any time, and asks for no more than was called for', async () => {
    await fc.assert(
      fc.asyncProperty(
        lists,
        delays,
        delays,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (input, slow, work, width, maxInFlight) => {
          const asked = { count: 0 };
          let called = 0;
          let mostAhead = 0;
          const interleaved = interleavePages(
            input.map((list, index) =>
              slowPages(list, slow.slice(index % slow.length), {
                get count() {
                  return asked.count;
                },
                set count(value) {
                  asked.count = value;
                  // Finding the end of a list is a call that gives no page.
                  mostAhead = Math.max(mostAhead, value - called - input.length * maxInFlight);
                },
              }),
            ),
            width,
          );
          const counted: AsyncIterable<number> = {
            [Symbol.asyncIterator]: () => {
              const iterator = interleaved[Symbol.asyncIterator]();
              return {
                next: () => {
                  called += 1;
                  return iterator.next();
                },
              };
            },
          };
          const order: number[] = [];
          await lastValueFrom(
            pull(counted, {
              maxInFlight,
              project: (page, index) => {
                order.push(page);
                return timer(work[index % work.length] ?? 0);
              },
            }),
            { defaultValue: undefined },
          );
          expect(order).toEqual(inTurns(input, width));
          expect(mostAhead).toBeLessThanOrEqual(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('reads as many at a time as its width, and nothing that was not asked for', async () => {
    const asked = { count: 0 };
    const pages = interleavePages(
      [1, 2, 3].map(() => slowPages([1, 2, 3], [0], asked)),
      2,
    );
    const iterator = pages[Symbol.asyncIterator]();
    expect(asked.count).toBe(0);
    const answers = [iterator.next(), iterator.next()];
    expect(asked.count).toBe(2); // both at once, before either was answered
    await Promise.all(answers);
    expect(asked.count).toBe(2);
    await iterator.return?.();
  });

  it('passes an error on in its turn', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw new Error('gone');
    }
    const iterator = interleavePages([failing, slowPages([10, 20], [1])], 2)[
      Symbol.asyncIterator
    ]();
    const answers = await Promise.allSettled([iterator.next(), iterator.next(), iterator.next()]);
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});

describe('interleavePages where pages bring more to read', () => {
  it('reads what they bring before what waits, in the same order whatever answers take', async () => {
    const open = (values: readonly number[], wait: readonly number[]) =>
      slowPages(values, wait.length === 0 ? [0] : wait);
    await fc.assert(
      fc.asyncProperty(delays, fc.integer({ min: 1, max: 4 }), async (slow, overlap) => {
        const lists: Readonly<Record<number, readonly (readonly number[])[]>> = {
          2: [[20, 21], [25]],
          21: [[210]],
        };
        const pages = interleavePages(
          [open([1, 2], slow), open([5, 6, 7], slow), open([9], slow)],
          2,
          (page) => (lists[page] ?? []).map((list) => open(list, slow)),
        );
        expect(await readAll(pages, overlap)).toEqual([1, 5, 2, 6, 20, 7, 21, 210, 25, 9]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('interleavePages that is left early, or asked for little', () => {
  const long = (asked: { count: number }) => slowPages([1, 2, 3, 4, 5, 6, 7, 8, 9], [1], asked);

  it('opens nothing more, though the page that brings it is on its way', async () => {
    const asked = { count: 0 };
    let opened = 0;
    const more = () => {
      opened += 1;
      return long(asked)();
    };
    const pages = interleavePages([long(asked)], 4, () => [more, more]);
    const iterator = pages[Symbol.asyncIterator]();
    const calls = Array.from({ length: 5 }, () => iterator.next());
    await iterator.return?.();
    const before = asked.count;
    await Promise.all(calls);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(opened).toBe(0);
    expect(asked.count).toBe(before);
  });

  it('asks for no more than was called for, whatever pages bring', async () => {
    await fc.assert(
      fc.asyncProperty(
        delays,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        async (slow, width, overlap) => {
          let called = 0;
          let made = 0;
          const lane = (values: readonly number[]) =>
            async function* () {
              for (const [index, value] of values.entries()) {
                await new Promise((resolve) => setTimeout(resolve, slow[index % slow.length]));
                made += 1;
                expect(made).toBeLessThanOrEqual(called);
                yield value;
              }
            };
          const pages = interleavePages([lane([1, 2]), lane([5, 6, 7])], width, (page) =>
            page === 2 ? [lane([20, 21]), lane([25]), lane([26])] : [],
          );
          const iterator = pages[Symbol.asyncIterator]();
          const call = () => {
            called += 1;
            return iterator.next();
          };
          const pending = Array.from({ length: overlap }, call);
          const values: number[] = [];
          for (;;) {
            const result = await pending.shift();
            if (result === undefined || result.done === true) break;
            values.push(result.value);
            pending.push(call());
          }
          expect(values.toSorted((a, b) => a - b)).toEqual([1, 2, 5, 6, 7, 20, 21, 25, 26]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('stoppablePages', () => {
  it('tells what it opened that nobody waits any more, before it closes it', async () => {
    const told: string[] = [];
    const pages = stoppablePages(async function* (stopped) {
      try {
        yield await Promise.resolve(1);
        yield 2;
      } finally {
        told.push(stopped.aborted ? 'stopped' : 'not told');
      }
    });
    expect(await readAll(pages, 2)).toEqual([1, 2]);
    const iterator = pages[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    expect(told).toEqual(['not told', 'stopped']);
  });
});

describe('concatPages', () => {
  it('gives the sections in their order however many calls overlap', async () => {
    await fc.assert(
      fc.asyncProperty(
        lists,
        delays,
        fc.integer({ min: 1, max: 5 }),
        async (input, slow, overlap) => {
          const pages = concatPages(input.map((list) => slowPages(list, slow)));
          expect(await readAll(pages, overlap)).toEqual(input.flat());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('opens a section only when the one before it has ended', async () => {
    const opened: string[] = [];
    const section = (name: string) => () => {
      opened.push(name);
      return slowPages([name], [0])();
    };
    const iterator = concatPages([section('a'), section('b')])[Symbol.asyncIterator]();
    await iterator.next();
    expect(opened).toEqual(['a']);
    await iterator.next();
    expect(opened).toEqual(['a', 'b']);
  });
});

describe('mapPages', () => {
  it('maps in the pages’ order and passes overlapping calls on', async () => {
    const asked = { count: 0 };
    const seen: number[] = [];
    const pages = mapPages(slowPages([1, 2, 3], [2, 0], asked)(), (page) => {
      seen.push(page);
      return page * 10;
    });
    const iterator = pages[Symbol.asyncIterator]();
    const answers = [iterator.next(), iterator.next(), iterator.next()];
    expect(asked.count).toBe(3);
    expect((await Promise.all(answers)).map((answer) => answer.value as number)).toEqual([
      10, 20, 30,
    ]);
    expect(seen).toEqual([1, 2, 3]);
  });
});
