/**
 * How fast requests follow each other: a token bucket, whose rate falls when the server says that
 * there are too many and grows back while it does not.
 */

import { setTimeout as sleep } from 'node:timers/promises';

/** However often a server says that it is too much, a request is tried every so often. */
const SLOWEST_PER_SECOND = 0.1;
/** By so much the rate grows with each answer: twofold in half a minute, whatever it is. */
const GROWTH_PER_ANSWER = 0.03;
/** Faster than any server answers, so that nothing is held up any more. */
const UNLIMITED_PER_SECOND = 10_000;

/** No clock tells less, and sums of parts are never quite whole. */
const CLOCK_STEP_MS = 0.001;

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

/** A request that was let through, and which of the rates it was let through at. */
export interface Turn {
  readonly rate: number;
}

/**
 * @example
 * const pace = new Pace({ maxPerSecond: 5 });
 * const turn = await pace.turn(signal); // waits until a request may be sent
 * pace.tooMany(turn, 30_000);           // the server answered 429, and to wait half a minute
 */
export class Pace {
  readonly #most: number;
  readonly #clock: Clock;
  #perSecond: number;
  #rate = 0;
  #tokens: number;
  #filledAt: number;
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** Requests let through in a second that began some time ago, and in the one before it. */
  #counted = { since: Number.NEGATIVE_INFINITY, now: 0, before: 0 };
  #last: Promise<unknown> = Promise.resolve();

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
   * Resolves when a request may be sent, in the order of the calls: only the first in the row looks
   * at the clock, and again when it wakes, for meanwhile the rate may have changed.
   *
   * @throws the signal's reason once it is aborted
   */
  turn(signal: AbortSignal): Promise<Turn> {
    const turn = this.#last.then(() => this.#first(signal));
    this.#last = turn.catch(() => undefined); // whoever called is told
    return turn;
  }

  /** A request was answered, and with something else than that there are too many. */
  answered(): void {
    if (this.#perSecond >= this.#most) return;
    this.#fill();
    this.#perSecond = Math.min(this.#most, this.#perSecond + GROWTH_PER_ANSWER);
  }

  /**
   * A request was one too many.
   *
   * @param waitMs - no other is let through for so long
   * @returns whether the rate is lower now
   */
  tooMany({ rate }: Turn, waitMs = 0): boolean {
    const now = this.#clock.now();
    this.#heldUntil = Math.max(this.#heldUntil, now + waitMs);
    // All that were let through at one rate say the same of it.
    if (rate !== this.#rate) return false;
    this.#fill();
    const { now: counted, before } = this.#counted;
    const actual = Math.min(this.#perSecond, Math.max(1, counted, before));
    this.#perSecond = Math.min(this.#most, Math.max(SLOWEST_PER_SECOND, actual / 2));
    this.#tokens = Math.min(this.#tokens, 0);
    this.#rate += 1;
    return true;
  }

  async #first(signal: AbortSignal): Promise<Turn> {
    for (;;) {
      signal.throwIfAborted();
      this.#fill();
      const now = this.#clock.now();
      const waitMs = Math.max(((1 - this.#tokens) / this.#perSecond) * 1000, this.#heldUntil - now);
      if (waitMs < CLOCK_STEP_MS) {
        this.#tokens -= 1;
        this.#count(now);
        return { rate: this.#rate };
      }
      try {
        await this.#clock.sleep(waitMs, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      }
    }
  }

  #count(now: number): void {
    const { since, now: counted } = this.#counted;
    if (now - since >= 1000) {
      this.#counted = { since: now, now: 0, before: now - since < 2000 ? counted : 0 };
    }
    this.#counted.now += 1;
  }

  /** What a second brings, and one request at least. */
  get #capacity(): number {
    return Math.max(1, this.#perSecond);
  }

  /** Nothing is saved up while nothing may be sent. */
  #fill(): void {
    const now = this.#clock.now();
    const from = Math.min(now, Math.max(this.#filledAt, this.#heldUntil));
    const more = ((now - from) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#capacity, this.#tokens + more);
    this.#filledAt = now;
  }
}
