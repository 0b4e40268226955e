/**
 * How the runs of many experiments are shared out to searches, and where each of these goes on.
 */

import type { Run } from '../../mlflow/types.js';
import { mapPages } from '../../stream/pages.js';
import type { RunSelection, StorePage } from '../store.js';
import type { RestSettings } from './options.js';
import { slices } from './runs-by-id.js';

/** A search for runs, whose pages follow each other. */
export interface RunLane {
  /** Stays the same for as long as positions of it are kept. */
  readonly name: string;
  readonly experimentIds: readonly string[];
  /** Milliseconds since 1970; absent where it begins at its start. */
  readonly from?: number;
}

/**
 * One lane for each position, with those of its experiments that are still asked for, and new ones
 * for the experiments that are in none: what was created or restored meanwhile has not been read.
 */
export function runLanes(
  experimentIds: readonly string[],
  { since, positions = new Map() }: RunSelection,
  { concurrency, experimentsPerSearch }: RestSettings,
): readonly RunLane[] {
  const lanes: RunLane[] = [];
  const waiting = new Set(experimentIds);
  for (const [name, value] of positions) {
    const position = parsePosition(value);
    // Each is in one lane only, whatever the positions say.
    const ids = position?.experiments.filter((id) => waiting.delete(id)) ?? [];
    const from = Math.max(position?.startTime ?? 0, since ?? 0);
    if (ids.length > 0) lanes.push({ name, experimentIds: ids, from });
  }
  // No fewer searches than can go on at a time: one search alone is read page by page.
  const share = Math.max(1, Math.ceil(waiting.size / concurrency));
  for (const ids of slices([...waiting], Math.min(experimentsPerSearch, share))) {
    // The lane of an experiment that was deleted and restored keeps the name of its first one.
    let name = ids[0] ?? '';
    while (positions.has(name)) name += "'";
    lanes.push({ name, experimentIds: ids, ...(since === undefined ? {} : { from: since }) });
  }
  return lanes;
}

interface Position {
  readonly experiments: readonly string[];
  readonly startTime: number;
}

/**
 * Pages with their positions: behind the last run, by its start. No server can search for ids
 * beyond one, and 1.x orders by nothing else. A page without a run that could be read has none.
 */
export function withPositions(
  pages: AsyncIterable<StorePage<Run>>,
  { name, experimentIds }: RunLane,
): AsyncIterable<StorePage<Run>> {
  return mapPages(pages, (page) => {
    const last = page.items.at(-1);
    if (last === undefined) return page;
    const position: Position = { experiments: experimentIds, startTime: last.startTime };
    return { ...page, position: { lane: name, value: JSON.stringify(position) } };
  });
}

function parsePosition(value: string): Position | undefined {
  try {
    const { experiments, startTime } = JSON.parse(value) as Partial<
      Record<keyof Position, unknown>
    >;
    if (!Array.isArray(experiments) || typeof startTime !== 'number') return undefined;
    return { experiments: experiments.map(String), startTime };
  } catch {
    return undefined;
  }
}
