/**
 * `byUrn`: what is added to an entity by patterns of its URN.
 */

import { z } from 'zod';
import { parseOptions } from '../../core/options.js';
import { DESCRIBED_TYPES, type EntityFacts } from './entity-facts.js';
import { pythonPattern } from './python-pattern.js';
import type { RuleHooks } from './rule.js';

const ruleSchema = z.strictObject({
  rules: z
    .record(z.string(), z.array(z.unknown()))
    .refine((rules) => Object.keys(rules).every((text) => pythonPattern(text) !== undefined), {
      error: ({ input }) =>
        `must have regular expressions of Python, and of those that can be read here, unlike ${unreadable(input)}`,
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
export function byUrn<T>(rule: ByUrnRule<T>): ((entity: EntityFacts) => readonly T[]) & RuleHooks {
  const { rules, firstMatchOnly, entityTypes } = parseOptions('byUrn', ruleSchema, rule);
  const types = entityTypes === undefined ? undefined : new Set<string>(entityTypes);
  const compiledRules = Object.entries(rules).map(
    ([text, values]) => [pythonPattern(text), values as readonly T[]] as const,
  );
  const valuesFor = ({ entityType, entityUrn }: EntityFacts): readonly T[] => {
    if (types?.has(entityType) === false) return [];
    if (firstMatchOnly) return compiledRules.find(matches(entityUrn))?.[1] ?? [];
    return compiledRules.filter(matches(entityUrn)).flatMap(([, values]) => values);
  };
  const signature = `byUrn ${JSON.stringify([Object.entries(rules), firstMatchOnly, entityTypes])}`;
  return Object.assign(valuesFor, { signature });
}

function matches(urn: string): (rule: readonly [RegExp | undefined, unknown]) => boolean {
  return ([expression]) => expression?.test(urn) === true;
}

function unreadable(rules: unknown): string {
  const text = Object.keys(rules as object).find((each) => pythonPattern(each) === undefined);
  return JSON.stringify(text);
}
