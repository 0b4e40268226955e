import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cycle } from '../../../src/sources/rest/cycle.js';

describe('Cycle', () => {
  it('notices a cycle of any length behind a beginning of any length', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 50 }), (beginning, length) => {
        const cycle = new Cycle();
        for (let step = 0; step < beginning; step += 1) {
          expect(cycle.meets(`beginning ${step}`)).toBe(false);
        }
        let steps = 0;
        while (!cycle.meets(`cycle ${steps % length}`)) {
          steps += 1;
          expect(steps).toBeLessThan(3 * (beginning + length));
        }
        expect(steps).toBeGreaterThanOrEqual(length);
      }),
    );
  });

  it('takes no values for a cycle that all differ', () => {
    const cycle = new Cycle();
    for (let step = 0; step < 5_000; step += 1) expect(cycle.meets(String(step))).toBe(false);
  });
});
