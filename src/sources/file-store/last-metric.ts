/**
 * The value of a metric that MLflow shows, out of the file that has all of them.
 */

import { BrokenFile } from './broken-file.js';

export interface MetricValue {
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/** Longer than any line that MLflow writes: a timestamp, two numbers, a dataset's name and digest. */
const MAX_LINE_BYTES = 64 * 1024;

/**
 * Takes the file in pieces and keeps the greatest (step, timestamp, value), as MLflow does: of values
 * logged again for a step the one logged last, and of two at one time the greater. NaN is greater than
 * nothing and nothing is greater than NaN.
 */
export class LastMetric {
  #best: MetricValue | undefined;
  #rest = Buffer.alloc(0);

  /** @throws BrokenFile where a line is none of a metric */
  add(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#rest = bytes.subarray(end);
    if (this.#rest.length > MAX_LINE_BYTES) throw new BrokenFile('a line is too long');
    if (end === 0) return;
    for (const line of bytes.toString('latin1', 0, end - 1).split('\n')) {
      const value = parseLine(line);
      if (value === undefined) throw new BrokenFile(`not a metric: ${line.slice(0, 200)}`);
      this.#take(value);
    }
  }

  /** Absent where there is none yet. A last line without an end may be half written: it may be wrong. */
  end(): MetricValue | undefined {
    const value = parseLine(this.#rest.toString('latin1'));
    if (value !== undefined) this.#take(value);
    return this.#best;
  }

  #take(value: MetricValue): void {
    if (this.#best === undefined || isGreater(value, this.#best)) this.#best = value;
  }
}

function isGreater(a: MetricValue, b: MetricValue): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  return a.value > b.value;
}

/**
 * `timestamp value`, `timestamp value step`, or that with a dataset's name and digest behind it. MLflow
 * takes no step from the last: it is 0.
 */
function parseLine(line: string): MetricValue | undefined {
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

const INTEGER = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** As Python writes a float. */
function parseNumber(text: string): number | undefined {
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
