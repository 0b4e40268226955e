/**
 * The filters of runs/search, as far as any client of ours asks.
 */

import type { WireRun } from './content.js';

/** Undefined where the server would refuse it. */
export function runFilter(
  filter: string,
  modern: boolean,
): ((info: WireRun['info']) => boolean) | undefined {
  if (filter === '') return () => true;
  const starts = filter.split(' AND ').map((term) => startTerm(term, modern));
  if (!starts.includes(undefined)) {
    // A missing start is NULL.
    return ({ start_time: start }) =>
      start !== undefined && starts.every((holds) => holds?.(start) === true);
  }
  const wanted = /^attributes\.run_id IN \(('[^']*'(?:,'[^']*')*)\)$/.exec(filter)?.[1];
  if (!modern || wanted === undefined) return undefined;
  const ids = new Set(wanted.split(',').map((quoted) => quoted.slice(1, -1)));
  return ({ run_id: id }) => ids.has(id);
}

function startTerm(term: string, modern: boolean): ((start: number) => boolean) | undefined {
  const [, prefix, comparator, bound] = /^(attributes\.)?start_time (>=|<) (\d+)$/.exec(term) ?? [];
  // Without the prefix, 1.28 knows no such attribute.
  if (comparator === undefined || (!modern && prefix === undefined)) return undefined;
  return (start) => (comparator === '<' ? start < Number(bound) : start >= Number(bound));
}
