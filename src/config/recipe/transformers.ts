/**
 * `transformers` of a recipe: those of DataHub that have an operator here.
 */

import type { Block } from './block.js';
import { Call, given, type Option, type Text } from './option.js';

interface Kind {
  /** Of ours. */
  readonly operator: 'addTags' | 'addTerms' | 'addOwners' | 'addDomain' | 'addProperties';
  /** What the simple form lists. */
  readonly list: string;
  /** What the pattern form has its rules in. */
  readonly pattern: string;
  /** What it can be a patch of. */
  readonly aspect?: string;
}

const TAGS: Kind = {
  operator: 'addTags',
  list: 'tag_urns',
  pattern: 'tag_pattern',
  aspect: 'globalTags',
};
const TERMS: Kind = {
  operator: 'addTerms',
  list: 'term_urns',
  pattern: 'term_pattern',
  aspect: 'glossaryTerms',
};
const OWNERS: Kind = {
  operator: 'addOwners',
  list: 'owner_urns',
  pattern: 'owner_pattern',
  aspect: 'ownership',
};
const DOMAIN: Kind = { operator: 'addDomain', list: 'domains', pattern: 'domain_pattern' };
const PROPERTIES: Kind = { operator: 'addProperties', list: 'properties', pattern: '' };

/** What each of them touches, of the entities that come from MLflow. */
const DATASETS = ['dataset'];
const DATASETS_AND_CONTAINERS = ['dataset', 'container'];

/** By the name that follows `simple_` or `pattern_`. */
const KINDS: Readonly<Record<string, readonly [Kind, readonly string[]]>> = {
  add_dataset_tags: [TAGS, DATASETS],
  add_dataset_terms: [TERMS, DATASETS],
  add_dataset_ownership: [OWNERS, DATASETS],
  add_dataset_domain: [DOMAIN, DATASETS],
  add_dataset_properties: [PROPERTIES, DATASETS],
  add_ownership: [OWNERS, DATASETS_AND_CONTAINERS],
  add_domain: [DOMAIN, DATASETS_AND_CONTAINERS],
};

/** Those that `entity_types` may choose, and that MLflow has. */
const OURS = ['container', 'dataProcessInstance', 'dataset', 'mlModel', 'mlModelGroup'];

const SUPPORTED = Object.keys(KINDS).flatMap((name) =>
  name === 'add_dataset_properties' ? [`simple_${name}`] : [`simple_${name}`, `pattern_${name}`],
);

/** The operators, those that add first and in order, then the patches. */
export function translateTransformers(transformers: readonly Block[]): Call[] {
  const adding: Call[] = [];
  const patched = new Map<string, Set<string>>();
  const met = new Set<string>();
  for (const transformer of transformers) {
    const type = transformer.word('type');
    if (type === undefined) throw transformer.refuse(undefined, '"type" is missing');
    const [, form, name = ''] = /^(simple|pattern)_(\w+)$/.exec(type) ?? [];
    const found = SUPPORTED.includes(type) ? KINDS[name] : undefined;
    if (found === undefined) {
      throw transformer.refuse(
        'type',
        'is not had here: `migrate` the recipe without it, and put an operator of your own in its place. ' +
          `Transformers that are had: ${SUPPORTED.join(', ')}`,
      );
    }
    const [kind, touched] = found;
    const config = transformer.block('config');
    const types = entityTypes(config, touched, name);
    refuseReplacing(config, kind, met);
    const patches = semanticsOf(config, kind) === 'PATCH';
    const calls = form === 'simple' ? simple(config, kind, types) : byPattern(config, kind, types);
    config.end();
    transformer.end();
    if (types.length === 0) {
      transformer.reading.unused.push(transformer.placeOf());
      continue;
    }
    adding.push(...calls);
    met.add(kind.operator);
    if (patches && kind.aspect !== undefined) {
      const before = patched.get(kind.aspect) ?? new Set();
      patched.set(kind.aspect, new Set([...before, ...types]));
    }
  }
  return [
    ...adding,
    ...[...patched].map(
      ([aspect, types]) =>
        new Call('patch', { aspects: [aspect], entityTypes: [...types] }, 'transformers'),
    ),
  ];
}

function entityTypes(config: Block, touched: readonly string[], name: string): readonly string[] {
  if (!['add_ownership', 'add_domain'].includes(name)) return touched;
  const chosen = config.texts('entity_types');
  if (chosen.length === 0) return touched;
  if (chosen.includes('*')) return OURS;
  // Charts and the like may stand there: a recipe's transformers are often shared.
  return OURS.filter((type) => chosen.includes(type));
}

/** On datasets and containers nothing is said that could be replaced, but by a transformer before. */
function refuseReplacing(config: Block, { operator }: Kind, met: ReadonlySet<string>): void {
  if (config.flag('replace_existing') !== true) return;
  if (operator !== 'addProperties' && !met.has(operator)) return;
  throw config.refuse(
    'replace_existing',
    'is not had here: operators add to what the pipeline says, and what it says replaces what DataHub has',
  );
}

function semanticsOf(config: Block, { aspect }: Kind): string | undefined {
  const semantics = config.word('semantics')?.toUpperCase();
  if (semantics !== undefined && !['OVERWRITE', 'PATCH'].includes(semantics)) {
    throw config.refuse('semantics', 'must be OVERWRITE or PATCH');
  }
  if (semantics === 'PATCH' && aspect === undefined) {
    throw config.refuse('semantics', 'can be PATCH for tags, terms and owners only');
  }
  return semantics;
}

function simple(config: Block, kind: Kind, types: readonly string[]): Call[] {
  const place = config.placeOf();
  const chosen = { entityTypes: types };
  if (kind === PROPERTIES) {
    const properties = config.textsByName('properties');
    if (properties === undefined) throw config.refuse(undefined, '"properties" is missing');
    return [new Call('addProperties', { properties, ...chosen }, place)];
  }
  const items = config.texts(kind.list);
  if (items.length === 0) {
    throw config.refuse(undefined, `"${kind.list}" is missing, or has nothing in it`);
  }
  switch (kind.operator) {
    case 'addTags':
      return [new Call('addTags', { tags: items, ...chosen }, place)];
    case 'addTerms':
      return [new Call('addTerms', { terms: items, ...chosen }, place)];
    case 'addOwners': {
      const type = ownershipType(config);
      return [new Call('addOwners', { owners: items, type, ...chosen }, place)];
    }
    case 'addDomain':
    case 'addProperties':
      refuseConflict(config);
      return items.map(
        (domain) => new Call('addDomain', { domain: urnOf(config, domain), ...chosen }, place),
      );
  }
}

function byPattern(config: Block, kind: Kind, types: readonly string[]): Call[] {
  const place = config.placeOf();
  const type = kind === OWNERS ? ownershipType(config) : undefined;
  if (kind === DOMAIN || kind === OWNERS) {
    config.only('is_container', false, 'is not had here: containers of datasets are not looked up');
  }
  const pattern = config.block(kind.pattern);
  const rules = pattern.block('rules');
  const values = Object.fromEntries(
    rules.keys().map((key): [string, Option] => {
      const texts = rules.texts(key);
      if (type !== undefined) return [key, texts.map((owner) => ({ owner, type }))];
      return [key, kind === DOMAIN ? texts.map((each) => urnOf(config, each)) : texts];
    }),
  );
  const rule = given({
    rules: values,
    firstMatchOnly: pattern.flag('first_match_only'),
    entityTypes: types,
  });
  pattern.end();
  return [new Call(kind.operator, new Call('byUrn', rule, place), place)];
}

function ownershipType(config: Block): Text {
  config.pass('default_actor');
  const type = config.word('ownership_type') ?? 'DATAOWNER';
  return type.startsWith('urn:li:') ? type : type.toUpperCase();
}

function refuseConflict(config: Block): void {
  const onConflict = config.word('on_conflict')?.toUpperCase() ?? 'DO_UPDATE';
  if (onConflict === 'DO_UPDATE') return;
  throw config.refuse('on_conflict', 'must be DO_UPDATE: DataHub is not asked what it has');
}

/** DataHub would be asked for the domain of a name; what it makes itself is a GUID. */
function urnOf(config: Block, domain: Text): Text {
  if (typeof domain !== 'string' || domain.startsWith('urn:li:domain:')) return domain;
  if (domain.split('-').length === 5) return `urn:li:domain:${domain}`;
  throw config.refuse(
    undefined,
    'has a domain by its name, and DataHub is not asked for it: write its URN, urn:li:domain:…',
  );
}
