import { describe, expect, it } from 'vitest';
import { literalsOf } from '../../src/core/pattern.js';

describe('literalsOf', () => {
  it('gives the texts of patterns that are nothing but texts, each once', () => {
    expect(literalsOf(['core|ml team', 'a-b_1', 'core'])).toEqual(['core', 'ml team', 'a-b_1']);
  });

  it.each([
    ['a.b'],
    ['a*'],
    ['(a|b)'],
    ['a|'],
    ["o'hara"],
    ['a\\|b'],
    ['é'],
    ['a`b'],
    ['%'],
    [' a'],
    ['a '],
  ])('gives nothing for %j', (text) => {
    expect(literalsOf(['fine', text])).toBeUndefined();
  });

  it('gives nothing for more than a few', () => {
    expect(literalsOf([Array.from({ length: 51 }, (_, at) => `t${at}`).join('|')])).toBeUndefined();
  });
});
