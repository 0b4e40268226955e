import { describe, expect, it } from 'vitest';
import { inParallel } from '../../../src/sources/rest/in-parallel.js';

describe('inParallel', () => {
  it('does each once, no more than so many at a time', async () => {
    const done: number[] = [];
    let active = 0;
    let peak = 0;
    await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      active += 1;
      peak = Math.max(peak, active);
      await new Promise(setImmediate);
      active -= 1;
      done.push(item);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(peak).toBe(3);
    await inParallel([], 3, () => Promise.reject(new Error('nothing to do')));
  });

  it('begins nothing more after a failure', async () => {
    const begun: number[] = [];
    const work = inParallel([1, 2, 3, 4], 1, (item) => {
      begun.push(item);
      return item === 2 ? Promise.reject(new Error('two')) : Promise.resolve();
    });
    await expect(work).rejects.toThrow('two');
    expect(begun).toEqual([1, 2]);
  });
});
