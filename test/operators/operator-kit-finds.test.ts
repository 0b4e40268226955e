/**
 * The operator kit itself: that it finds the operators that break their word.
 */

import {
  concatMap,
  concat,
  EMPTY,
  from,
  map,
  mergeMap,
  NEVER,
  of,
  toArray,
  catchError,
} from 'rxjs';
import { filter, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import type { AnyOperator } from '../../src/stream/contracts.js';
import { operatorKit } from '../../src/testing/index.js';

/** The names of the checks that an operator of proposals does not pass. */
async function broken(make: () => AnyOperator): Promise<readonly string[]> {
  const names: string[] = [];
  for (const check of operatorKit({ make })) {
    await check.run().catch(() => names.push(check.name));
  }
  return names;
}

const signed = (operator: AnyOperator, signature: string): AnyOperator =>
  Object.assign(operator, { signature });

const PASSING = map((proposal: Proposal) => proposal);

describe('the operator kit', () => {
  it('has nothing against an operator that keeps its word, or takes its time', async () => {
    expect(await broken(() => PASSING)).toEqual([]);
    expect(await broken(() => concatMap((item: Proposal) => Promise.resolve(item)))).toEqual([]);
  });

  it.each<[string, () => AnyOperator]>([
    [
      'is a function of the stream alone, with labels of one line',
      () =>
        Object.defineProperty(
          map((item: Proposal) => item),
          'length',
          { value: 2 },
        ),
    ],
    [
      'is done with a page without records, and gives nothing for it',
      () => (source) => concat(source, of(1)),
    ],
    [
      'takes a page once, and is done with it when it has all of it',
      () => (source) => concat(source.pipe(filter(() => false)), source),
    ],
    ['takes a page once, and is done with it when it has all of it', () => take(2)],
    [
      'keeps the order of a page',
      () => (source) =>
        source.pipe(
          toArray(),
          mergeMap((all) => from(all.reverse())),
        ),
    ],
    ['keeps pages apart that are on their way at the same time', sharesPages],
    ['passes on that a page fails', () => catchError(() => EMPTY)],
    [
      'gives the same bytes for the same page, where it has a signature',
      () =>
        signed(
          map((item: Proposal) => ({ ...item, runAt: (clock += 1) })),
          'now',
        ),
    ],
    ['forgets an earlier run when another one begins', remembersRuns],
    ['gives again what was not delivered', remembersRuns],
    [
      'leaves what it is given as it is',
      () => map((item: Proposal) => Object.assign(item, { seen: 1 })),
    ],
    [
      'takes odd names, or sets aside what has them',
      () => map((item: Proposal) => ({ ...item, urn: encodeURIComponent(item.entityUrn) })),
    ],
    ['keeps properties of any name, if it keeps properties', losesProto],
    [
      'passes through what it does not know, or sets it aside',
      () => filter((item: Proposal) => item.entityType !== 'dashboard'),
    ],
    [
      'sets aside what it can do nothing with, and goes on',
      () => map((item: Proposal) => ({ ...item, keys: Object.keys(item.aspect) })),
    ],
  ])('finds one that breaks "%s"', async (name, make) => {
    expect(await broken(make)).toContain(name);
  });

  it('finds one that is never done, within seconds', async () => {
    const check = operatorKit({ make: () => (source) => concat(source, NEVER) })[2];
    await expect(check?.run()).rejects.toThrow('all of a page was given, and it is not done');
  }, 60_000);

  it('lets a filter drop what it will, where that is said', async () => {
    const make = (): AnyOperator => filter((item: Proposal) => item.entityType !== 'dashboard');
    for (const check of operatorKit({ make, drops: true })) await check.run();
  });
});

let clock = 0;

/** Holds back a record of any page until another one comes. */
function sharesPages(): AnyOperator {
  const held: unknown[] = [];
  return (source) =>
    concat(
      source.pipe(mergeMap((item) => (held.push(item) > 1 ? [held.shift()] : []))),
      from(held.splice(0)),
    );
}

function remembersRuns(): AnyOperator {
  const seen = new Set<string>();
  return filter(({ entityUrn, aspectName }: Proposal) => {
    const key = `${entityUrn} ${aspectName}`;
    return !seen.has(key) && seen.add(key).size > 0;
  });
}

function losesProto(): AnyOperator {
  return map((item: Proposal) => {
    const copy: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(item.aspect['customProperties'] ?? {})) {
      copy[key] = value;
    }
    return { ...item, aspect: { ...item.aspect, customProperties: copy } };
  });
}
