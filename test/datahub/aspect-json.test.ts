import { describe, expect, it } from 'vitest';
import { aspectJson, forgetJson, rememberedJson } from '../../src/datahub/aspect-json.js';
import type { Aspect } from '../../src/datahub/proposal.js';

describe('the text of an aspect', () => {
  it('is its JSON, remembered or not', () => {
    expect(aspectJson({ a: [1, 'é', null] })).toBe('{"a":[1,"é",null]}');
    expect(rememberedJson({ a: [1, 'é', null] })).toBe('{"a":[1,"é",null]}');
  });

  it('is what it was when it set out to sinks, until it has arrived', () => {
    const aspect = { n: 1 };
    rememberedJson(aspect);
    aspect.n = 2;
    expect(aspectJson(aspect)).toBe('{"n":1}');
    expect(rememberedJson(aspect)).toBe('{"n":2}');
    expect(aspectJson(aspect)).toBe('{"n":2}');
    expect(aspectJson({ ...aspect, n: 3 })).toBe('{"n":3}');
    aspect.n = 4;
    forgetJson(aspect);
    expect(aspectJson(aspect)).toBe('{"n":4}');
  });

  it.each([
    ['no object', 'text', 'the aspect is not an object'],
    ['nothing', undefined, 'the aspect is not an object'],
    ['what has no JSON', { toJSON: () => undefined }, 'the aspect has no JSON'],
    ['a BigInt', { n: 1n }, 'BigInt'],
  ])('is refused of %s', (_, aspect, message) => {
    for (const textOf of [aspectJson, rememberedJson]) {
      expect(() => textOf(aspect as unknown as Aspect)).toThrow(message);
    }
  });
});
