/**
 * The lines of a metric's file, of any length, taken in pieces.
 */

import { BrokenFile } from './broken-file.js';

/** Longer than any line that MLflow writes: two numbers, a run's id, a dataset's name and digest. */
const MAX_LINE_BYTES = 64 * 1024;

export class MetricLines<T> {
  #rest = Buffer.alloc(0);

  /**
   * @param parse - undefined for what is no line of a metric
   * @param take - is given what was parsed, in the order of the lines
   */
  constructor(
    private readonly parse: (line: string) => T | undefined,
    private readonly take: (value: T) => void,
  ) {}

  /** @throws BrokenFile where a line is none of a metric */
  add(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#rest = bytes.subarray(end);
    if (this.#rest.length > MAX_LINE_BYTES) throw new BrokenFile('a line is too long');
    if (end === 0) return;
    for (const line of bytes.toString('utf8', 0, end - 1).split('\n')) {
      const value = this.parse(line);
      if (value === undefined) throw new BrokenFile(`not a metric: ${line.slice(0, 200)}`);
      this.take(value);
    }
  }

  /** A last line without an end may be half written: it may be wrong. */
  end(): void {
    const value = this.parse(this.#rest.toString('utf8'));
    if (value !== undefined) this.take(value);
  }
}
