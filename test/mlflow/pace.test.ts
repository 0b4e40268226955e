import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Pace, type Clock, type Turn } from '../../src/mlflow/client/pace.js';

const signal = new AbortController().signal;

/** Time that passes when a test says so. */
class TestClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, until: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      until.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(until.reason as Error);
      });
    });
  }

  /** Lets so much time pass, or as much as it takes until nobody sleeps. */
  async pass(ms?: number): Promise<void> {
    const end = ms === undefined ? undefined : this.#now + ms;
    for (;;) {
      await nextTurn();
      const [first] = [...this.#sleepers].sort((a, b) => a.at - b.at);
      if (first === undefined || first.at > (end ?? Infinity)) break;
      this.#sleepers.delete(first);
      this.#now = first.at;
      first.wake();
    }
    this.#now = end ?? this.#now;
  }
}

let clock: TestClock;
beforeEach(() => {
  clock = new TestClock();
});

const paceOf = (maxPerSecond?: number) =>
  new Pace({ clock, ...(maxPerSecond === undefined ? {} : { maxPerSecond }) });

async function turn(pace: Pace): Promise<Turn & { readonly at: number }> {
  const waiting = pace.turn(signal).then((its) => ({ ...its, at: clock.now() }));
  await clock.pass();
  return waiting;
}

/** Seconds from now at which as many requests are let through, asked for at once. */
async function turns(pace: Pace, count: number): Promise<number[]> {
  const start = clock.now();
  const all = Promise.all(
    Array.from({ length: count }, async () => {
      await pace.turn(signal);
      return (clock.now() - start) / 1000;
    }),
  );
  await clock.pass();
  return all;
}

describe('the pace of requests', () => {
  it('is that of the bucket: what a second brings at once, and then one after the other', async () => {
    expect(await turns(paceOf(4), 8)).toEqual([0, 0, 0, 0, 0.25, 0.5, 0.75, 1]);
    expect(await turns(paceOf(0.5), 3)).toEqual([0, 2, 4]);
  });

  it('does not save up what was not used', async () => {
    const pace = paceOf(2);
    await turns(pace, 2);
    await clock.pass(60_000);
    expect(await turns(pace, 3)).toEqual([0, 0, 0.5]);
  });

  it('holds nothing up where there is no limit', async () => {
    expect(await turns(paceOf(), 1_000)).toEqual(Array(1_000).fill(0));
  });

  it('becomes half of what was too much, once for all that were on their way', async () => {
    const pace = paceOf();
    for (let number = 0; number < 20; number += 1) {
      await pace.turn(signal);
      await clock.pass(100);
    }
    const together = [await pace.turn(signal), await pace.turn(signal)];
    await clock.pass(100);
    expect(together.map((its) => pace.tooMany(its))).toEqual([true, false]);
    expect(pace.perSecond).toBeGreaterThan(4);
    expect(pace.perSecond).toBeLessThan(7);
    const before = pace.perSecond;
    pace.tooMany(await turn(pace));
    expect(pace.perSecond).toBeLessThan(before * 0.6);
  });

  it('settles near what a server allows, and comes back from one bad moment', async () => {
    const ALLOWED = 5;
    const pace = paceOf();
    const served: number[] = [];
    let refused = 0;
    for (let number = 0; number < 2_000; number += 1) {
      const its = await turn(pace);
      const { at } = its;
      await clock.pass(20);
      const inTheLastSecond = served.filter((time) => time > at - 1000).length;
      if (inTheLastSecond >= ALLOWED) {
        refused += 1;
        pace.tooMany(its);
      } else {
        served.push(at);
        pace.answered();
      }
    }
    const seconds = ((served.at(-1) ?? 0) - (served[0] ?? 0)) / 1000;
    expect(served.length / seconds).toBeGreaterThan(ALLOWED * 0.6);
    expect(refused).toBeLessThan(100);
  });

  it('does not fall below one in ten seconds, nor grow beyond what is configured', async () => {
    const pace = paceOf(1);
    for (let number = 0; number < 10; number += 1) {
      pace.tooMany(await turn(pace));
    }
    expect(pace.perSecond).toBe(0.1);
    for (let number = 0; number < 1_000; number += 1) pace.answered();
    expect(pace.perSecond).toBe(1);
  });

  it('lets nothing through while the server wants to be left alone, and saves nothing up', async () => {
    const pace = paceOf(2);
    const [first] = await Promise.all([pace.turn(signal), pace.turn(signal)]);
    const queued = turns(pace, 4);
    pace.tooMany(first, 30_000);
    expect(pace.perSecond).toBe(1);
    expect(await queued).toEqual([31, 32, 33, 34]);
  });

  it('is not told by what was long ago', async () => {
    const pace = paceOf();
    await turns(pace, 50);
    await clock.pass(600_000);
    await turns(pace, 50);
    pace.tooMany(await turn(pace));
    expect(pace.perSecond).toBeGreaterThan(20);
  });

  it('does not collapse where many wait at once', async () => {
    const ALLOWED = 5;
    const pace = paceOf();
    const served: number[] = [];
    const worker = async () => {
      while (served.length < 500) {
        const its = await pace.turn(signal);
        const at = clock.now();
        await clock.sleep(50, signal);
        if (served.filter((time) => time > at - 1000).length >= ALLOWED) pace.tooMany(its);
        else {
          served.push(at);
          pace.answered();
        }
      }
    };
    const all = Promise.all(Array.from({ length: 32 }, worker));
    await clock.pass();
    await all;
    expect(clock.now() / 1000).toBeLessThan((500 / ALLOWED) * 2);
  });

  it('gives its turn back when it is broken off', async () => {
    const pace = paceOf(1);
    await pace.turn(signal);
    const stop = new AbortController();
    const waiting = pace.turn(stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(await turns(pace, 1)).toEqual([1]);
    await expect(pace.turn(stop.signal)).rejects.toThrow('enough');
  });
});
