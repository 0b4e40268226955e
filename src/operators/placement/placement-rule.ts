/**
 * The ways to say where things are: the same for all, by patterns of their names, or by a function.
 */

import { LRUCache } from 'lru-cache';
import type { Placement } from '../../mlflow/types.js';
import { pattern, patternTest } from '../../core/pattern.js';
import type { NamedThing, PlacedKind, PlacementRule } from './place-records.js';

/** Options that the operators have in common. */
export const nameOptions = {
  experiments: pattern()
    .optional()
    .describe('Names of the experiments that it is for, with all of their runs'),
  models: pattern()
    .optional()
    .describe('Names of the registered models that it is for, with all of their versions'),
};

export type NamePatterns = Readonly<Partial<Record<PlacedKind, string | undefined>>>;

/** @param patterns - by kind; all of every kind where there is none at all */
export function byPatterns(
  label: string,
  field: keyof Placement,
  value: string,
  patterns: NamePatterns,
): PlacementRule {
  const tests = new Map<PlacedKind, (name: string) => boolean>();
  for (const [kind, text] of Object.entries(patterns) as [PlacedKind, string | undefined][]) {
    if (text !== undefined) tests.set(kind, patternTest(text));
  }
  const isForAll = tests.size === 0;
  return {
    label,
    field,
    valueOf: (kind, name) => (isForAll || tests.get(kind)?.(name) === true ? value : undefined),
    signature: `${label} ${JSON.stringify([value, patterns])}`,
  };
}

/** Things whose answer is remembered: runs and versions come in the order of what they are of. */
const REMEMBERED = 1_000;

/**
 * Has no signature: what the function looks at is not known.
 *
 * @param rule - the user's own; asked once for a name that comes up again soon
 */
export function byFunction(
  label: string,
  field: keyof Placement,
  rule: (thing: NamedThing) => string | undefined,
): PlacementRule {
  const answers = new LRUCache<string, { readonly value: string | undefined }>({ max: REMEMBERED });
  return {
    label,
    field,
    valueOf: (kind, name, workspace) => {
      // Neither kinds nor workspaces have a blank in them.
      const key = `${kind} ${workspace ?? ''} ${name}`;
      let answer = answers.get(key);
      if (answer === undefined) {
        const thing = { kind, name, ...(workspace === undefined ? {} : { workspace }) };
        answer = { value: rule(thing) };
        answers.set(key, answer);
      }
      return answer.value;
    },
    forget: () => {
      answers.clear();
    },
  };
}
