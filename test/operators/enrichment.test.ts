import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { addDomain } from '../../src/operators/add-domain.js';
import { addOwners } from '../../src/operators/add-owners.js';
import { addProperties } from '../../src/operators/add-properties.js';
import { addTags } from '../../src/operators/add-tags.js';
import { addTerms } from '../../src/operators/add-terms.js';
import type { EntityFacts } from '../../src/operators/enrichment/entity-facts.js';
import { renameBy } from '../../src/operators/rename-by.js';
import type { Operator } from '../../src/stream/contracts.js';
import { itIsAnOperator, outputOf, recordingContext } from './operator-cases.js';
import { described, said, tagKey, tags } from './proposals.js';

const group = described('mlModelGroup', 'churn');
const other = described('mlModelGroup', 'uplift');
const run = described('dataProcessInstance', 'run');

const OPERATORS: readonly (readonly [string, () => Operator<Proposal, Proposal>])[] = [
  ['addTags', () => addTags({ tags: ['gold'] })],
  ['addTags of a function', () => addTags(({ name }) => [name])],
  ['addTerms', () => addTerms({ terms: ['Personal'] })],
  ['addOwners', () => addOwners({ owners: ['ada'] })],
  ['addDomain', () => addDomain({ domain: 'marketing' })],
  ['addProperties', () => addProperties({ properties: { cluster: 'eu' } })],
  ['renameBy', () => renameBy({ from: 'churn', to: 'leavers' })],
];

describe.each(OPERATORS)('%s', (_name, make) => {
  itIsAnOperator(make, [run, said('tag', 'x', 'status', { removed: false })]);

  it('leaves alone what it is not for', () => {
    const others = [
      said('tag', 'x', 'tagProperties', { name: 'x' }),
      said('dataset', 'd', 'schemaMetadata', { name: 'd' }),
      { ...group, changeType: 'PATCH' as const },
    ];
    expect(outputOf(make(), ...others)).toEqual(others);
  });
});

describe('a function that throws', () => {
  const throwing = ({ name }: EntityFacts): never => {
    throw new Error(`no ${name}`);
  };
  const unlessChurn =
    <T>(given: T) =>
    (entity: EntityFacts): T =>
      entity.name === 'churn' ? throwing(entity) : given;
  const OF_FUNCTIONS: readonly (readonly [
    string,
    () => Operator<Proposal, Proposal>,
    string | undefined,
  ])[] = [
    ['addTags', () => addTags(unlessChurn(['gold'])), 'globalTags'],
    ['addTerms', () => addTerms(unlessChurn(['Personal'])), 'glossaryTerms'],
    ['addOwners', () => addOwners(unlessChurn(['ada'])), 'ownership'],
    ['addDomain', () => addDomain(unlessChurn('marketing')), 'domains'],
    ['addProperties', () => addProperties(unlessChurn({ a: 'b' })), undefined],
    ['renameBy', () => renameBy(unlessChurn('other')), undefined],
  ];

  it.each(OF_FUNCTIONS)('costs %s the entity alone', (label, make, list) => {
    const { context, rejected } = recordingContext();
    const operator = make();
    operator.open?.(context);
    const status = said('mlModelGroup', 'churn', 'status', { removed: false });
    const mine = list === undefined ? [] : [said('mlModelGroup', 'churn', list, {})];
    const output = outputOf(operator, other, group, status, ...mine, other);
    expect(output.filter(({ entityUrn }) => entityUrn === group.entityUrn)).toEqual([status]);
    const others = outputOf(make(), other);
    const isKey = ({ aspectName }: Proposal) => aspectName === 'tagKey';
    expect(output.filter((one) => one !== status && !isKey(one))).toEqual(
      [...others, ...others].filter((one) => !isKey(one)),
    );
    expect(rejected).toEqual(
      [group, ...mine].map((content) => ({
        kind: 'proposal',
        code: 'OPERATOR_FUNCTION_FAILED',
        message: `the function of ${label} failed: no churn`,
        identity: `${content.entityUrn} ${content.aspectName}`,
        content,
      })),
    );
  });

  it.each(OF_FUNCTIONS)('is the error of the stream where %s is in no pipeline', (label, make) => {
    expect(() => outputOf(make(), other, group)).toThrow(
      expect.objectContaining({
        code: 'OPERATOR_FUNCTION_FAILED',
        message: `urn:li:mlModelGroup:churn mlModelGroupProperties: the function of ${label} failed: no churn`,
        cause: new Error('no churn'),
      }),
    );
  });

  it('keeps operators behind it from sending a list that lacks what is theirs', () => {
    const { context, rejected } = recordingContext();
    const [rename, add] = [renameBy(unlessChurn('other')), addTags({ tags: ['gold'] })];
    for (const operator of [rename, add]) operator.open?.(context);
    const list = said('mlModelGroup', 'churn', 'globalTags', { tags: [] });
    const output = outputOf(add, ...outputOf(rename, group, list, other));
    expect(output.filter(({ entityUrn }) => entityUrn === group.entityUrn)).toEqual([]);
    expect(rejected.map(({ content }) => content)).toEqual([group, list]);
    expect(rejected[1]?.message).toBe('the function of renameBy failed: no churn');
    // The next run knows nothing of it.
    const next = recordingContext();
    add.open?.(next.context);
    expect(outputOf(add, list)).toEqual([list]);
  });

  it('costs nothing where the entity could not have what it gives', () => {
    expect(outputOf(addTags(throwing), run)).toEqual([run]);
  });

  it('is one that gives something else, too', () => {
    const { context, rejected } = recordingContext();
    const operator = addTags((() => 5) as never);
    operator.open?.(context);
    expect(outputOf(operator, group)).toEqual([]);
    expect(rejected).toMatchObject([{ code: 'OPERATOR_FUNCTION_FAILED', content: group }]);
  });
});

describe('addTags', () => {
  it('gives entities a list that have none, once all of an entity has come by', () => {
    const status = said('mlModelGroup', 'churn', 'status', { removed: false });
    expect(outputOf(addTags({ tags: ['gold', 'gold'] }), group, status, other)).toEqual([
      group,
      status,
      tags('mlModelGroup', 'churn', 'gold'),
      tagKey('gold'),
      other,
      tags('mlModelGroup', 'uplift', 'gold'),
    ]);
  });

  it.each([
    ['behind', (model: Proposal, list: Proposal) => [model, list]],
    ['before', (model: Proposal, list: Proposal) => [list, model]],
  ])('adds to a list that stands %s the properties', (_where, inOrder) => {
    const model = described('mlModel', 'churn_3');
    const list = tags('mlModel', 'churn_3', 'mlflow_production', 'gold');
    const output = outputOf(addTags({ tags: ['gold', 'new'] }), ...inOrder(model, list), other);
    expect(output.filter(({ aspectName }) => aspectName === 'globalTags').at(-2)).toEqual(
      tags('mlModel', 'churn_3', 'mlflow_production', 'gold', 'new'),
    );
  });

  it('adds to a list that comes when other entities have come by', () => {
    const list = tags('mlModelGroup', 'churn', 'old');
    const output = outputOf(addTags({ tags: ['gold'] }), group, other, list);
    expect(output.at(-1)).toEqual(tags('mlModelGroup', 'churn', 'old', 'gold'));
  });

  it('ends with all of what was said and added, however it is mixed', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const proposals = fc.array(
      fc.oneof(
        names.map((name) => described('mlModel', name)),
        fc.tuple(names, fc.array(names)).map(([name, list]) => tags('mlModel', name, ...list)),
        names.map((name) => said('mlModel', name, 'status', { removed: false })),
      ),
    );
    fc.assert(
      fc.property(proposals, (input) => {
        const output = outputOf(addTags({ tags: ['gold'] }), ...input);
        for (const name of ['a', 'b', 'c']) {
          const last = (list: readonly Proposal[]) =>
            list.findLast(
              ({ entityUrn, aspectName }) =>
                entityUrn === `urn:li:mlModel:${name}` && aspectName === 'globalTags',
            )?.aspect['tags'] as readonly object[] | undefined;
          const isThere = input.some(
            ({ entityUrn, aspectName }) =>
              entityUrn === `urn:li:mlModel:${name}` && aspectName === 'mlModelProperties',
          );
          const wanted = [...(last(input) ?? []), ...(isThere ? [{ tag: 'urn:li:tag:gold' }] : [])];
          expect(last(output) ?? []).toEqual(wanted);
        }
        const others = (list: readonly Proposal[]) =>
          list.filter(({ aspectName }) => !['globalTags', 'tagKey'].includes(aspectName));
        expect(others(output)).toEqual(input.filter((one) => others([one]).length > 0));
      }),
    );
  });

  it('counts entities that can have none', () => {
    const { context, recorder } = recordingContext();
    const operator = addTags({ tags: ['gold'] });
    operator.open?.(context);
    expect(outputOf(operator, run, described('dataProcessInstance', 'second'))).toHaveLength(2);
    expect(recorder.counts().skipped).toEqual({
      'addTags: dataProcessInstance takes no globalTags': 2,
    });
  });

  it('makes a tag once in a run, and again where it was not delivered', () => {
    const { context } = recordingContext();
    const operator = addTags({ tags: ['gold'] });
    operator.open?.(context);
    expect(outputOf(operator, group)).toContainEqual(tagKey('gold'));
    expect(outputOf(operator, other)).not.toContainEqual(tagKey('gold'));
    operator.onUndelivered?.(tagKey('gold'));
    expect(outputOf(operator, group)).toContainEqual(tagKey('gold'));
    operator.open?.(context);
    expect(outputOf(operator, group)).toContainEqual(tagKey('gold'));
  });

  it('is for those that are chosen, by type and by the whole name', () => {
    const given = (options: object) =>
      outputOf(addTags({ tags: ['x'], ...options }), group, other, described('container', 'churn'))
        .filter(({ aspectName }) => aspectName === 'globalTags')
        .map(({ entityUrn }) => entityUrn);
    expect(given({ names: 'churn' })).toEqual([
      'urn:li:mlModelGroup:churn',
      'urn:li:container:churn',
    ]);
    expect(given({ names: 'chur' })).toEqual([]);
    expect(given({ entityTypes: ['container'] })).toEqual(['urn:li:container:churn']);
  });

  it('takes URNs and names, and asks a function what it gives each entity', () => {
    const operator = addTags(({ properties }) => (properties['tier'] === '1' ? ['a,b'] : []));
    const tiered = described('mlModelGroup', 'churn', { tier: '1' });
    expect(outputOf(operator, tiered, other)).toEqual([
      tiered,
      tags('mlModelGroup', 'churn', 'a%2Cb'),
      said('tag', 'a%2Cb', 'tagKey', { name: 'a%2Cb' }),
      other,
    ]);
    expect(operator.signature).toBeUndefined();
    expect(addTags({ tags: ['a'] }).signature).not.toBe(addTags({ tags: ['b'] }).signature);
    const [, list] = outputOf(addTags({ tags: ['urn:li:tag:x'] }), group);
    expect(list).toEqual(tags('mlModelGroup', 'churn', 'x'));
  });

  it('says what is wrong with its options', () => {
    expect(() => addTags({ tags: ['x'], names: '(' })).toThrow(/names.*regular expression/);
    expect(() => addTags({ tags: [] })).toThrow('tags');
    expect(() => addTags({ tag: ['x'] } as never)).toThrow('did you mean "tags"');
  });
});

describe('addOwners', () => {
  it('takes types of DataHub’s and of one’s own', () => {
    const owners = (operator: Operator<Proposal, Proposal>) =>
      outputOf(operator, group)[1]?.aspect['owners'];
    expect(owners(addOwners({ owners: ['ada'], type: 'DATAOWNER' }))).toEqual([
      { owner: 'urn:li:corpuser:ada', type: 'DATAOWNER' },
    ]);
    const typeUrn = 'urn:li:ownershipType:steward';
    expect(owners(addOwners({ owners: ['urn:li:corpGroup:a'], type: typeUrn }))).toEqual([
      { owner: 'urn:li:corpGroup:a', type: 'CUSTOM', typeUrn },
    ]);
    const both = addOwners(() => ['ada', { owner: 'ada', type: 'DEVELOPER' }, 'ada']);
    expect(owners(both)).toEqual([
      { owner: 'urn:li:corpuser:ada', type: 'TECHNICAL_OWNER' },
      { owner: 'urn:li:corpuser:ada', type: 'DEVELOPER' },
    ]);
  });
});

describe('addTerms and addDomain', () => {
  it('make what DataHub’s model has', () => {
    expect(outputOf(addTerms({ terms: ['Personal'] }), group)[1]).toEqual(
      said('mlModelGroup', 'churn', 'glossaryTerms', {
        terms: [{ urn: 'urn:li:glossaryTerm:Personal' }],
        auditStamp: { time: 0, actor: 'urn:li:corpuser:datahub' },
      }),
    );
    const operator = addDomain(({ name }) => (name === 'churn' ? 'urn:li:domain:m' : undefined));
    expect(outputOf(operator, group, other)).toEqual([
      group,
      said('mlModelGroup', 'churn', 'domains', { domains: ['urn:li:domain:m'] }),
      other,
    ]);
  });
});

describe('addProperties', () => {
  it('adds to those that are there, whatever they are called', () => {
    const given = described('container', 'c', { a: '1', b: '2' });
    const properties = JSON.parse('{"b":"3","__proto__":"4"}') as Record<string, string>;
    const [output] = outputOf(
      addProperties(() => properties),
      given,
    );
    expect(JSON.stringify(output?.aspect['customProperties'])).toBe(
      '{"a":"1","b":"3","__proto__":"4"}',
    );
    expect(
      outputOf(
        addProperties(() => ({})),
        given,
      )[0],
    ).toBe(given);
    const [same] = outputOf(addProperties({ properties: { b: '3' } }), given);
    expect(same?.aspect['customProperties']).toEqual({ a: '1', b: '3' });
  });
});

describe('renameBy', () => {
  it('changes the name alone, of those that match whole', () => {
    const operator = renameBy({ from: '(.+)/(.+)', to: '$2 of $1', entityTypes: ['container'] });
    const input = ['a/b', 'a'].map((name) => described('container', name, { id: name }));
    const model = described('mlModelGroup', 'a/b');
    expect(outputOf(operator, ...input, model)).toEqual([
      { ...input[0], aspect: { name: 'b of a', customProperties: { id: 'a/b' } } },
      input[1],
      model,
    ]);
    const upper = renameBy(({ name }) => name.toUpperCase());
    expect(outputOf(upper, model)[0]?.aspect['name']).toBe('A/B');
  });
});
