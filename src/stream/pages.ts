/**
 * Ways to put iterables of pages together that keep their demand: each call of `next()` is passed
 * on as it comes, so that overlapping calls stay overlapping. (In an async generator they would
 * wait for each other.) Answers are settled in the order of the calls.
 */

/** Applies `map` to each page, in the pages' order. */
export function mapPages<A, B>(pages: AsyncIterable<A>, map: (page: A) => B): AsyncIterable<B> {
  return iterable(() => {
    const iterator = pages[Symbol.asyncIterator]();
    return {
      next: async () => {
        const result = await iterator.next();
        return result.done === true ? END : { done: false, value: map(result.value) };
      },
      return: async () => {
        await iterator.return?.();
        return END;
      },
    };
  });
}

/** One after the other; a section is opened only once the one before it has ended. */
export function concatPages<T>(sections: readonly (() => AsyncIterable<T>)[]): AsyncIterable<T> {
  return iterable(() => {
    let index = 0;
    let current: AsyncIterator<T> | undefined;
    const next = async (): Promise<IteratorResult<T, undefined>> => {
      for (;;) {
        const section = index;
        const open = sections[section];
        if (open === undefined) return END;
        current ??= open()[Symbol.asyncIterator]();
        const result = await current.next();
        if (result.done !== true) return result;
        // The first of the overlapping calls that finds the end moves on for all of them.
        if (index === section) {
          index += 1;
          current = undefined;
        }
      }
    };
    return {
      next,
      return: async () => {
        index = sections.length;
        await current?.return?.();
        return END;
      },
    };
  });
}

/** Pages that may take long between two requests: the signal tells that nobody waits any more. */
export function stoppablePages<T>(
  open: (stopped: AbortSignal) => AsyncIterable<T>,
): AsyncIterable<T> {
  return iterable(() => {
    const stop = new AbortController();
    const iterator = open(stop.signal)[Symbol.asyncIterator]();
    return {
      next: async () => {
        const result = await iterator.next();
        return result.done === true ? END : result;
      },
      return: async () => {
        stop.abort();
        await iterator.return?.();
        return END;
      },
    };
  });
}

/**
 * In turns: the first page of each of the first `width` iterables, then the second of each, and so
 * on; where one ends, the next iterable takes its place. The order depends on the pages alone and
 * not on which answer came first, and up to `width` are being read at a time.
 *
 * @param opensMore - further iterables that a page brings: they come before those that still wait, as
 *   others end
 */
export function interleavePages<T>(
  iterables: readonly (() => AsyncIterable<T>)[],
  width: number,
  opensMore: (page: T) => readonly (() => AsyncIterable<T>)[] = () => [],
): AsyncIterable<T> {
  return iterable(() => {
    const waiting = [...iterables];
    const lanes: Lane<T>[] = [];
    let isOver = false;
    /** Opens what waits: the first at `place`, others behind all that are open. */
    const fill = (place: number): void => {
      for (let at = place; lanes.length < width; at = lanes.length) {
        const open = waiting.shift();
        if (open === undefined) return;
        lanes.splice(at, 0, { iterator: open()[Symbol.asyncIterator](), asked: [] });
      }
    };
    let isOpen = false;

    let turn = 0; // the lane that the next answer comes from
    let demand = 0; // calls not yet answered
    let queue: Promise<unknown> = Promise.resolve();

    // Spreads the demand over the lanes, from the one whose turn it is.
    const ask = (): void => {
      let asked = lanes.reduce((sum, lane) => sum + lane.asked.length, 0);
      while (asked < demand && lanes.length > 0) {
        let chosen = turn;
        for (let step = 1; step < lanes.length; step += 1) {
          const candidate = (turn + step) % lanes.length;
          if (askedOf(lanes, candidate) < askedOf(lanes, chosen)) chosen = candidate;
        }
        const lane = lanes[chosen];
        if (lane === undefined) return;
        const answer = lane.iterator.next();
        answer.catch(() => undefined); // it is awaited in its turn; until then nobody listens
        lane.asked.push(answer);
        asked += 1;
      }
    };

    const answer = async (): Promise<IteratorResult<T, undefined>> => {
      for (;;) {
        if (lanes.length === 0) return END;
        if (turn >= lanes.length) turn = 0;
        ask();
        const lane = lanes[turn];
        const [oldest] = lane?.asked ?? [];
        // The demand is spread from this lane on, so that it has been asked before any other. Lanes
        // are opened only where one ends: what was asked of that one is free for them.
        if (lane === undefined || oldest === undefined) throw new Error('a turn without a page');
        const result = await oldest;
        if (isOver) return END;
        void lane.asked.shift(); // only now: until it is answered it takes its part of the demand
        if (result.done !== true) {
          turn += 1;
          waiting.unshift(...opensMore(result.value));
          return result;
        }
        lanes.splice(turn, 1);
        fill(turn);
      }
    };

    return {
      next: () => {
        demand += 1;
        if (!isOpen) fill(0);
        isOpen = true;
        if (turn >= lanes.length) turn = 0;
        ask();
        const result = queue.then(answer).finally(() => {
          demand -= 1;
        });
        queue = result.catch(() => undefined);
        return result;
      },
      return: async () => {
        isOver = true;
        waiting.length = 0;
        const open = lanes.splice(0);
        await Promise.all(open.map(async (lane) => lane.iterator.return?.()));
        return END;
      },
    };
  });
}

interface Lane<T> {
  readonly iterator: AsyncIterator<T>;
  /** Answers on their way or waiting for their turn, oldest first. */
  readonly asked: Promise<IteratorResult<T, undefined>>[];
}

function askedOf(lanes: readonly Lane<unknown>[], index: number): number {
  return lanes[index]?.asked.length ?? 0;
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

function iterable<T>(open: () => AsyncIterator<T, undefined>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: open };
}
