/**
 * Points of a metric: their order, the last of them, and how they are read.
 */

import { double, MalformedError, object, optionalInteger } from './parse-values.js';
import type { MetricPoint } from './types.js';

/** Of which metrics of runs the earlier points are wanted. */
export interface MetricHistoryChoice {
  /** Names, as a pattern: see `core/pattern.ts`. */
  readonly metrics: string;
  /** Of each metric of a run, at most, with the last one. */
  readonly points: number;
}

/**
 * The order in which points count: by step, by timestamp, by value. It is an order of any points at
 * all, so that every store can be put into it: NaN comes before all numbers. 0 where two are the same.
 */
export function comparePoints(a: MetricPoint, b: MetricPoint): number {
  return a.step - b.step || a.timestamp - b.timestamp || compareValues(a.value, b.value);
}

/** By subtraction infinities would be the same as nothing. */
function compareValues(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Added to what is held before it is cut, so that little is sorted often. */
const SPARE = 100;

/**
 * Takes points in any order, however many, and holds the last ones; those that are the same count once.
 *
 * @example
 * const last = new LastPoints(2);
 * for (const step of [3, 1, 2]) last.add({ value: 0.5, timestamp: 0, step });
 * last.end().map(({ step }) => step); // [2, 3]
 */
export class LastPoints {
  #points: MetricPoint[] = [];

  /** @param limit - how many are kept, at least 1 */
  constructor(private readonly limit: number) {}

  add(point: MetricPoint): void {
    this.#points.push(point);
    if (this.#points.length >= 2 * this.limit + SPARE) this.#cut();
  }

  /** Ascending. */
  end(): readonly MetricPoint[] {
    this.#cut();
    return this.#points;
  }

  #cut(): void {
    const sorted = this.#points.sort(comparePoints);
    const distinct = sorted.filter((point, place) => {
      const before = sorted[place - 1];
      return before === undefined || comparePoints(before, point) !== 0;
    });
    this.#points = distinct.slice(-this.limit);
  }
}

/**
 * Adds a point of MLflow's JSON: `{ value, timestamp, step }`.
 *
 * @returns why it can't be used; undefined where it is added
 */
export function takePoint(json: unknown, into: LastPoints): string | undefined {
  try {
    const { value, timestamp, step } = object(json, 'a point');
    into.add({
      value: double(value, 'the value of a point'),
      timestamp: optionalInteger(timestamp, 'the timestamp of a point') ?? 0,
      step: optionalInteger(step, 'the step of a point') ?? 0,
    });
    return undefined;
  } catch (error) {
    if (error instanceof MalformedError) return error.message;
    throw error;
  }
}

/**
 * The points of a metric before its last value: what was logged after that value was read, and the
 * value itself, are none of them.
 *
 * @param points - ascending
 */
export function pointsBefore(
  last: MetricPoint,
  points: readonly MetricPoint[],
): readonly MetricPoint[] {
  return points.filter(
    (point) =>
      (point.step - last.step || point.timestamp - last.timestamp) <= 0 &&
      comparePoints(point, last) !== 0,
  );
}
