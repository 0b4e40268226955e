/**
 * Which entities an operator is for.
 */

import { z } from 'zod';
import { pattern, patternTest } from '../../core/pattern.js';
import { DESCRIBED_TYPES, type EntityFacts } from './entity-facts.js';

/** Options that operators have in common. */
export const choiceOptions = {
  entityTypes: z
    .array(z.enum(DESCRIBED_TYPES))
    .min(1)
    .optional()
    .describe('Types of entities that it is for; all that can take it unless set'),
  names: pattern().optional().describe('The names that it is for; all unless set'),
};

export interface Choice {
  readonly entityTypes?: readonly string[] | undefined;
  readonly names?: string | undefined;
}

export function chosen({ entityTypes, names }: Choice): (entity: EntityFacts) => boolean {
  const types = entityTypes === undefined ? undefined : new Set(entityTypes);
  const isNamed = names === undefined ? () => true : patternTest(names);
  return ({ entityType, name }) => types?.has(entityType) !== false && isNamed(name);
}
