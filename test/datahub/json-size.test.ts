import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonSizeBound } from '../../src/datahub/json-size.js';

describe('jsonSizeBound', () => {
  it('is never less than the JSON has', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(jsonSizeBound(value)).toBeGreaterThanOrEqual(
          Buffer.byteLength(JSON.stringify(value)),
        );
      }),
    );
  });

  it.each<[string, unknown]>([
    ['control characters', '\u0001'.repeat(1_000)],
    ['halves of surrogate pairs', '\ud800'.repeat(1_000)],
    ['long numbers', Array<number>(1_000).fill(-Number.MAX_VALUE)],
    ['what is left out', { a: undefined, b: () => 1, c: [undefined, Symbol('x')] }],
    ['no prototype', Object.assign(Object.create(null) as object, { __proto__: 1, a: 'ä' })],
  ])('is never less for %s', (_, value) => {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    expect(jsonSizeBound(value)).toBeGreaterThanOrEqual(bytes);
    expect(jsonSizeBound(value)).toBeLessThan(Infinity);
  });

  const cyclic: Record<string, unknown> = {};
  cyclic['left'] = cyclic;
  cyclic['right'] = [cyclic, cyclic];

  it.each<[string, unknown]>([
    ['a cycle', cyclic],
    ['a BigInt', [1n]],
    ['what makes its own JSON', { at: new Date(0) }],
    ['an object of a class', { map: new Map() }],
  ])('does not say for %s', (_, value) => {
    expect(jsonSizeBound(value)).toBe(Infinity);
  });
});
