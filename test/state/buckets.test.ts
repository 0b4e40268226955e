/**
 * Two keys with one number: rare beyond waiting for, and made here by hand.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StateDatabase } from '../../src/state/state-database.js';
import { bucketOf } from '../../src/state/text-key.js';
import { deliver, openState, proposal, runRecord, statePath } from './support.js';

/** Gives what stands in a column another value, and leaves its number as it is. */
function rename(path: string, table: string, column: string, from: string, to: string): void {
  const database = StateDatabase.open(path, { create: false });
  database.transaction(() => {
    database.run(`UPDATE ${table} SET ${column} = ? WHERE ${column} = ?`, to, from);
  });
  database.close();
}

it('keeps two entities with one number apart', () => {
  const path = statePath();
  const [one, other] = [proposal('urn:li:tag:one', { n: 1 }), proposal('urn:li:tag:two', { n: 2 })];
  const first = openState({ path });
  deliver(first, [other]);
  first.close();
  rename(path, 'entities', 'urn', other.entityUrn, one.entityUrn);

  const second = openState({ path });
  expect(deliver(second, [other])).toEqual([other]);
  second.close();
  const third = openState({ path });
  expect(deliver(third, [other])).toEqual([]);
  third.close();
});

it('delivers a record whose number is another’s each time', () => {
  const path = statePath();
  const first = openState({ path });
  deliver(first, [], { records: [runRecord('r1')] });
  first.close();
  rename(path, 'records', 'key', 'run r1', 'run r2');

  const second = openState({ path });
  deliver(second, [], { records: [runRecord('r1')] });
  expect(second.memory().delivered(['run r1'])).toEqual(new Set());
  second.close();
});

it('gives integers that JavaScript, JSON and SQLite hold exactly, alike for nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 2 }), (keys) => {
      const buckets = keys.map(bucketOf);
      expect(new Set(buckets).size).toBe(keys.length);
      for (const bucket of buckets) {
        expect(Number.isSafeInteger(bucket) && bucket >= 0).toBe(true);
      }
    }),
  );
});

it('spreads keys that differ in a few characters only', () => {
  const buckets = new Set<number>();
  const low = new Set<number>();
  for (let number = 0; number < 200_000; number += 1) {
    const bucket = bucketOf(`run ${number.toString(16).padStart(32, '0')}`);
    buckets.add(bucket);
    low.add(bucket % 65_536);
  }
  expect(buckets.size).toBe(200_000);
  expect(low.size).toBeGreaterThan(60_000);
});
