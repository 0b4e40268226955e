/**
 * Names of the folders in a folder, in order, however many there are: past a bound they wait on disk.
 */

import { ScratchDatabase } from '../join-index/scratch-database.js';

/** As many are sorted in memory. */
const IN_MEMORY = 20_000;

export class SortedNames {
  readonly #bound: number;
  #names: string[] = [];
  #isSorted = true;
  #scratch: ScratchDatabase | undefined;

  constructor(bound = IN_MEMORY) {
    this.#bound = bound;
  }

  /** @param names - plain ASCII, whose order is the same in memory and on disk */
  add(names: readonly string[]): void {
    this.#isSorted = false;
    for (const name of names) this.#names.push(name);
    if (this.#names.length > this.#bound) this.#spill();
  }

  /** The next `limit` names behind the one given. */
  after(name: string, limit: number): readonly string[] {
    if (this.#scratch !== undefined) {
      if (this.#names.length > 0) this.#spill();
      return this.#scratch
        .all('SELECT name FROM names WHERE name > ? ORDER BY name LIMIT ?', [name, limit])
        .map(([next]) => String(next));
    }
    if (!this.#isSorted) this.#names.sort();
    this.#isSorted = true;
    const start = firstBehind(this.#names, name);
    return this.#names.slice(start, start + limit);
  }

  /** May be called again; nothing else may be. */
  close(): void {
    this.#names = [];
    this.#scratch?.close();
  }

  #spill(): void {
    this.#scratch ??= ScratchDatabase.open(
      'CREATE TABLE names(name TEXT PRIMARY KEY) WITHOUT ROWID',
    );
    this.#scratch.run('INSERT OR IGNORE INTO names SELECT value FROM json_each(?)', [
      JSON.stringify(this.#names),
    ]);
    this.#names = [];
  }
}

function firstBehind(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] ?? '') > name) high = middle;
    else low = middle + 1;
  }
  return low;
}
