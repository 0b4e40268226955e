/**
 * Where what is left of a long search for runs is cut, so that several connections read it side by
 * side:
 *
 *   2,000 runs have been read ─> two runs at the 4,000th, 8,000th, 16,000th … ─> none at 16,000:
 *     there are between 8,000 and 16,000 ─> two runs at each quarter of 8,000 ─> cut between the two
 *
 * A section is then asked for by the starts of its runs, which do not shift while others come and
 * go. Only the last is asked for by its place: runs without a start come after all others, and are
 * found in no other way.
 */

import { searchAnswer } from '../../mlflow/answer.js';
import { HttpStatusError, ResponseTooLargeError } from '../../mlflow/client/failures.js';
import type { MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { readItem } from '../../mlflow/parse.js';
import type { Run } from '../../mlflow/types.js';
import { offsetToken } from './offset-token.js';
import type { Search } from './read-pages.js';

/** Into how many sections what is known to be there is cut; it may be half of what there is. */
const SECTIONS = 4;

/** No store has so many runs: a server that has them is one that pays no heed to page tokens. */
const MOST_RUNS = 2 ** 31;

/** The first of the runs that started at `start` has `offset` others before it. */
export interface Cut {
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly start: number;
}

/** Up to where a search has been read. */
export interface ReadSoFar {
  /** The number of its runs. */
  readonly count: number;
  readonly last: Run;
}

/**
 * The first cut is right behind what has been read. None where as much again is not left, or the
 * server pages in another way than MLflow's own; undefined where there is no cut right here, but may
 * be one further on: runs that start together are not parted.
 *
 * @param search - oldest runs first
 */
export async function findCuts(
  client: MlflowClient,
  search: Search<Run>,
  { count, last }: ReadSoFar,
): Promise<readonly Cut[] | undefined> {
  try {
    const here = await runsAt(client, search, count - 1, 2);
    if (here === undefined) return [];
    const first = cutBetween(here, count);
    // Where another stands there, runs have been deleted, and what is behind it may not be the next.
    if (first === undefined || here[0]?.runId !== last.runId) return undefined;
    let reached = count;
    while (reached < MOST_RUNS && (await runsAt(client, search, 2 * reached - 1, 2))) reached *= 2;
    if (reached === count || reached >= MOST_RUNS) return [];
    return inOrder([first, ...(await furtherCuts(client, search, count, reached))]);
  } catch (error) {
    // Of a server that knows no such token, or by two very large runs; the reading will tell.
    if (error instanceof HttpStatusError || error instanceof ResponseTooLargeError) return [];
    throw error;
  }
}

async function furtherCuts(
  client: MlflowClient,
  search: Search<Run>,
  count: number,
  reached: number,
): Promise<readonly Cut[]> {
  const cuts: Cut[] = [];
  const step = Math.ceil(reached / SECTIONS);
  for (let offset = count + step; offset < 2 * reached; offset += step) {
    const runs = await runsAt(client, search, offset - 1, 2);
    if (runs === undefined) break;
    const cut = cutBetween(runs, offset);
    if (cut !== undefined) cuts.push(cut);
  }
  return cuts;
}

/**
 * The place to read from so that no run from the cut on is missed: there may be fewer before it by
 * now. What is read from there begins with a run from before the cut.
 */
export async function offsetBefore(
  client: MlflowClient,
  search: Search<Run>,
  { offset, start }: Cut,
): Promise<number> {
  let place = offset - 1;
  for (let step = search.pageSize; place > 0; step *= 2) {
    const [first] = (await runsAt(client, search, place, 1)) ?? [];
    if (first !== undefined && isBefore(first, start)) break;
    place = Math.max(0, place - step);
  }
  return place;
}

/** Undefined where there are fewer; the list is shorter by those that can't be read. */
async function runsAt(
  client: MlflowClient,
  search: Search<Run>,
  offset: number,
  count: number,
): Promise<readonly Run[] | undefined> {
  const call = search.call(count, offsetToken(offset));
  const answer = searchAnswer(await client.json(call), search.key, client.describe(call));
  if (answer.items.length < count && answer.token === undefined) return undefined;
  return answer.items.flatMap((json) => readItem(search.reader, json).item ?? []);
}

function cutBetween([before, first]: readonly Run[], offset: number): Cut | undefined {
  if (before === undefined || first === undefined) return undefined;
  const start = first.startTime;
  return isBefore(before, start) ? { offset, start } : undefined;
}

/** Not so one without a start, which comes after all others. */
function isBefore({ startTime }: Run, start: number): boolean {
  return startTime < start && startTime > 0;
}

/** None where starts do not rise: then places are not what they seem. */
function inOrder(cuts: readonly Cut[]): readonly Cut[] {
  const rise = cuts.every(({ start }, index) => start > (cuts[index - 1]?.start ?? 0));
  return rise ? cuts : [];
}
