/**
 * The line on a terminal that says how far a run is.
 */

import type { RunCounts } from '../stream/recorder.js';
import { count, duration, rate, sum } from './format.js';
import { columnsOf, type OutputStream, type Palette } from './terminal.js';

const REDRAW_MS = 120;
/** The rate shown is that of the last seconds, so that it tells of a slowdown. */
const RATE_WINDOW_MS = 3000;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const CLEAR_LINE = '\r\u001b[2K';

/** Redraws itself in place; whatever else is written on the stream goes through `above`. */
export class ProgressLine {
  readonly #stream: OutputStream;
  readonly #palette: Palette;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #samples: { at: number; read: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #counts: RunCounts | undefined;
  #note: string | undefined;
  #frame = 0;
  #drawn = false;

  constructor(stream: OutputStream, palette: Palette, now: () => number = Date.now) {
    this.#stream = stream;
    this.#palette = palette;
    this.#now = now;
    this.#startedAt = now();
    this.#samples.push({ at: this.#startedAt, read: 0 });
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#draw();
    }, REDRAW_MS);
    // Counting time must never be what keeps the process alive.
    this.#timer.unref();
  }

  update(counts: RunCounts): void {
    this.#counts = counts;
  }

  /** Shown in place of the rate: `stopping`. */
  note(text: string): void {
    this.#note = text;
    if (this.#timer !== undefined) this.#draw();
  }

  /** Writes whole lines, over the progress line, which comes back below them. */
  above(lines: string): void {
    this.#clear();
    this.#stream.write(lines);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
  }

  /** The line as it would be drawn now, no wider than the terminal. */
  render(): string {
    const { bold, dim, cyan } = this.#palette;
    const counts = this.#counts;
    const elapsed = this.#now() - this.#startedAt;
    const read = counts === undefined ? 0 : sum(counts.read);
    this.#sample(read);
    const figures =
      counts === undefined || counts.pages === 0
        ? [[this.#note ?? 'connecting', '']]
        : [
            [count(read), 'read'],
            [count(sum(counts.aspects)), 'mapped'],
            [count(leastDelivered(counts)), 'written'],
            ...(counts.rejected > 0 ? [[count(counts.rejected), 'rejected']] : []),
            [this.#note ?? rate(this.#rate()), ''],
          ];
    const columns = columnsOf(this.#stream) - 1;
    const parts: string[] = [];
    let width = 2;
    for (const [value = '', unit = ''] of [...figures, [duration(elapsed), '']]) {
      const text = unit === '' ? value : `${value} ${unit}`;
      // What does not fit is left out: a line that wraps can't be cleared.
      if (width + text.length + 3 > columns) break;
      width += text.length + 3;
      parts.push(unit === '' ? dim(text) : `${bold(value)} ${unit}`);
    }
    const spinner = SPINNER[this.#frame % SPINNER.length] ?? '';
    return `${cyan(spinner)} ${parts.join(dim(' · '))}`;
  }

  #draw(): void {
    this.#frame += 1;
    this.#stream.write(`${CLEAR_LINE}${this.render()}`);
    this.#drawn = true;
  }

  #clear(): void {
    if (this.#drawn) this.#stream.write(CLEAR_LINE);
    this.#drawn = false;
  }

  #sample(read: number): void {
    const at = this.#now();
    this.#samples.push({ at, read });
    while ((this.#samples[0]?.at ?? at) < at - RATE_WINDOW_MS) this.#samples.shift();
  }

  #rate(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at === first.at) return 0;
    return ((last.read - first.read) * 1000) / (last.at - first.at);
  }
}

/** With several sinks, what the slowest has: only that much is safe. */
function leastDelivered(counts: RunCounts): number {
  const delivered = Object.values(counts.delivered);
  return delivered.length === 0 ? 0 : Math.min(...delivered);
}
