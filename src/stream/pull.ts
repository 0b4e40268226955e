/**
 * `pull`: RxJS with demand. The only primitive of this package that RxJS does not have.
 */

import { from, Observable, Subscription, type ObservableInput } from 'rxjs';

export interface PullOptions<P, R> {
  /**
   * How many pages may be on their way at a time, at least 1: asked for, or being worked on. This
   * bounds the memory, whatever the speed of the work.
   */
  readonly maxInFlight: number;
  /** The work on a page. The page is done, and its place free, when this completes. */
  readonly project: (page: P, index: number) => ObservableInput<R>;
}

/**
 * Makes an Observable of what `project` gives for the pages of an async iterable, asking for a
 * page only while fewer than `maxInFlight` are on their way.
 *
 * RxJS pushes: `from(asyncIterable)` reads as fast as it can and `mergeMap(f, n)` keeps what it
 * can't work on yet in an array without bound. Here a page that is not done holds its place, so a
 * slow consumer slows the reading down.
 *
 * - `next()` is called `maxInFlight` times at once and again whenever a page is done: calls
 *   overlap, and an iterator may serve them in parallel. Pages start in the order of the calls;
 *   they may be done in any order.
 * - An error of the iterable or of a page's work ends the Observable with it; an unsubscription
 *   ends the work. In both cases, and when it completes, the iterator's `return()` is called.
 * - `project` may drop, add or delay values as it likes. Work that never completes holds its
 *   place for ever.
 *
 * @example
 * pull(readPages(), { maxInFlight: 4, project: (page) => from(deliver(page)) }).subscribe(...)
 */
export function pull<P, R>(
  pages: AsyncIterable<P>,
  { maxInFlight, project }: PullOptions<P, R>,
): Observable<R> {
  return new Observable<R>((subscriber) => {
    const iterator = pages[Symbol.asyncIterator]();
    const work = new Subscription();
    let index = 0;
    let inFlight = 0;
    let ended = false; // the iterator has no more pages
    let inOrder: Promise<void> = Promise.resolve();

    const done = (): void => {
      inFlight -= 1;
      if (!ended) demand();
      else if (inFlight === 0) subscriber.complete();
    };

    const start = (page: P): void => {
      const subscription = new Subscription();
      work.add(subscription);
      subscription.add(
        from(project(page, index++)).subscribe({
          next: (value) => {
            subscriber.next(value);
          },
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            work.remove(subscription);
            done();
          },
        }),
      );
    };

    const take = async (answer: Promise<IteratorResult<P, unknown>>): Promise<void> => {
      try {
        const result = await answer;
        if (subscriber.closed) return;
        if (result.done === true) {
          ended = true;
          done();
        } else {
          start(result.value);
        }
      } catch (error) {
        subscriber.error(error);
      }
    };

    function demand(): void {
      while (inFlight < maxInFlight && !ended && !subscriber.closed) {
        inFlight += 1;
        const answer = iterator.next();
        answer.catch(() => undefined); // it is taken in its turn; until then nobody listens
        inOrder = inOrder.then(() => take(answer));
      }
    }

    subscriber.add(() => {
      work.unsubscribe();
      // What it still has to clean up is its own affair: nobody is left to be told of an error.
      if (!ended) void iterator.return?.().catch(() => undefined);
    });
    demand();
  });
}
