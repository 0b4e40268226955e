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
  // Without the prefix, 1.28 knows no such attribute.
  const [, prefix, since] = /^(attributes\.)?start_time >= (\d+)$/.exec(filter) ?? [];
  if (since !== undefined && (modern || prefix !== undefined)) {
    // A missing start is NULL.
    return ({ start_time: start }) => start !== undefined && start >= Number(since);
  }
  const wanted = /^attributes\.run_id IN \(('[^']*'(?:,'[^']*')*)\)$/.exec(filter)?.[1];
  if (!modern || wanted === undefined) return undefined;
  const ids = new Set(wanted.split(',').map((quoted) => quoted.slice(1, -1)));
  return ({ run_id: id }) => ids.has(id);
}
