import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Aspect } from '../../src/datahub/proposal.js';
import { proposalJson, withoutLineBreaks } from '../../src/datahub/proposal-json.js';
import { readProposal } from '../../src/datahub/read-proposal.js';
import { awkwardProposals, tagProposal } from '../../src/testing/index.js';

const systemMetadata = { lastObserved: 1_700_000_000_000, runId: 'run "1" \u2028' };
const toJson = proposalJson(systemMetadata);

it("has the keys of DataHub's file sink in their order", () => {
  const parsed = JSON.parse(toJson({ ...tagProposal('a'), headers: { a: 'b' } })) as object;
  expect(Object.entries(parsed)).toEqual([
    ['entityType', 'tag'],
    ['entityUrn', 'urn:li:tag:a'],
    ['changeType', 'UPSERT'],
    ['aspectName', 'tagProperties'],
    ['aspect', { json: { name: 'a' } }],
    ['systemMetadata', systemMetadata],
    ['headers', { a: 'b' }],
  ]);
});

it("has a patch in the form that DataHub's reader takes for one", () => {
  const patch = [{ op: 'remove', path: '/\u2028' }] as unknown as Aspect;
  const parsed = JSON.parse(toJson({ ...tagProposal('a', patch), changeType: 'PATCH' })) as object;
  expect(parsed).toMatchObject({
    changeType: 'PATCH',
    aspect: { contentType: 'application/json-patch+json', value: JSON.stringify(patch) },
  });
});

it('survives UTF-8, whatever the content', () => {
  for (const proposal of awkwardProposals()) {
    const json = toJson(proposal);
    const read = readProposal(JSON.parse(Buffer.from(json, 'utf8').toString('utf8')));
    expect(JSON.stringify(read)).toBe(JSON.stringify(proposal));
  }
});

it('means the same after line breaks were escaped', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('\\', '"', '\u2028', '\u0085', 'a') }),
      (text) => {
        const json = withoutLineBreaks(JSON.stringify(text));
        expect(json).not.toMatch(/[\u0085\u2028\u2029]/);
        expect(JSON.parse(json)).toBe(text);
      },
    ),
  );
});
