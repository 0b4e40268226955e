import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LastMetric, type MetricValue } from '../../../src/sources/file-store/last-metric.js';
import { loadMetaParser } from '../../../src/sources/file-store/meta-yaml.js';
import { SortedNames } from '../../../src/sources/file-store/sorted-names.js';
import { fileStorePath, fileStoreUri } from '../../../src/sources/file-store/uri.js';

function last(text: string, pieceSize = text.length): MetricValue | undefined {
  const metric = new LastMetric();
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += Math.max(pieceSize, 1)) {
    metric.add(bytes.subarray(start, start + Math.max(pieceSize, 1)));
  }
  return metric.end();
}

describe('the value of a metric', () => {
  it.each([
    ['1 0.5', { timestamp: 1, value: 0.5, step: 0 }],
    ['1 0.5 7\n', { timestamp: 1, value: 0.5, step: 7 }],
    ['1 0.5 7 table d1\n', { timestamp: 1, value: 0.5, step: 0 }],
    ['1 -0.0 -3\r\n', { timestamp: 1, value: -0, step: -3 }],
    ['1 1e-05 0\n1 Infinity 0\n', { timestamp: 1, value: Infinity, step: 0 }],
    ['1 -inf 0\n', { timestamp: 1, value: -Infinity, step: 0 }],
    ['1 nan 0\n1 5 0\n', { timestamp: 1, value: NaN, step: 0 }],
    ['1 5 0\n1 nan 0\n', { timestamp: 1, value: 5, step: 0 }],
    ['1 5 0\n2 nan 0\n', { timestamp: 2, value: NaN, step: 0 }],
    ['', undefined],
  ])('of %j', (text, value) => {
    expect(last(text)).toEqual(value);
  });

  it.each(['1\n', '1 x\n', 'x 1\n', '1 2 x\n', '1 2 3 4\n', '\n', '1 2 3\n\n1 2 3\n', '1.5 2 3\n'])(
    'is none of %j',
    (text) => {
      expect(() => last(text)).toThrow('not a metric');
    },
  );

  it('is the greatest (step, timestamp, value), however it comes in pieces', () => {
    const small = fc.integer({ min: -3, max: 3 });
    const values = fc.array(fc.record({ timestamp: small, value: small, step: small }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 40 }), (list, size) => {
        const text = list.map((v) => `${v.timestamp} ${v.value}.0 ${v.step}\n`).join('');
        const [best] = [...list].sort(
          (a, b) => b.step - a.step || b.timestamp - a.timestamp || b.value - a.value,
        );
        const found = last(text, size);
        expect({ ...found, value: (found?.value ?? NaN) + 0 }).toEqual({
          ...best,
          value: (best?.value ?? NaN) + 0,
        });
      }),
    );
  });

  it('is found in a file of a million lines without holding it', () => {
    const metric = new LastMetric();
    const piece = Buffer.from('1700000000000 0.5 1\n'.repeat(1000));
    metric.add(Buffer.from('1 2.5 9\n'));
    for (let count = 0; count < 1000; count += 1) metric.add(piece);
    expect(metric.end()).toEqual({ timestamp: 1, value: 2.5, step: 9 });
    expect(() => {
      new LastMetric().add(Buffer.alloc(100_000, '1'));
    }).toThrow('too long');
  });
});

describe('a meta.yaml', () => {
  it('has texts, and null where that is written plain', async () => {
    const parse = await loadMetaParser();
    expect(
      parse(
        [
          'a: 12345e67',
          "b: '007'",
          'c: null',
          "d: 'null'",
          'e:',
          'f: ~',
          'g: yes',
          'h: 2020-01-01',
          'i: "\\U0001F680 \\x7F"',
          "j: 'folded",
          '',
          "  text'",
          'k: a long name that',
          '  goes on',
          '__proto__: mine',
          'l: []',
          'l: {x: 1}',
          "m: 'old\u2028  break'",
          'n: &id []',
          'o: *id',
        ].join('\n'),
      ),
    ).toEqual(
      Object.fromEntries([
        ['a', '12345e67'],
        ['b', '007'],
        ['c', null],
        ['d', 'null'],
        ['e', null],
        ['f', null],
        ['g', 'yes'],
        ['h', '2020-01-01'],
        ['i', '🚀 \x7F'],
        ['j', 'folded\ntext'],
        ['k', 'a long name that goes on'],
        ['__proto__', 'mine'],
        ['l', { x: '1' }],
        ['m', 'old\u2028break'],
        ['n', []],
        ['o', []],
      ]),
    );
  });
});

describe('names in order', () => {
  it('are the same in memory and on disk', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[0-9a-zA-Z][\w-]{0,5}$/), { maxLength: 60 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 9 }), (list, limit) => {
        for (const bound of [10, 1000]) {
          const sorted = new SortedNames(bound);
          for (let start = 0; start < list.length; start += 7) {
            sorted.add(list.slice(start, start + 7));
          }
          const found: string[] = [];
          for (let after = ''; ; after = found.at(-1) ?? '') {
            const some = sorted.after(after, limit);
            if (some.length === 0) break;
            found.push(...some);
          }
          sorted.close();
          expect(found).toEqual([...list].sort());
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the URI of a folder', () => {
  it.each([
    ['file:///data/my%20runs', '/data/my runs'],
    ['file:/data/mlruns', '/data/mlruns'],
    ['file:mlruns', 'mlruns'],
    ['FILE:./my%20runs', './my runs'],
    [' ./100%/mlruns ', './100%/mlruns'],
  ])('%s', (uri, path) => {
    expect(fileStorePath(uri)).toBe(path);
  });

  it.each(['file://host/share', 'file:', 'file:a%', ' ', 'file:%00'])('refuses %j', (uri) => {
    expect(() => fileStorePath(uri)).toThrow('names no folder');
  });

  it('is absolute', () => {
    expect(fileStoreUri('/data/my runs/')).toBe('file:///data/my%20runs');
  });
});
