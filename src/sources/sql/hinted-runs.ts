/**
 * What a database is told of the runs that are wanted.
 */

import type { RunHint } from '../../mlflow/filter/run-hint.js';

/**
 * A condition on rows of `runs AS r`, but for their start. Whatever a database makes of capitals and
 * blanks, it holds for every run that is wanted. Texts of a hint need no quoting.
 */
export function isHinted({ statuses, tags = [] }: RunHint): string {
  const terms = tags.map(
    ({ key, values }) =>
      `EXISTS (SELECT 1 FROM tags AS h WHERE h.run_uuid = r.run_uuid AND h.key = '${key}'
       AND h.value IN (${textsOf(values)}))`,
  );
  if (statuses !== undefined) terms.push(`r.status IN (${textsOf(statuses)})`);
  return terms.length === 0 ? 'true' : terms.join(' AND ');
}

function textsOf(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ');
}
