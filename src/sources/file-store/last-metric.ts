/**
 * The value of a metric that MLflow shows, out of the file that has all of them.
 */

import { MetricLines } from './metric-lines.js';

export interface MetricValue {
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/**
 * Takes the file in pieces and keeps the greatest (step, timestamp, value), as MLflow does: of values
 * logged again for a step the one logged last, and of two at one time the greater. NaN is greater than
 * nothing and nothing is greater than NaN.
 */
export class LastMetric {
  #best: MetricValue | undefined;
  readonly #lines = new MetricLines(parseMetricLine, (value) => {
    if (this.#best === undefined || isGreater(value, this.#best)) this.#best = value;
  });

  /** @throws BrokenFile where a line is none of a metric */
  add(piece: Uint8Array): void {
    this.#lines.add(piece);
  }

  /** Absent where there is none yet. */
  end(): MetricValue | undefined {
    this.#lines.end();
    return this.#best;
  }
}

export function isGreater(a: MetricValue, b: MetricValue): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  return a.value > b.value;
}

/**
 * `timestamp value`, `timestamp value step`, or that with a dataset's name and digest behind it. MLflow
 * takes no step from the last: it is 0.
 */
export function parseMetricLine(line: string): MetricValue | undefined {
  const fields = line.trim().split(' ');
  const [timestamp = '', number = '', step = ''] = fields;
  const value = parseNumber(number);
  if (fields.length === 4 || value === undefined || !INTEGER.test(timestamp)) return undefined;
  if (fields.length > 2 && !INTEGER.test(step)) return undefined;
  return {
    value,
    timestamp: Number(timestamp),
    step: fields.length === 3 ? Number(step) : 0,
  };
}

export const INTEGER = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** As Python writes a float. */
export function parseNumber(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  switch (text.toLowerCase().replace(/^\+/, '')) {
    case 'nan':
    case '-nan':
      return NaN;
    case 'inf':
    case 'infinity':
      return Infinity;
    case '-inf':
    case '-infinity':
      return -Infinity;
    default:
      return undefined;
  }
}
