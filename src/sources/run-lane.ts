/**
 * Where the reading of runs goes on when it has broken off, for stores that read them in one row.
 */

import { createHash } from 'node:crypto';
import type { PagePosition } from '../stream/memory.js';

/** There is but one. */
const LANE = 'runs';

/** @typeParam Place - a run, in the order that runs are read in */
export interface RunLane<Place> {
  /** The run to go on behind; absent where there is no position that holds for these experiments. */
  readonly start: (positions: ReadonlyMap<string, string> | undefined) => Place | undefined;
  readonly behind: (place: Place) => PagePosition;
}

/**
 * By the last run. Where an experiment has been created, deleted or restored meanwhile, all is read
 * again: its runs may stand anywhere, also before the position.
 *
 * @param parse - of a place that was written as JSON; nothing where it is none
 */
export function runLane<Place extends object>(
  experimentIds: readonly string[],
  parse: (json: Readonly<Record<string, unknown>>) => Place | undefined,
): RunLane<Place> {
  const hash = createHash('sha256').update(JSON.stringify([...experimentIds].sort()));
  const experiments = hash.digest('base64url');
  return {
    start: (positions) => {
      const json = parseObject(positions?.get(LANE) ?? '');
      return json?.['experiments'] === experiments ? parse(json) : undefined;
    },
    behind: (place) => ({ lane: LANE, value: JSON.stringify({ experiments, ...place }) }),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
