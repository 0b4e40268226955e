/**
 * Where what is left of a long search for runs is cut, so that several connections read it side by
 * side:
 *
 *   2,000 runs have been read ─> two runs at the 4,000th, 8,000th, 16,000th … ─> none at 16,000:
 *     there are between 8,000 and 16,000 ─> two runs at each quarter of 8,000 ─> cut between the two
 *
 * A section is then asked for by the starts of its runs, which do not shift while others come and
 * go.
 */

import { PipelineError } from '../../core/errors.js';
import { searchAnswer } from '../../mlflow/answer.js';
import { ResponseTooLargeError } from '../../mlflow/client/failures.js';
import type { MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { readItem } from '../../mlflow/parse.js';
import type { Run } from '../../mlflow/types.js';
import { offsetToken } from './offset-token.js';
import type { Search } from './read-pages.js';

/** Into how many sections what is known to be there is cut; it may be half of what there is. */
const SECTIONS = 4;

/** No store has so many runs: a server that has them is one that pays no heed to page tokens. */
const MOST_RUNS = 2 ** 31;

/** Looking is not worth more: where it fails, the search stays whole. */
const RETRIES = 1;

/** Up to where a search has been read. */
export interface ReadSoFar {
  /** The number of its runs. */
  readonly count: number;
  readonly last: Run;
}

/**
 * The starts to cut at, the first one right behind what has been read. None where as much again is
 * not left, or the server pages in another way than MLflow's own; undefined where there is no cut
 * right here, but may be one further on: runs that start together are not parted.
 *
 * @param search - oldest runs first
 * @param stopped - nobody waits for it any more
 * @returns milliseconds since 1970, ascending
 */
export async function findCuts(
  client: MlflowClient,
  search: Search<Run>,
  { count, last }: ReadSoFar,
  stopped: AbortSignal,
): Promise<readonly number[] | undefined> {
  const at = async (offset: number): Promise<readonly Run[] | undefined> =>
    stopped.aborted ? undefined : twoRuns(client, search, offset);
  try {
    const here = await at(count);
    if (here === undefined) return [];
    const first = cutBetween(here);
    // Where another stands there, runs have been deleted, and what is behind it may not be the next.
    if (first === undefined || here[0]?.runId !== last.runId) return undefined;
    let reached = count;
    while (reached < MOST_RUNS && (await at(2 * reached)) !== undefined) reached *= 2;
    if (reached === count || reached >= MOST_RUNS) return [];
    return inOrder([first, ...(await furtherCuts(at, count, reached))]);
  } catch (error) {
    // There is a huge run, which the reading will be past soon.
    if (error instanceof ResponseTooLargeError) return undefined;
    // Of a server that knows no such token, or is slow so far on: if there is more to it, the reading
    // will tell.
    if (error instanceof PipelineError) return [];
    throw error;
  }
}

async function furtherCuts(
  at: (offset: number) => Promise<readonly Run[] | undefined>,
  count: number,
  reached: number,
): Promise<readonly number[]> {
  const cuts: number[] = [];
  const step = Math.ceil(reached / SECTIONS);
  for (let offset = count + step; offset < 2 * reached; offset += step) {
    const runs = await at(offset);
    if (runs === undefined) break;
    const cut = cutBetween(runs);
    if (cut !== undefined) cuts.push(cut);
  }
  return cuts;
}

/**
 * The last run before a place and the first behind it; fewer where one can't be read. Undefined where
 * there are not so many runs.
 */
async function twoRuns(
  client: MlflowClient,
  search: Search<Run>,
  offset: number,
): Promise<readonly Run[] | undefined> {
  const call = { ...search.call(2, offsetToken(offset - 1)), retries: RETRIES };
  const answer = searchAnswer(await client.json(call), search.key, client.describe(call));
  if (answer.items.length < 2 && answer.token === undefined) return undefined;
  return answer.items.flatMap((json) => readItem(search.reader, json).item ?? []);
}

function cutBetween([before, first]: readonly Run[]): number | undefined {
  if (before === undefined || first === undefined) return undefined;
  return before.startTime < first.startTime ? first.startTime : undefined;
}

/** None where starts do not rise: then places are not what they seem. */
function inOrder(cuts: readonly number[]): readonly number[] {
  return cuts.every((start, index) => start > (cuts[index - 1] ?? 0)) ? cuts : [];
}
