/**
 * Where the reading of runs goes on, when it has broken off.
 */

import { createHash } from 'node:crypto';
import type { PagePosition } from '../../stream/memory.js';

/** There is but one. */
const LANE = 'runs';

/** A run, in the order that runs are read in. */
export interface RunPlace {
  readonly experimentId: string;
  readonly runId: string;
}

export interface RunLane {
  /** The run to go on behind; absent where there is no position that holds for these experiments. */
  readonly start: (positions: ReadonlyMap<string, string> | undefined) => RunPlace | undefined;
  readonly behind: (place: RunPlace) => PagePosition;
}

/**
 * By the last run. Where an experiment has been created, deleted or restored meanwhile, all is read
 * again: it may stand before the position.
 */
export function runLane(experimentIds: readonly string[]): RunLane {
  const hash = createHash('sha256').update(JSON.stringify([...experimentIds].sort()));
  const experiments = hash.digest('base64url');
  return {
    start: (positions) => {
      const position = parsePosition(positions?.get(LANE) ?? '');
      return position?.experiments === experiments ? position : undefined;
    },
    behind: ({ experimentId, runId }) => ({
      lane: LANE,
      value: JSON.stringify({ experiments, experimentId, runId }),
    }),
  };
}

function parsePosition(value: string): (RunPlace & { experiments: string }) | undefined {
  try {
    const { experiments, experimentId, runId } = JSON.parse(value) as Record<string, unknown>;
    if (typeof experiments !== 'string') return undefined;
    if (typeof experimentId !== 'string' || typeof runId !== 'string') return undefined;
    return { experiments, experimentId, runId };
  } catch {
    return undefined;
  }
}
