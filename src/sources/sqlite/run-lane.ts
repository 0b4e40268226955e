/**
 * Where the reading of runs goes on, when it has broken off.
 */

import { createHash } from 'node:crypto';
import type { PagePosition } from '../../stream/memory.js';
import { bytesOf, type Cursor } from './pages.js';

/** There is but one. */
const LANE = 'runs';

interface Position {
  /** Tells the experiments apart that it was read for. */
  readonly experiments: string;
  /** Id of the last run, in hexadecimal digits. */
  readonly after: string;
}

export interface RunLane {
  /** Behind the position; the start where there is none that holds for these experiments. */
  readonly start: (positions: ReadonlyMap<string, string> | undefined) => Cursor | undefined;
  /** Behind a run, by its id in hexadecimal digits. */
  readonly behind: (hexId: string) => PagePosition;
}

/**
 * By the key of the last run. Where an experiment has been created, deleted or restored meanwhile,
 * all is read again: its runs may stand anywhere, also before the position.
 */
export function runLane(experimentIds: readonly string[]): RunLane {
  const hash = createHash('sha256').update(JSON.stringify([...experimentIds].sort()));
  const experiments = hash.digest('base64url');
  return {
    start: (positions) => {
      const position = parsePosition(positions?.get(LANE) ?? '');
      if (position?.experiments !== experiments) return undefined;
      return [bytesOf(position.after)];
    },
    behind: (after) => {
      const position: Position = { experiments, after };
      return { lane: LANE, value: JSON.stringify(position) };
    },
  };
}

function parsePosition(value: string): Position | undefined {
  try {
    const { experiments, after } = JSON.parse(value) as Partial<Record<keyof Position, unknown>>;
    return typeof experiments === 'string' && typeof after === 'string'
      ? { experiments, after }
      : undefined;
  } catch {
    return undefined;
  }
}
