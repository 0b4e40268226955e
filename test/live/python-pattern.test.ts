/**
 * Patterns of recipes match here what they match in Python.
 */

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pythonPattern } from '../../src/operators/enrichment/python-pattern.js';
import { binOf } from './install.js';
import { run } from './processes.js';
import { PEER } from './releases.js';

const PIECES = [
  ...['a', 'Z', 'ü', '東', '🚀', '_', '1', '٣', '-', '/', ':', '&', '.', '.*', '^', '$', '|'],
  ...['\\w', '\\W', '\\d', '\\D', '\\s', '\\S', '\\b', '\\B', '\\A', '\\Z', '\\n', '\\a', '\\x61'],
  ...['\\.', '\\-', '\\:', '\\/', '\\_', '\\]', '\\}', '\\q', '\\R', '\\u0061', '\\1', '\\10'],
  ...['[a-z]', '[^a-z]', '[\\w.]', '[]a]', '[^]a]', '[\\]]', '[a\\-z]', '[[]', '[\\d-]', '[\\s,]'],
  ...['*', '+', '?', '+?', '++', '{2}', '{,2}', '{1,}', '{,}', '{}', '{', '}', ']', '{a}', '['],
  ...['(a)', '(?:a)', '(?P<n>a)', '(?P=n)', '(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '(', ')', '\\'],
];
const FLAGS = ['', '(?i)', '(?s)', '(?is)'];
const TEXTS = [
  ...[
    'a',
    'aa',
    'A1',
    'Zürich 東京 🚀',
    'urn:li:x',
    'a-b',
    'a.b',
    'a]b',
    'a{2}',
    'a{}',
    '{a}',
    '_a1',
  ],
  ...['1٣', 'a\nb', 'a\rb', 'a\u2028b', '🚀', '\u0007', 'a a', ' a', '&-/', 'AüZ'],
];
const SCRIPT = `
import json, re, sys, warnings
warnings.simplefilter("ignore")
pieces, flags, texts = json.loads(sys.argv[1])
def said(pattern):
    try:
        return "".join(str(int(bool(re.match(pattern, text)))) for text in texts)
    except (re.error, OverflowError):
        return ""
print(json.dumps([said(flags[(i + j) % 4] + a + b) for i, a in enumerate(pieces) for j, b in enumerate(["", *pieces])]))
`;

it('is what Python says, for each two pieces together', async () => {
  const { stdout } = await run(join(binOf(PEER), 'python'), [
    '-c',
    SCRIPT,
    JSON.stringify([PIECES, FLAGS, TEXTS]),
  ]);
  const said = JSON.parse(stdout) as readonly string[];
  const patterns = PIECES.flatMap((a, i) =>
    ['', ...PIECES].map((b, j) => `${FLAGS[(i + j) % 4] ?? ''}${a}${b}`),
  );
  expect(said).toHaveLength(patterns.length);
  const alike = new Set<string>();
  const wrong: string[] = [];
  const refused: string[] = [];
  const lax: string[] = [];
  patterns.forEach((pattern, index) => {
    const expression = pythonPattern(pattern);
    const ours = TEXTS.map((text) => Number(expression?.test(text))).join('');
    const python = said[index] ?? '';
    const list =
      expression === undefined ? (python === '' ? alike : refused) : python === '' ? lax : wrong;
    if (list instanceof Set || ours === python) alike.add(pattern);
    else list.push(pattern);
  });
  expect(wrong).toEqual([]);
  // Possessive repetitions, repeated places between characters, characters by octal numbers.
  expect(refused.filter((text) => !/[*+?}]\+$|\(\?<?[=!]a\)[*+?{]|\\101/.test(text))).toEqual([]);
  // Repeated places between characters, and groups that are referred to before they come.
  expect(lax.filter((text) => !/\\[bB]|[$^]|(\\1|P=n\))\(/.test(text))).toEqual([]);
  expect(alike.size).toBeGreaterThan(4000);
});
