/**
 * Proposals for tests of sinks, and what they are compared by.
 */

import type { Aspect, JsonValue, Proposal } from '../datahub/proposal.js';

/** The aspect `tagProperties` of the tag of that name. */
export function tagProposal(tag: string, aspect: Aspect = { name: tag }): Proposal {
  return {
    entityType: 'tag',
    entityUrn: `urn:li:tag:${tag}`,
    changeType: 'UPSERT',
    aspectName: 'tagProperties',
    aspect,
  };
}

/** In both forms that DataHub's own builders give: a list has no type of its own here. */
const patches: readonly unknown[] = [
  [{ op: 'add', path: '/name', value: '~1 "x"' }],
  {
    arrayPrimaryKeys: { tags: ['attribution\u241fsource', 'tag'] },
    patch: [{ op: 'remove', path: '/tags//urn:li:tag:t' }],
  },
];

/** Legal content that is easily broken on its way. */
export function awkwardProposals(): readonly Proposal[] {
  const texts = [
    '',
    ' leading and trailing ',
    '"quotes" \\backslashes\\ \'and\' `more`',
    'line\nbreaks\r\nand\ttabs',
    'separators \u2028 \u2029 \u0085 of lines',
    'control \u0000 \u0001 \u001f \u007f characters',
    'emoji 😀 👩‍👩‍👧‍👦, e\u0301 and \u00e9, 中文, עברית',
    'a lone \ud83d surrogate \udc00',
    '\ufeffa byte order mark',
    '</script><!-- {{template}} ${expression} %00 %s',
    ']\n,{"a":1}\n[',
  ];
  return [
    ...texts.map((text, index) =>
      tagProposal(`awkward-${index}`, { name: text, description: text, [text]: text }),
    ),
    // Written as text, because a literal would set the prototype instead of the key.
    tagProposal(
      'awkward-keys',
      JSON.parse('{"__proto__":{"a":1},"constructor":"c","toJSON":"t","2":2,"1":1}') as Aspect,
    ),
    tagProposal('awkward-values', {
      empty: {},
      list: [],
      nothing: null,
      no: false,
      zero: 0,
      small: 5e-324,
      large: Number.MAX_SAFE_INTEGER,
      huge: Number.MAX_VALUE,
      nested: [[[{ deep: [null, true] }]]],
    }),
    tagProposal('colour 50% ü 😀 %28a%2Cb%29'),
    ...patches.map((patch, index): Proposal => ({
      ...tagProposal(`patched-${index}`, patch as Aspect),
      changeType: 'PATCH',
    })),
    { ...tagProposal('conditional'), headers: { 'If-Version-Match': '7', ü: '\n' } },
  ];
}

/** The same text for equal proposals, whatever the order of their keys. */
export function fingerprint(proposal: Proposal): string {
  const { entityType, entityUrn, changeType, aspectName, aspect, headers = {} } = proposal;
  const parts = [entityType, entityUrn, changeType, aspectName];
  return `${JSON.stringify(parts)} ${canonical(aspect)} ${canonical(headers)}`;
}

function canonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const pairs = Object.entries(value).map(([key, each]) => [JSON.stringify(key), canonical(each)]);
  // By code unit: an order that no locale changes.
  const sorted = pairs.map((pair) => pair.join(':')).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${sorted.join(',')}}`;
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The same value, of which nothing can be changed any more. */
export function deepFrozen<T>(value: T): T {
  deepFreeze(value);
  return value;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const each of Object.values(value)) deepFreeze(each);
}
