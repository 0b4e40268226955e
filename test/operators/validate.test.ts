import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { validate } from '../../src/operators/validate.js';
import { itIsAnOperator, outputOf, recordingContext } from './operator-cases.js';
import { described, said, tags } from './proposals.js';

const good = [
  described('mlModelGroup', 'churn'),
  described('dataProcessInstance', 'run', { a: '1' }),
  said('tag', 'gold', 'tagKey', { name: 'gold' }),
  tags('dataset', 'd'),
  // Nobody here knows what such entities take.
  said('corpGroup', 'team', 'globalTags', { tags: [] }),
  said(
    'dataset',
    'd',
    'anAspectOfOnesOwn',
    {},
    { entityType: 'corpGroup', entityUrn: 'urn:li:corpGroup:x' },
  ),
  { ...tags('mlModel', 'm'), changeType: 'PATCH' as const, aspect: { patch: [] } },
].map((proposal): Proposal =>
  proposal.aspectName === 'dataProcessInstanceProperties'
    ? { ...proposal, aspect: { ...proposal.aspect, created: { time: 1 } } }
    : proposal,
);

const cyclic: Record<string, unknown> = { name: 'c' };
cyclic['self'] = cyclic;

const BAD: readonly (readonly [rule: string, proposal: Proposal, message: RegExp])[] = [
  ['URN_INVALID', described('mlModelGroup', 'x'.repeat(600)), /512/],
  ['URN_INVALID', described('mlModelGroup', 'x '), /blank/],
  [
    'URN_OF_OTHER_TYPE',
    { ...tags('mlModel', 'm'), entityUrn: 'urn:li:mlModelGroup:m' },
    /none of a mlModel/,
  ],
  ['ASPECT_NOT_ALLOWED', tags('dataProcessInstance', 'run', 'gold'), /no globalTags/],
  ['ASPECT_NOT_ALLOWED', said('mlModel', 'm', 'upstreamLineage', { upstreams: [] }), /mlModel/],
  ['FIELD_MISSING', said('mlModel', 'm', 'globalTags', {}), /lacks tags/],
  ['FIELD_MISSING', said('mlModel', 'm', 'ownership', { owners: null }), /lacks owners/],
  ['FIELD_MISSING', said('container', 'c', 'containerProperties', {}), /lacks name/],
  ['ASPECT_TOO_LARGE', described('container', 'c', { a: 'ä'.repeat(600) }), /1000 are allowed/],
  ['NO_JSON', said('container', 'c', 'containerProperties', cyclic as never), /JSON/],
  ['NO_JSON', said('container', 'c', 'containerProperties', undefined as never), /no object/],
  ['NO_JSON', said('container', 'c', 'containerProperties', null as never), /no object/],
];

describe('validate', () => {
  itIsAnOperator(() => validate(), good);

  it('lets good ones pass as they are', () => {
    const { context, rejected } = recordingContext();
    const operator = validate();
    operator.open?.(context);
    expect(outputOf(operator, ...good)).toEqual(good);
    expect(rejected).toEqual([]);
  });

  it.each(BAD)('takes out what breaks %s', (rule, proposal, message) => {
    const { context, rejected } = recordingContext();
    const operator = validate({ maxAspectBytes: 1_000 });
    operator.open?.(context);
    const [first] = good;
    expect(outputOf(operator, proposal, ...good.slice(0, 1))).toEqual([first]);
    expect(rejected).toMatchObject([{ kind: 'proposal', code: rule, content: proposal }]);
    expect(rejected[0]?.message).toMatch(message);
    expect(rejected[0]?.identity).toBe(`${proposal.entityUrn} ${proposal.aspectName}`);
  });

  it('fails where nobody takes what it takes out', () => {
    const bad = tags('dataProcessInstance', 'run');
    expect(() => outputOf(validate(), bad)).toThrow(
      `${bad.entityUrn} globalTags: DataHub takes no`,
    );
  });

  it('measures bytes, not characters', () => {
    const { context, rejected } = recordingContext();
    const json = (text: string) => described('container', 'c', { a: text });
    const room = 1_000 - JSON.stringify(json('').aspect).length;
    const operator = validate({ maxAspectBytes: 1_000 });
    operator.open?.(context);
    expect(outputOf(operator, json('x'.repeat(room)))).toHaveLength(1);
    expect(outputOf(operator, json(`${'x'.repeat(room - 1)}ä`))).toHaveLength(0);
    expect(rejected).toHaveLength(1);
  });
});
