/**
 * The two ways to say what is added: the same for all that are chosen, or by a function.
 */

import type { JsonValue } from '../../datahub/proposal.js';
import { chosen, type Choice } from './choice.js';
import type { EntityFacts } from './entity-facts.js';
import type { Enrichment, ListAspect } from './list-aspect.js';

/** @param additions - for every entity that is chosen */
export function staticRule(
  name: string,
  list: ListAspect,
  options: Choice,
  additions: readonly JsonValue[],
): Enrichment {
  const isChosen = chosen(options);
  return {
    list,
    additionsOf: (entity) => (isChosen(entity) ? additions : []),
    label: name,
    signature: `${name} ${JSON.stringify(options)}`,
  };
}

/** What is known of a rule beside what it gives. */
export interface RuleHooks {
  /** As in `OperatorHooks`: absent where a function of the user's own decides, as nobody knows what it looks at. */
  readonly signature?: string;
}

/**
 * @param rule - the user's own, or one of `byUrn`
 * @param element - makes an element of what it gives
 */
export function byRule<T>(
  name: string,
  list: ListAspect,
  rule: ((entity: EntityFacts) => readonly T[]) & RuleHooks,
  element: (given: T) => JsonValue,
): Enrichment {
  const { signature } = rule;
  return {
    list,
    additionsOf: (entity) => rule(entity).map(element),
    label: name,
    ...(signature === undefined ? {} : { signature: `${name} ${signature}` }),
  };
}
