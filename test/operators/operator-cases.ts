/**
 * The cases that every operator must pass, whatever it does.
 */

import { concat, defer, EMPTY, from, NEVER, Observable, of, throwError } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import type { Operator, Rejection, RunContext } from '../../src/stream/contracts.js';
import { Recorder } from '../../src/stream/recorder.js';
import { silentLog } from '../support/memory.js';

/** A context that keeps what it was told. */
export function recordingContext() {
  const recorder = new Recorder();
  const rejected: Rejection[] = [];
  const context: RunContext = {
    runId: 'run-1',
    startedAt: 0,
    signal: new AbortController().signal,
    log: silentLog,
    recorder,
    env: {},
    reject: (rejection) => rejected.push(rejection),
  };
  return { context, recorder, rejected };
}

/** What an operator gives for some input, all at once. */
export function outputOf<In, Out>(operator: Operator<In, Out>, ...input: In[]): Out[] {
  const output: Out[] = [];
  let failure: unknown;
  from(input)
    .pipe(operator)
    .subscribe({
      next: (value) => output.push(value),
      error: (error: unknown) => {
        failure = error;
      },
    });
  if (failure !== undefined) throw failure as Error;
  return output;
}

/** @param passing - different inputs, for each of which at least one output comes, and always the same */
export function itIsAnOperator<In, Out>(make: () => Operator<In, Out>, passing: readonly In[]) {
  const [one] = passing;
  if (one === undefined) throw new Error('no input to pass');

  describe('as an operator', () => {
    it('stays silent when its source is', () => {
      let events = 0;
      const count = () => (events += 1);
      NEVER.pipe(make()).subscribe({ next: count, error: count, complete: count }).unsubscribe();
      expect(events).toBe(0);
    });

    it('completes when its source is empty', () => {
      let completed = false;
      EMPTY.pipe(make()).subscribe({ complete: () => (completed = true) });
      expect(completed).toBe(true);
    });

    it('emits for one, and completes', () => {
      let completed = false;
      const output: Out[] = [];
      of(one)
        .pipe(make())
        .subscribe({ next: (value) => output.push(value), complete: () => (completed = true) });
      expect(output.length).toBeGreaterThan(0);
      expect(completed).toBe(true);
    });

    it('emits for many in their order', () => {
      const each = passing.flatMap((value) => outputOf(make(), value));
      expect(outputOf(make(), ...passing)).toEqual(each);
    });

    it('passes an error on after what came before it', () => {
      const failure = new Error('source');
      const output: Out[] = [];
      let caught: unknown;
      concat(
        of(one),
        throwError(() => failure),
      )
        .pipe(make())
        .subscribe({
          next: (value) => output.push(value),
          error: (error: unknown) => (caught = error),
        });
      expect(caught).toBe(failure);
      expect(output).toEqual(outputOf(make(), one));
    });

    it('lets an endless source go when its reader has enough', () => {
      let pulled = 0;
      let released = false;
      const endless = new Observable<In>((subscriber) => {
        subscriber.add(() => (released = true));
        while (!subscriber.closed) {
          pulled += 1;
          subscriber.next(one);
          if (pulled > 10) throw new Error('nobody listens any more');
        }
      });
      const output: Out[] = [];
      endless.pipe(make(), take(1)).subscribe((value) => output.push(value));
      expect(output).toHaveLength(1);
      expect(released).toBe(true);
      expect(pulled).toBe(1);
    });

    it('unsubscribes from its source', () => {
      let released = false;
      const source = new Observable<In>(() => () => (released = true));
      source.pipe(make()).subscribe().unsubscribe();
      expect(released).toBe(true);
    });

    it('can be subscribed once for each page, at the same time', () => {
      const operator = make();
      const page = defer(() => from(passing)).pipe(operator);
      const ends: string[] = [];
      page.subscribe({ complete: () => ends.push('a') });
      page.subscribe({ complete: () => ends.push('b') });
      expect(ends).toEqual(['a', 'b']);
    });

    it('takes the stream as its one argument, as the configuration checks', () => {
      expect(make()).toHaveLength(1);
    });
  });
}
