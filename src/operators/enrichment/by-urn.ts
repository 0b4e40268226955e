/**
 * `byUrn`: what is added to an entity by patterns of its URN.
 */

import { z } from 'zod';
import { parseOptions } from '../../core/options.js';
import { DESCRIBED_TYPES, type EntityFacts } from './entity-facts.js';

const ruleSchema = z.strictObject({
  rules: z
    .record(z.string(), z.array(z.unknown()))
    .refine((rules) => Object.keys(rules).every((text) => compiled(text) !== undefined), {
      error: ({ input }) =>
        `must have regular expressions that Python and JavaScript read alike, unlike ${unreadable(input)}`,
    }),
  firstMatchOnly: z.boolean().default(true),
  entityTypes: z.array(z.enum(DESCRIBED_TYPES)).min(1).optional(),
});

export interface ByUrnRule<T> {
  /** What is added, by a regular expression that the URN begins with, as DataHub's transformers have it. */
  readonly rules: Readonly<Record<string, readonly T[]>>;
  /** Whether the first rule that matches is the only one that counts. @defaultValue true */
  readonly firstMatchOnly?: boolean;
  /** Types of entities that it is for; all unless set. */
  readonly entityTypes?: readonly (typeof DESCRIBED_TYPES)[number][];
}

/**
 * A rule for `addTags`, `addTerms`, `addOwners` and `addDomain` with the patterns of DataHub's
 * `pattern_add_…` transformers.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage)
 *
 * @example
 * const rule = byUrn({ rules: { '.*raw.*': ['bronze'], '.*': ['silver'] } });
 * rule({ entityType: 'dataset', entityUrn: 'urn:li:dataset:(urn:li:dataPlatform:s3,raw/a,PROD)', name: 'a', properties: {} });
 * // ['bronze']
 */
export function byUrn<T>(rule: ByUrnRule<T>): (entity: EntityFacts) => readonly T[] {
  const { rules, firstMatchOnly, entityTypes } = parseOptions('byUrn', ruleSchema, rule);
  const types = entityTypes === undefined ? undefined : new Set<string>(entityTypes);
  const compiledRules = Object.entries(rules).map(
    ([text, values]) => [compiled(text), values as readonly T[]] as const,
  );
  return ({ entityType, entityUrn }) => {
    if (types?.has(entityType) === false) return [];
    const matching = compiledRules.filter(([expression]) => expression?.test(entityUrn));
    return (firstMatchOnly ? matching.slice(0, 1) : matching).flatMap(([, values]) => values);
  };
}

/** What means another thing to Python, or nothing to one of the two. */
const FOREIGN = /\\[AZ]|\(\?P=|\(\?#|\(\?[aimsuxL-]+[:)]|[*+?}]\+/;

/** Undefined where it can't be. Matched at the start only, as by Python's `re.match`. */
function compiled(text: string): RegExp | undefined {
  const ignoresCase = text.startsWith('(?i)');
  const body = (ignoresCase ? text.slice(4) : text).replaceAll('(?P<', '(?<');
  if (FOREIGN.test(body)) return undefined;
  try {
    return new RegExp(`^(?:${body})`, ignoresCase ? 'i' : '');
  } catch {
    return undefined;
  }
}

function unreadable(rules: unknown): string {
  const text = Object.keys(rules as object).find((each) => compiled(each) === undefined);
  return JSON.stringify(text);
}
