import { EMPTY, from, mergeMap, range, Subject, take, throwError } from 'rxjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapMany } from '../../src/stream/map-many.js';

const events = (): { readonly seen: unknown[]; readonly observer: object } => {
  const seen: unknown[] = [];
  const observer = {
    next: (value: unknown) => seen.push(value),
    error: (error: Error) => seen.push(error.message),
    complete: () => seen.push('complete'),
  };
  return { seen, observer };
};

describe('mapMany', () => {
  it('emits what mergeMap does', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer())), (lists) => {
        const [a, b] = [events(), events()];
        from(lists.keys())
          .pipe(mapMany((index) => lists[index] ?? []))
          .subscribe(a.observer);
        from(lists.keys())
          .pipe(mergeMap((index) => lists[index] ?? []))
          .subscribe(b.observer);
        expect(a.seen).toEqual(b.seen);
      }),
    );
  });

  it('ends a source that never ends by itself when nobody listens any more', () => {
    const asked: number[] = [];
    const { seen, observer } = events();
    range(0, Infinity)
      .pipe(
        mapMany((n) => {
          asked.push(n);
          return [n, n];
        }),
        take(3),
      )
      .subscribe(observer);
    expect(seen).toEqual([0, 0, 1, 'complete']);
    expect(asked).toEqual([0, 1]); // and no third
  });

  it('errors where the projection throws, and leaves the source', () => {
    const source = new Subject<number>();
    const { seen, observer } = events();
    source
      .pipe(
        mapMany((n) => {
          if (n === 2) throw new Error('no two');
          return [n];
        }),
      )
      .subscribe(observer);
    for (const n of [1, 2, 3]) source.next(n);
    expect(seen).toEqual([1, 'no two']);
    expect(source.observed).toBe(false);
  });

  it('passes on errors and the end of the source', () => {
    const failed = events();
    throwError(() => new Error('gone'))
      .pipe(mapMany(() => []))
      .subscribe(failed.observer);
    expect(failed.seen).toEqual(['gone']);
    const ended = events();
    EMPTY.pipe(mapMany(() => [])).subscribe(ended.observer);
    expect(ended.seen).toEqual(['complete']);
  });

  it('leaves the source when it is unsubscribed from', () => {
    const source = new Subject<number>();
    const subscription = source.pipe(mapMany((n) => [n])).subscribe();
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
  });
});
