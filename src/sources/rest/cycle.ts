/**
 * Notices values that come round again, in constant memory.
 */

/**
 * Brent's algorithm: each value is compared with one kept from earlier, which is replaced at
 * ever-doubling distances. A cycle of any length is noticed, at the latest in its third round.
 */
export class Cycle {
  #kept: string | undefined;
  #steps = 0;
  #distance = 1;

  /** True when the value was met before, and the values would never end. */
  meets(value: string): boolean {
    if (value === this.#kept) return true;
    this.#steps += 1;
    if (this.#steps >= this.#distance) {
      this.#kept = value;
      this.#steps = 0;
      this.#distance *= 2;
    }
    return false;
  }
}
