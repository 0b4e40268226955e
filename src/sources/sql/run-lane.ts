/**
 * Where the reading of runs goes on, when it has broken off.
 */

import { createHash } from 'node:crypto';
import type { PagePosition } from '../../stream/memory.js';

/** There is but one. */
const LANE = 'runs';

/** A run, in the order that runs are read in. */
export interface RunPlace {
  /** In hexadecimal digits. */
  readonly hexId: string;
  /** Of its row, where the order is that of rows. */
  readonly rowId?: number;
}

interface Position extends RunPlace {
  /** Tells the experiments apart that it was read for. */
  readonly experiments: string;
}

export interface RunLane {
  /** The run to go on behind; absent where there is no position that holds for these experiments. */
  readonly start: (positions: ReadonlyMap<string, string> | undefined) => RunPlace | undefined;
  readonly behind: (place: RunPlace) => PagePosition;
}

/**
 * By the last run. Where an experiment has been created, deleted or restored meanwhile, all is read
 * again: its runs may stand anywhere, also before the position.
 */
export function runLane(experimentIds: readonly string[]): RunLane {
  const hash = createHash('sha256').update(JSON.stringify([...experimentIds].sort()));
  const experiments = hash.digest('base64url');
  return {
    start: (positions) => {
      const position = parsePosition(positions?.get(LANE) ?? '');
      return position?.experiments === experiments ? position : undefined;
    },
    behind: (place) => {
      const position: Position = { experiments, ...place };
      return { lane: LANE, value: JSON.stringify(position) };
    },
  };
}

function parsePosition(value: string): Position | undefined {
  try {
    const { experiments, hexId, rowId } = JSON.parse(value) as Partial<
      Record<keyof Position, unknown>
    >;
    if (typeof experiments !== 'string' || typeof hexId !== 'string') return undefined;
    return { experiments, hexId, ...(typeof rowId === 'number' ? { rowId } : {}) };
  } catch {
    return undefined;
  }
}
