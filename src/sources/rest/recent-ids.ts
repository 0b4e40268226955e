/**
 * The ids met last, for dropping repeats: what is created or deleted while pages are read shifts
 * their borders, so that an item comes again on the next page or soon after.
 */
export class RecentIds {
  readonly #ids = new Set<string>();

  /** @param limit - how many are remembered */
  constructor(private readonly limit: number) {}

  /** False when the id is among those remembered. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.limit) {
      // A set keeps the order of its insertions: its first is its oldest.
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
