/**
 * Pages that are asked for before anybody takes them.
 */

/**
 * Asks for the first pages at once, and for further ones as they are taken: whoever gives them has
 * something to do while something else is read. An error waits until its page is taken.
 *
 * @example
 * const runs = new PagesAhead(store.runs(ids), 2);
 * for await (const page of store.modelVersions()) index(page); // the server makes runs meanwhile
 * for await (const page of runs) send(page);
 */
export class PagesAhead<T> implements AsyncIterable<T> {
  readonly #iterator: AsyncIterator<T>;
  /** Oldest first. */
  readonly #asked: Promise<IteratorResult<T>>[] = [];

  /** @param count - pages that may wait, in memory */
  constructor(pages: AsyncIterable<T>, count: number) {
    this.#iterator = pages[Symbol.asyncIterator]();
    for (let asked = 0; asked < count; asked += 1) {
      const answer = this.#iterator.next();
      answer.catch(() => undefined); // until it is taken nobody listens
      this.#asked.push(answer);
    }
  }

  /** Once: it is the same pages each time. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: async () => {
        const result = await (this.#asked.shift() ?? this.#iterator.next());
        return result.done === true ? END : result;
      },
      return: async () => {
        await this.close();
        return END;
      },
    };
  }

  /** Where they are not taken, or not to their end. May be called again. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
