import { describe, expect, it } from 'vitest';
import { pythonPattern } from '../../src/operators/enrichment/python-pattern.js';

/** What `re.match` of Python 3.11 said; test/live/python-pattern.test.ts asks it for many more. */
const SAID: readonly (readonly [string, string, boolean])[] = [
  ['raw', 'raw/churn', true],
  ['raw', 'a raw', false],
  ['raw$', 'raw/churn', false],
  ['\\w+ ', 'Zürich 東京', true],
  ['\\w+$', '١٢٣', true],
  ['\\d+$', '١٢٣', true],
  ['\\D', '٣', false],
  ['[\\w.]+$', 'ü.東', true],
  ['[^\\w]', 'ü', false],
  ['\\W', 'ü', false],
  ['.*\\bpii\\b', 'a/pii,PROD', true],
  ['.*\\bpii\\b', 'a/püpii,PROD', false],
  ['.\\B.', 'ab', true],
  ['..$', '🚀a', true],
  ['.*b', 'a\nb', false],
  ['.*b', 'a\rb', true],
  ['(?s).*b', 'a\nb', true],
  ['(?is)RAW.$', 'raw\n', true],
  ['a\\Z', 'a', true],
  ['a{,2}$', 'aa', true],
  ['a{}', 'a{}', true],
  ['{a]', '{a]', true],
  ['[]a]+$', ']a', true],
  ['[^]a]', ']', false],
  ['urn\\:li\\-x\\/', 'urn:li-x/', true],
  ['(?P<zone>a)(?P=zone)$', 'aa', true],
  ['(a)\\1$', 'aa', true],
  ['[a\\-z]+$', 'a-z', true],
  ['\\s', '\ufeff', false],
  ['\\s', '\x85', true],
];

describe('pythonPattern', () => {
  it.each(SAID)('%j at the start of %j: %s', (pattern, text, matches) => {
    expect(pythonPattern(pattern)?.test(text)).toBe(matches);
  });

  it.each([
    ...['(', '[a', 'a**', '\\q', '\\R', '(?P<a>b)(?P<a>c)', '(?<n>a)', 'a(?i)b', '[\\w-z]'], // no patterns
    ...['(?x) a', 'a++', '(?>a)', '(?#note)a', '[\\W]', '\\01', '\\N{DASH}', '(?(1)a|b)'], // not had here
  ])('%j is refused', (pattern) => {
    expect(pythonPattern(pattern)).toBeUndefined();
  });
});
