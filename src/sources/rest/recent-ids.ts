/**
 * The ids met last, for dropping repeats: what is created or deleted while pages are read shifts
 * their borders, so that an item comes again on the next page or soon after.
 */
export class RecentIds {
  readonly #ids = new Set<string>();
  #limit: number;

  /** @param limit - how many are remembered */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** From now on as many as a page has: less would forget its beginning before its end. */
  holdPage(length: number): void {
    this.#limit = Math.max(this.#limit, length);
  }

  /** False when the id is among those remembered. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.#limit) {
      // A set keeps the order of its insertions: its first is its oldest.
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
