import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePoints,
  LastPoints,
  pointsBefore,
  takePoint,
} from '../../src/mlflow/metric-points.js';
import type { MetricPoint } from '../../src/mlflow/types.js';

const small = fc.integer({ min: -3, max: 3 });
const values = fc.oneof(small, fc.constantFrom(NaN, Infinity, -Infinity, 0.1, -1.7e308));
const points: fc.Arbitrary<MetricPoint> = fc.record({
  value: values,
  timestamp: small,
  step: small,
});
/** -0 and 0 are the same point. */
const plain = ({ value, timestamp, step }: MetricPoint): MetricPoint => ({
  value: value + 0,
  timestamp: timestamp + 0,
  step: step + 0,
});

/** The last of all points, found by holding all of them. */
function naive(list: readonly MetricPoint[], limit: number): readonly MetricPoint[] {
  const distinct = [
    ...new Map(
      list.map(plain).map((point) => [`${point.step} ${point.timestamp} ${point.value}`, point]),
    ).values(),
  ];
  const sorted = distinct.sort((a, b) => {
    for (const by of ['step', 'timestamp'] as const) if (a[by] !== b[by]) return a[by] - b[by];
    // Before the least of all numbers, which is an infinity.
    if (Number.isNaN(a.value) !== Number.isNaN(b.value)) return Number.isNaN(a.value) ? -1 : 1;
    return a.value < b.value ? -1 : 1;
  });
  return sorted.slice(-limit);
}

describe('the last points of a metric', () => {
  it('are those that all of them sorted would end with, in whichever order they come', () => {
    fc.assert(
      fc.property(
        fc.array(points, { maxLength: 600 }),
        fc.integer({ min: 1, max: 9 }),
        (all, limit) => {
          const last = new LastPoints(limit);
          for (const point of all) last.add(point);
          expect(last.end().map(plain)).toEqual(naive(all, limit));
        },
      ),
    );
  });

  it.each([
    ['upwards', (at: number) => at],
    ['downwards', (at: number) => 1_000_000 - at],
    ['around', (at: number) => (at * 7_919) % 1_000_003],
  ])('are found among a million that come %s', (_, stepOf) => {
    const last = new LastPoints(3);
    let highest = 0;
    for (let at = 0; at < 1_000_000; at += 1) {
      highest = Math.max(highest, stepOf(at));
      last.add({ value: 0.5, timestamp: 1, step: stepOf(at) });
    }
    expect(last.end().at(-1)?.step).toBe(highest);
    expect(last.end()).toHaveLength(3);
  });

  it('are in an order of any two points', () => {
    fc.assert(
      fc.property(points, points, points, (a, b, c) => {
        expect(Math.sign(comparePoints(a, b)) + Math.sign(comparePoints(b, a))).toBe(0);
        expect(comparePoints(a, a)).toBe(0);
        if (comparePoints(a, b) <= 0 && comparePoints(b, c) <= 0) {
          expect(comparePoints(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});

describe('a point', () => {
  it.each([
    [{ value: 'NaN' }, { value: NaN, timestamp: 0, step: 0 }],
    [
      { value: 0.5, timestamp: '6', step: '2' },
      { value: 0.5, timestamp: 6, step: 2 },
    ],
    [
      { key: 'loss', value: '-Infinity', step: -1 },
      { value: -Infinity, timestamp: 0, step: -1 },
    ],
  ])('is read of %j', (json, point) => {
    const last = new LastPoints(1);
    expect(takePoint(json, last)).toBeUndefined();
    expect(last.end()).toEqual([point]);
  });

  it.each([
    [null, 'a point should be an object, and is null'],
    [{}, 'the value of a point should be a number, and is missing'],
    [
      { value: 1, step: 0.5 },
      'the step of a point should be a whole number below 2^53, and is a number',
    ],
    [
      { value: 1, timestamp: 'now' },
      'the timestamp of a point should be a whole number below 2^53, and is a string',
    ],
  ])('is none of %j', (json, problem) => {
    const last = new LastPoints(1);
    expect(takePoint(json, last)).toBe(problem);
    expect(last.end()).toEqual([]);
  });
});

describe('what a metric was before', () => {
  const at = (step: number, timestamp: number, value: number): MetricPoint => ({
    value,
    timestamp,
    step,
  });

  it('is neither its last value nor what was logged since', () => {
    const all = [at(1, 5, 0.5), at(2, 6, 0.25), at(2, 7, 0.125), at(3, 1, 1)];
    expect(pointsBefore(at(2, 6, 0.25), all)).toEqual([at(1, 5, 0.5)]);
    expect(pointsBefore(at(3, 1, 1), all)).toEqual(all.slice(0, 3));
  });

  it('has what was logged with it, whichever of them MLflow takes for the last', () => {
    expect(pointsBefore(at(1, 1, NaN), [at(1, 1, NaN), at(1, 1, -1), at(1, 1, 2)])).toEqual([
      at(1, 1, -1),
      at(1, 1, 2),
    ]);
  });
});
