/**
 * How many things a page holds: as many as was asked for, or fewer where they are large.
 */

/** Of text in a page: what becomes of it takes several times as much, for each page on its way. */
export const PAGE_LENGTH = 8 * 1024 * 1024;

/**
 * Follows what pages turn out to hold: the next one asks for as many things of the last page's size
 * as are `PAGE_LENGTH` together, and grows by a quarter at a time.
 *
 * @example
 * const size = new PageSize(1000);
 * size.saw(1000, 64 * 1024 * 1024);
 * size.current; // 125
 */
export class PageSize {
  readonly #largest: number;
  #current: number;

  /** @param largest - at which it begins */
  constructor(largest: number) {
    this.#largest = largest;
    this.#current = largest;
  }

  get current(): number {
    return this.#current;
  }

  /** @param length - of all texts in it, in characters or bytes; what is small need not be counted */
  saw(things: number, length: number): void {
    const fitting = length === 0 ? Infinity : Math.floor((PAGE_LENGTH / length) * things);
    const grown = this.#current + Math.ceil(this.#current / 4);
    this.#current = Math.max(1, Math.min(this.#largest, grown, fitting));
  }

  /** A page was too large to be taken at all. */
  halve(): void {
    this.#current = Math.max(1, Math.floor(this.#current / 2));
  }
}
