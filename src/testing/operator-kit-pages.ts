/**
 * The operator kit's checks for what it does with a page.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { concat, from, Observable, Subject, throwError } from 'rxjs';
import {
  itemsOf,
  OpenOperator,
  outputOf,
  PAGE,
  printOf,
  soundOutput,
  verifySameOutput,
  type OperatorCheck,
  type OperatorSetup,
} from './operator-setup.js';
import { verify } from './verify.js';

export const pageChecks: readonly OperatorCheck[] = [
  {
    name: 'is done with a page without records, and gives nothing for it',
    run: async (setup) => {
      verifySameOutput(await outputOf(setup, []), [], 'for nothing');
    },
  },
  {
    name: 'takes a page once, and is done with it when it has all of it',
    run: async (setup) => {
      const items = await itemsOf(setup, PAGE);
      const operator = new OpenOperator(setup);
      const state = { subscribed: 0, done: false };
      const rest = new Subject<unknown>();
      const page = new Observable((subscriber) => {
        state.subscribed += 1;
        return concat(from(items), rest).subscribe(subscriber);
      });
      const outcome = operator.watch(page);
      void outcome.then(
        () => (state.done = true),
        () => undefined,
      );
      await nextTurn();
      verify(!state.done, 'it is done before the page is');
      rest.complete();
      const output = soundOutput(await outcome);
      verify(state.subscribed === 1, `it takes the page ${state.subscribed} times`);
      verify(output.length > 0, 'it gives nothing for a whole page: nothing can be said of it');
    },
  },
  {
    name: 'keeps the order of a page',
    run: async (setup) => {
      const alone: unknown[] = [];
      for (const name of PAGE) alone.push(...(await outputOf(setup, await itemsOf(setup, [name]))));
      const together = await outputOf(setup, await itemsOf(setup, PAGE));
      const [expected, found] = [firstOf(alone), firstOf(together)];
      verifySameOutput(
        [...found].filter((each) => expected.has(each)),
        [...expected].filter((each) => found.has(each)),
        'of things on one page, compared with each on its own',
      );
    },
  },
  {
    name: 'keeps pages apart that are on their way at the same time',
    run: async (setup) => {
      const pages = await Promise.all(PAGE.map((name) => itemsOf(setup, [name])));
      const alone: ReadonlySet<string>[] = [];
      for (const page of pages) alone.push(firstOf(await outputOf(setup, page)));
      const together = (await interleaved(setup, pages)).map(firstOf);
      for (const [index, expected] of alone.entries()) {
        const found = together[index] ?? new Set<string>();
        const others = alone.filter((_, other) => other !== index);
        const missing = [...expected].find(
          (each) => !found.has(each) && !others.some((other) => other.has(each)),
        );
        verify(missing === undefined, `with other pages, a page lacks ${missing ?? ''}`);
        const extra = [...found].find((each) => !expected.has(each));
        verify(extra === undefined, `with other pages, a page has ${extra ?? ''} as well`);
      }
    },
  },
  {
    name: 'passes on that a page fails',
    run: async (setup) => {
      const failure = new Error('the page fails');
      const items = await itemsOf(setup, PAGE);
      const page = concat(
        from(items),
        throwError(() => failure),
      );
      const { error } = await new OpenOperator(setup).watch(page);
      verify(error !== undefined, 'the page fails, and the operator says it is done');
    },
  },
  {
    name: 'lets a page go when nobody listens any more',
    run: async (setup) => {
      const items = await itemsOf(setup, PAGE);
      for (const given of [0, items.length]) {
        let released = false;
        const page = new Observable((subscriber) => {
          for (const item of items.slice(0, given)) subscriber.next(item);
          return () => (released = true);
        });
        page.pipe(new OpenOperator(setup).operator).subscribe().unsubscribe();
        verify(released, `after ${given} records, it listens on`);
      }
    },
  },
];

/** What comes of each of several pages whose records come in turn; the first is done last. */
async function interleaved(
  setup: OperatorSetup,
  pages: readonly (readonly unknown[])[],
): Promise<readonly (readonly unknown[])[]> {
  const operator = new OpenOperator(setup);
  const subjects = pages.map(() => new Subject<unknown>());
  const outcomes = subjects.map((subject) => operator.watch(subject));
  const longest = Math.max(...pages.map((page) => page.length));
  for (let at = 0; at < longest; at += 1) {
    for (const [index, page] of pages.entries()) {
      if (at < page.length) subjects[index]?.next(page[at]);
    }
  }
  for (const subject of [...subjects].reverse()) subject.complete();
  return (await Promise.all(outcomes)).map(soundOutput);
}

/** The same thing again (a tag that several things have) says nothing of the order. */
function firstOf(output: readonly unknown[]): ReadonlySet<string> {
  return new Set(output.map(printOf));
}
