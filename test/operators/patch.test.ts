import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { addOwners } from '../../src/operators/add-owners.js';
import { addTerms } from '../../src/operators/add-terms.js';
import { patch } from '../../src/operators/patch.js';
import { itIsAnOperator, outputOf, recordingContext } from './operator-cases.js';
import { described, said, tags } from './proposals.js';

const list = tags('mlModel', 'churn_3', 'a~b/c', 'gold');

describe('patch', () => {
  itIsAnOperator(() => patch(), [list, described('mlModel', 'churn_3')]);

  it('adds the elements of a list one by one', () => {
    expect(outputOf(patch(), list)).toEqual([
      {
        ...list,
        changeType: 'PATCH',
        aspect: {
          arrayPrimaryKeys: { tags: ['attribution\u241fsource', 'tag'] },
          patch: [
            {
              op: 'add',
              path: '/tags//urn:li:tag:a~0b~1c',
              value: { tag: 'urn:li:tag:a~b/c' },
            },
            { op: 'add', path: '/tags//urn:li:tag:gold', value: { tag: 'urn:li:tag:gold' } },
          ],
        },
      },
    ]);
  });

  it('names owners and terms as DataHub’s library does', () => {
    const group = described('mlModelGroup', 'churn');
    const paths = (proposals: readonly Proposal[]) =>
      proposals.flatMap(({ aspect }) =>
        ((aspect['patch'] ?? []) as readonly { path: string }[]).map(({ path }) => path),
      );
    const typeUrn = 'urn:li:ownershipType:steward';
    const owned = outputOf(
      addOwners(() => ['ada', { owner: 'urn:li:corpGroup:a', type: typeUrn }]),
      group,
    );
    expect(paths(outputOf(patch(), ...owned))).toEqual([
      '/owners/urn:li:corpuser:ada/TECHNICAL_OWNER//',
      `/owners/urn:li:corpGroup:a/CUSTOM/${typeUrn}/`,
    ]);
    const termed = outputOf(addTerms({ terms: ['Personal'] }), group);
    expect(paths(outputOf(patch(), ...termed))).toEqual(['/terms/urn:li:glossaryTerm:Personal/']);
    const source = 'urn:li:dataPlatform:x';
    const attributed = said('mlModel', 'm', 'globalTags', {
      tags: [{ tag: 'urn:li:tag:t', attribution: { source } }],
    });
    expect(paths(outputOf(patch(), attributed))).toEqual([`/tags/${source}/urn:li:tag:t`]);
  });

  it('leaves out what adds nothing, and counts it', () => {
    const { context, recorder } = recordingContext();
    const operator = patch();
    operator.open?.(context);
    expect(outputOf(operator, tags('mlModel', 'm'))).toEqual([]);
    expect(recorder.counts().skipped).toEqual({ 'patch: nothing to add': 1 });
  });

  it('leaves patches, other aspects and what is no list alone', () => {
    const others = [
      { ...list, changeType: 'PATCH' as const },
      said('mlModel', 'm', 'ownership', { owners: [] }),
      said('mlModel', 'm', 'globalTags', {}),
    ];
    expect(outputOf(patch({ aspects: ['globalTags'] }), ...others)).toEqual(others);
  });

  it('is for the types of entities that are named, and leaves the others alone', () => {
    const dataset = tags('dataset', 'd', 'gold');
    const [first, second] = outputOf(patch({ entityTypes: ['dataset'] }), list, dataset);
    expect(first).toEqual(list);
    expect(second?.changeType).toBe('PATCH');
  });
});
