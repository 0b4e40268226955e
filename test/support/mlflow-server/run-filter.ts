/**
 * The filters of runs/search, as far as any client of ours asks.
 */

import type { WireRun } from './content.js';

type Test = (run: WireRun) => boolean;

/** Undefined where the server would refuse it. */
export function runFilter(filter: string, modern: boolean): Test | undefined {
  if (filter === '') return () => true;
  const tests = filter.split(' AND ').map((term) => termTest(term, modern));
  if (!tests.includes(undefined)) return (run) => tests.every((holds) => holds?.(run) === true);
  const wanted = /^attributes\.run_id IN \(('[^']*'(?:,'[^']*')*)\)$/.exec(filter)?.[1];
  if (!modern || wanted === undefined) return undefined;
  const ids = new Set(wanted.split(',').map((quoted) => quoted.slice(1, -1)));
  return ({ info }) => ids.has(info.run_id);
}

function termTest(term: string, modern: boolean): Test | undefined {
  return startTest(term, modern) ?? statusTest(term) ?? tagTest(term);
}

function startTest(term: string, modern: boolean): Test | undefined {
  const [, prefix, comparator, bound] = /^(attributes\.)?start_time (>=|<) (\d+)$/.exec(term) ?? [];
  // Without the prefix, 1.28 knows no such attribute.
  if (comparator === undefined || (!modern && prefix === undefined)) return undefined;
  // A missing start is NULL.
  return ({ info: { start_time: start } }) =>
    start !== undefined && (comparator === '<' ? start < Number(bound) : start >= Number(bound));
}

function statusTest(term: string): Test | undefined {
  const [, status] = /^attributes\.status = '([^'"`]*)'$/.exec(term) ?? [];
  return status === undefined ? undefined : ({ info }) => info.status === status;
}

/** A database that tells no capitals from small letters, as MySQL does. */
function tagTest(term: string): Test | undefined {
  const [, key, value] = /^tags\.`([^'"`]+)` = '([^'"`]*)'$/.exec(term) ?? [];
  if (key === undefined || value === undefined) return undefined;
  const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return ({ data }) =>
    data?.tags?.some((tag) => isSame(tag.key, key) && isSame(tag.value, value)) === true;
}
