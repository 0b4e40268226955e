import { describe, expect, it } from 'vitest';
import { nextOffsetToken } from '../../../src/sources/rest/offset-token.js';
import { inspectOversized, textsIn } from '../../../src/sources/rest/oversized.js';
import { RecentIds } from '../../../src/sources/rest/recent-ids.js';
import { offsetToken } from '../../support/mlflow-server.js';

function inChunks(text: string, length: number): Uint8Array[] {
  const bytes = Buffer.from(text);
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += length) {
    chunks.push(bytes.subarray(start, start + length));
  }
  return chunks;
}

describe('inspectOversized', () => {
  it.each([
    ['{"runs": [{"info": {"run_id": "r1"}, "data": {"tags": [{"key": "}{[", "value": "\\"}', 1],
    ['{"runs": [{"info": {}}, {"info"', 2],
    ['{"runs": [{"info": {}}], "other": {"a": {}}', 1],
    ['{"runs": [', 0],
    ['', 0],
  ])('counts the items of %s', (text, items) => {
    for (const length of [1, 7, 1_000]) {
      expect(inspectOversized(inChunks(text, length)).items).toBe(items);
    }
  });

  it('keeps the head, however the bytes came', () => {
    const { head } = inspectOversized(inChunks(`{"runs": [{"a": "${'x'.repeat(200_000)}`, 1_000));
    expect(head).toHaveLength(65_536);
    expect(head.startsWith('{"runs": [{"a": "x')).toBe(true);
  });
});

describe('textsIn', () => {
  it('finds texts under keys, with their escapes', () => {
    const head = '{"model_versions": [{"name": "a \\"b\\" \\u00fc", "version" : "3", "x": "';
    expect(textsIn(head, ['name', 'version'])).toEqual(['a "b" ü', '3']);
    expect(textsIn(head, ['name', 'x'])).toBeUndefined();
  });
});

describe('nextOffsetToken', () => {
  it('gives the token that MLflow itself would give, one further', () => {
    expect(nextOffsetToken(undefined)).toBe(offsetToken(1));
    expect(nextOffsetToken(offsetToken(41))).toBe('eyJvZmZzZXQiOiA0Mn0=');
  });

  it.each(['abc', 'Zm9v', btoa('{"offset": 1, "key": "x"}'), btoa('{"offset": "1"}'), btoa('1')])(
    'gives none behind the token %s, which is of another kind',
    (token) => {
      expect(nextOffsetToken(token)).toBeUndefined();
    },
  );
});

describe('RecentIds', () => {
  it('knows the last ids, and forgets the oldest first', () => {
    const recent = new RecentIds(2);
    expect(['a', 'b', 'a', 'c', 'b', 'a', 'b'].map((id) => recent.add(id))).toEqual([
      true,
      true,
      false,
      true, // a is forgotten
      false,
      true, // b is forgotten
      true,
    ]);
  });
});
