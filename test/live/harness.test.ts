/**
 * What finds faults in others has to find them: the comparison and the validation are given wrong
 * proposals here.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compare } from './compare.js';
import type { FiledProposal, JsonObject } from './proposals.js';
import { checkWithClasses } from './validate.js';

const TAG = 'urn:li:tag:mlflow_none';
const MODEL = 'urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_1,PROD)';

function proposal(
  entityType: string,
  entityUrn: string,
  aspectName: string,
  json: JsonObject,
): FiledProposal {
  return { entityType, entityUrn, changeType: 'UPSERT', aspectName, aspect: { json } };
}

const tag = (fields: JsonObject): FiledProposal =>
  proposal('tag', TAG, 'tagProperties', { name: 'mlflow_none', ...fields });
const version = (fields: JsonObject): FiledProposal =>
  proposal('mlModel', MODEL, 'versionProperties', { sortId: '0000000001', ...fields });

describe('the comparison', () => {
  it('finds nothing where nothing differs', () => {
    const { unexpected, compared } = compare([tag({})], [tag({})]);
    expect({ unexpected, compared }).toEqual({ unexpected: [], compared: 1 });
  });

  it.each([
    ['an aspect that ours has not', [tag({})], []],
    ['an aspect that only ours has', [], [tag({})]],
    ['a field that ours has not', [tag({ description: '' })], [tag({})]],
    ['a field that only ours has', [tag({})], [tag({ description: '' })]],
    ['another value', [tag({ description: 'a' })], [tag({ description: 'b' })]],
    ['another type', [tag({ count: 1 })], [tag({ count: '1' })]],
    ['a field called __proto__', [tag({})], [tag(JSON.parse('{"__proto__": "x"}') as JsonObject)]],
    ['another order where it counts', [tag({ path: [1, 2] })], [tag({ path: [2, 1] })]],
    ['aliases that the peer has', [version({ aliases: ['a'] })], [version({ aliases: [] })]],
  ])('finds %s', (_, peer, ours) => {
    expect(compare(peer, ours).unexpected).toHaveLength(1);
  });

  it('knows the differences that are meant', () => {
    const ours = version({ aliases: [{ versionTag: 'champion' }] });
    const { unexpected, met } = compare([version({ aliases: [] })], [ours]);
    expect(unexpected).toEqual([]);
    expect([...met]).toEqual(['aliases']);
  });
});

describe('the validation', () => {
  it.each([
    ['nothing wrong', tag({}), undefined],
    ['an aspect of another entity', { ...tag({}), aspectName: 'versionProperties' }, /no aspect/],
    ['a missing field', tag({ name: null }), /tagProperties/],
    ['a field that there is not', tag({ colour: 'red' }), /\.colour/],
    ['a value of another type', tag({ description: 1 }), /tagProperties/],
    ['another entity type', { ...tag({}), entityType: 'container' }, /entityType is container/],
    [
      'a reserved character',
      proposal('mlModel', MODEL.replace('churn', 'a, b'), 'status', { removed: false }),
      /entityUrn/,
    ],
    [
      'a dangling URN in an aspect',
      proposal('container', 'urn:li:container:ab', 'container', { container: 'urn:li:nothing:x' }),
      /nothing/,
    ],
  ])('of %s', async (_, wrong, problem) => {
    const folder = await mkdtemp(join(tmpdir(), 'validation-'));
    try {
      const file = join(folder, 'proposals.json');
      await writeFile(file, JSON.stringify([wrong]));
      const { problems } = await checkWithClasses(file);
      if (problem === undefined) expect(problems).toEqual([]);
      else expect(problems.join('\n')).toMatch(problem);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
