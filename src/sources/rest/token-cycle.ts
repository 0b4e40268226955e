/**
 * Notices tokens that come round again, in constant memory.
 */

/**
 * Brent's algorithm: each token is compared with one kept from earlier, which is replaced at
 * ever-doubling distances. A cycle of any length is noticed, at the latest in its third round.
 */
export class TokenCycle {
  #kept: string | undefined;
  #steps = 0;
  #distance = 1;

  /** True when the token was met before, and paging would never end. */
  meets(token: string): boolean {
    if (token === this.#kept) return true;
    this.#steps += 1;
    if (this.#steps >= this.#distance) {
      this.#kept = token;
      this.#steps = 0;
      this.#distance *= 2;
    }
    return false;
  }
}
