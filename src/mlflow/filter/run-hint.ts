/**
 * What of a filter a store can be asked for: never less than what `RecordFilter` keeps.
 */

import { ageMs } from '../../core/age.js';
import { isPlain, literalsOf } from '../../core/pattern.js';
import { type FilterRules, sidesOf } from './rules.js';

/** What is known of the runs that are wanted. Texts are plain, as `isPlain` has it. */
export interface RunHint {
  /** Milliseconds since 1970: they started at or after it. A missing start counts as 0. */
  readonly startedSince?: number;
  /** They have one of these statuses. */
  readonly statuses?: readonly string[];
  /** They have each of these tags, with one of its values. */
  readonly tags?: readonly TagHint[];
}

export interface TagHint {
  readonly key: string;
  readonly values: readonly string[];
}

/** Those that every store writes as they are; anything else may stand for what can't be read. */
const STATUSES: ReadonlySet<string> = new Set([
  'RUNNING',
  'SCHEDULED',
  'FINISHED',
  'FAILED',
  'KILLED',
]);

/**
 * Undefined where nothing can be said.
 *
 * @param now - that ages count from, milliseconds since 1970
 *
 * @example
 * runHint([{ runs: { statuses: ['FINISHED'], tags: { allow: { team: 'a|b' } } } }], Date.now());
 * // { statuses: ['FINISHED'], tags: [{ key: 'team', values: ['a', 'b'] }] }
 */
export function runHint(filters: readonly FilterRules[], now: number): RunHint | undefined {
  const rules = filters.flatMap(({ runs }) => runs ?? []);
  const starts = rules.flatMap(({ startedWithin }) =>
    startedWithin === undefined ? [] : [now - ageMs(startedWithin)],
  );
  // Of several filters one is enough.
  const [statuses] = rules.flatMap(({ statuses: choice = [] }) => {
    const literals = literalsOf(sidesOf(choice).allow ?? []) ?? [];
    return literals.length > 0 && literals.every((one) => STATUSES.has(one)) ? [literals] : [];
  });
  const tags = rules.flatMap(({ tags: choice }) =>
    Object.entries(choice?.allow ?? {}).flatMap(([key, pattern]): TagHint[] => {
      const values = literalsOf([pattern]);
      return values === undefined || !isPlain(key) ? [] : [{ key, values }];
    }),
  );
  const hint: RunHint = {
    ...(starts.length === 0 ? {} : { startedSince: Math.max(...starts) }),
    ...(statuses === undefined ? {} : { statuses }),
    ...(tags.length === 0 ? {} : { tags }),
  };
  return Object.keys(hint).length === 0 ? undefined : hint;
}

/**
 * When the logged models that are wanted were made at the earliest, milliseconds since 1970; undefined where
 * nothing can be said.
 *
 * @param now - that ages count from, milliseconds since 1970
 */
export function loggedModelsSince(
  filters: readonly FilterRules[],
  now: number,
): number | undefined {
  const starts = filters.flatMap(({ loggedModels: { createdWithin } = {} }) =>
    createdWithin === undefined ? [] : [now - ageMs(createdWithin)],
  );
  return starts.length === 0 ? undefined : Math.max(...starts);
}
