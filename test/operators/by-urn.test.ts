import { describe, expect, it } from 'vitest';
import { addDomain } from '../../src/operators/add-domain.js';
import { addTags } from '../../src/operators/add-tags.js';
import { byUrn } from '../../src/operators/enrichment/by-urn.js';
import { outputOf } from './operator-cases.js';
import { described, tagKey, tags } from './proposals.js';

const entity = {
  entityType: 'dataset',
  entityUrn: 'urn:li:dataset:(urn:li:dataPlatform:s3,raw/churn,PROD)',
  name: 'raw/churn',
  properties: {},
};

describe('byUrn', () => {
  it('gives what the first rule says that the URN begins with', () => {
    expect(byUrn({ rules: { raw: [1], '.*raw': [2], '.*churn': [3] } })(entity)).toEqual([2]);
  });

  it('gives what all of them say, if asked to', () => {
    const rules = { '.*raw': [2], '.*churn': [3], '.*nothing': [4] };
    expect(byUrn({ rules, firstMatchOnly: false })(entity)).toEqual([2, 3]);
  });

  it('is for the types that are named', () => {
    expect(byUrn({ rules: { '.*': [1] }, entityTypes: ['mlModel'] })(entity)).toEqual([]);
  });

  it.each(['(?i).*RAW', '(?P<zone>.*raw)', 'urn\\:li\\:dataset', '.*raw\\/churn'])(
    'reads %s as Python does',
    (text) => {
      expect(byUrn({ rules: { [text]: [1] } })(entity)).toEqual([1]);
    },
  );

  it.each(['(', 'a++', '(?x) a'])('refuses %s', (text) => {
    expect(() => byUrn({ rules: { [text]: [1] } })).toThrow(/byUrn: .*regular expressions/);
  });

  it('says in its signature what it depends on', () => {
    const of = (rule: Parameters<typeof byUrn<string>>[0]) => addTags(byUrn(rule)).signature;
    const rules = { a: ['1'], b: ['2'] };
    const different = [
      of({ rules }),
      of({ rules: { b: ['2'], a: ['1'] } }), // the first that matches is another one
      of({ rules, firstMatchOnly: false }),
      of({ rules, entityTypes: ['dataset'] }),
    ];
    expect(new Set(different).size).toBe(4);
    expect(of({ rules, firstMatchOnly: true })).toBe(of({ rules }));
    expect(addTags(() => []).signature).toBeUndefined();
    expect(addDomain(() => undefined).signature).toBeUndefined();
  });

  it('is a rule for operators', () => {
    const dataset = described('dataset', 'raw');
    expect(outputOf(addTags(byUrn({ rules: { '.*raw': ['bronze'] } })), dataset)).toEqual([
      dataset,
      tags('dataset', 'raw', 'bronze'),
      tagKey('bronze'),
    ]);
    const domain = addDomain(byUrn({ rules: { '.*': ['a'] } }));
    expect(domain.signature).toMatch(/^addDomain byUrn .*"a"/);
    const domains = outputOf(addDomain(byUrn({ rules: { '.*': ['a', 'b'] } })), dataset);
    expect(domains[1]?.aspect).toEqual({ domains: ['urn:li:domain:a', 'urn:li:domain:b'] });
  });
});
