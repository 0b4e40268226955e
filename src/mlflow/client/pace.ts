/**
 * How fast requests follow each other: a token bucket, whose rate falls when the server says that
 * there are too many and grows back while it does not.
 */

import { setTimeout as sleep } from 'node:timers/promises';

/** Of requests let through, from which the rate that was too much is told. */
const REMEMBERED = 16;
/** However often a server says that it is too much, a request is tried every so often. */
const SLOWEST_PER_SECOND = 0.1;
/** By so much the rate grows with each answer: twofold in half a minute, whatever it is. */
const GROWTH_PER_ANSWER = 0.02;
/** Faster than any server answers, so that nothing is held up any more. */
const UNLIMITED_PER_SECOND = 10_000;

export interface PaceOptions {
  /** Requests in a second, at most; absent where only the server's complaints set a limit. */
  readonly maxPerSecond?: number;
  readonly clock?: Clock;
}

/** In milliseconds, from anywhere. */
export interface Clock {
  now(): number;
  /** @throws when the signal is aborted */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/**
 * @example
 * const pace = new Pace({ maxPerSecond: 5 });
 * const started = await pace.turn(signal); // waits until a request may be sent
 * pace.tooMany(started, 30_000);           // the server answered 429, and to wait half a minute
 */
export class Pace {
  readonly #most: number;
  readonly #clock: Clock;
  #perSecond: number;
  /** Requests that may be sent at once; below 0 by those that wait. */
  #tokens: number;
  #filledAt: number;
  /** When the last requests were let through. */
  readonly #recent: number[] = [];
  #slowedAt = Number.NEGATIVE_INFINITY;
  #heldUntil = Number.NEGATIVE_INFINITY;

  constructor({ maxPerSecond, clock = CLOCK }: PaceOptions = {}) {
    this.#most = maxPerSecond ?? UNLIMITED_PER_SECOND;
    this.#clock = clock;
    this.#perSecond = this.#most;
    this.#tokens = this.#capacity;
    this.#filledAt = clock.now();
  }

  /** Requests in a second that are let through now. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /**
   * Resolves when a request may be sent, in the order of the calls.
   *
   * @returns when that was, for `tooMany`
   * @throws the signal's reason once it is aborted
   */
  async turn(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    this.#fill();
    this.#tokens -= 1;
    const waitMs = Math.max(
      (-this.#tokens / this.#perSecond) * 1000,
      this.#heldUntil - this.#clock.now(),
    );
    if (waitMs > 0) {
      try {
        await this.#clock.sleep(waitMs, signal);
      } catch (error) {
        this.#tokens += 1;
        signal.throwIfAborted();
        throw error;
      }
    }
    const now = this.#clock.now();
    this.#recent.push(now);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    return now;
  }

  /** A request was answered, and with something else than that there are too many. */
  answered(): void {
    if (this.#perSecond >= this.#most) return;
    this.#fill();
    this.#perSecond = Math.min(this.#most, this.#perSecond + GROWTH_PER_ANSWER);
  }

  /**
   * The request of that turn was one too many.
   *
   * @param waitMs - no other is let through for so long
   */
  tooMany(turn: number, waitMs = 0): void {
    const now = this.#clock.now();
    this.#heldUntil = Math.max(this.#heldUntil, now + waitMs);
    // Those that were on their way together say it together, and of the rate before.
    if (turn <= this.#slowedAt) return;
    this.#fill();
    const [oldest = now] = this.#recent;
    const seconds = Math.max((now - oldest) / 1000, 0.001);
    const actual = Math.min(this.#perSecond, this.#recent.length / seconds);
    this.#perSecond = Math.min(this.#most, Math.max(SLOWEST_PER_SECOND, actual / 2));
    this.#tokens = Math.min(this.#tokens, 0);
    this.#slowedAt = now;
  }

  /** What a second brings, and one request at least. */
  get #capacity(): number {
    return Math.max(1, this.#perSecond);
  }

  #fill(): void {
    const now = this.#clock.now();
    const more = ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#capacity, this.#tokens + more);
    this.#filledAt = now;
  }
}
