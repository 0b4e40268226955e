/**
 * How the runs of many experiments are shared out to searches, and where each of these goes on.
 */

import type { Run } from '../../mlflow/types.js';
import type { PagePosition } from '../../stream/memory.js';
import type { RunSelection } from '../store.js';
import type { RestSettings } from './options.js';
import { slices } from './slices.js';

/** A search for runs, or a section of one, whose pages follow each other. */
export interface RunLane {
  /** Stays the same for as long as positions of it are kept. */
  readonly name: string;
  readonly experimentIds: readonly string[];
  /** Milliseconds since 1970: runs that started then or later; absent where it begins at its start. */
  readonly from?: number;
  /** Milliseconds since 1970: runs that started before; absent where it goes on to its end. */
  readonly until?: number;
  /** Absent where the search is whole. */
  readonly section?: Section;
}

/** Which of its search's sections a lane is. */
export interface Section {
  /** The name of the first section. */
  readonly search: string;
  /** From 0. */
  readonly number: number;
  /** Where the search is cut: each section but the first begins with the runs that started then. */
  readonly cuts: readonly number[];
}

/**
 * Lanes for what has been begun, with those of its experiments that are still asked for, and new
 * ones for the experiments that are in none: what was created or restored meanwhile has not been
 * read.
 */
export function runLanes(
  experimentIds: readonly string[],
  { since, positions = new Map() }: RunSelection,
  { concurrency, experimentsPerSearch }: RestSettings,
): readonly RunLane[] {
  const waiting = new Set(experimentIds);
  const searches = begunSearches(positions);
  const lanes: RunLane[] = [];
  for (const { name, experiments, cuts, starts } of searches.values()) {
    // Each is in one search only, whatever the positions say.
    const ids = experiments.filter((id) => waiting.delete(id));
    if (ids.length === 0) continue;
    const floor = since ?? 0;
    for (const lane of sectionsOf({ name, experimentIds: ids, from: floor }, cuts)) {
      const start = starts.get(lane.section?.number ?? 0);
      const from = Math.max(lane.from ?? 0, start ?? 0);
      if (lane.until === undefined || from < lane.until) lanes.push({ ...lane, from });
    }
  }
  // No fewer searches than can go on at a time: one search alone is read page by page.
  const share = Math.max(1, Math.ceil(waiting.size / concurrency));
  for (const ids of slices([...waiting], Math.min(experimentsPerSearch, share))) {
    // The lane of an experiment that was deleted and restored keeps the name of its first one.
    let name = ids[0] ?? '';
    while (positions.has(name) || searches.has(name)) name += "'";
    lanes.push({ name, experimentIds: ids, ...(since === undefined ? {} : { from: since }) });
  }
  return lanes;
}

/**
 * @param cuts - ascending; none leaves the lane whole
 */
export function sectionsOf(lane: RunLane, cuts: readonly number[]): readonly RunLane[] {
  if (cuts.length === 0) return [lane];
  return [undefined, ...cuts].map((cut, number) => {
    const until = cuts[number];
    const from = cut === undefined ? lane.from : Math.max(cut, lane.from ?? 0);
    return {
      // No id holds a slash: it is part of paths.
      name: number === 0 ? lane.name : `${lane.name}/${number}`,
      experimentIds: lane.experimentIds,
      ...(from === undefined ? {} : { from }),
      ...(until === undefined ? {} : { until }),
      section: { search: lane.name, number, cuts },
    };
  });
}

interface Position {
  readonly experiments: readonly string[];
  readonly startTime: number;
  readonly section?: Section;
}

/**
 * Behind the last of the runs, by its start: no server can search for ids beyond one, and 1.x orders
 * by nothing else. None where no run could be read, or the last one has no start.
 */
export function positionBehind(
  runs: readonly Run[],
  { name, experimentIds, section }: RunLane,
): PagePosition | undefined {
  const startTime = runs.at(-1)?.startTime ?? 0;
  if (startTime === 0) return undefined;
  const position: Position = {
    experiments: experimentIds,
    startTime,
    ...(section === undefined ? {} : { section }),
  };
  return { lane: name, value: JSON.stringify(position) };
}

interface BegunSearch {
  readonly name: string;
  /** Those that are in all of its sections that have been begun. */
  readonly experiments: readonly string[];
  readonly cuts: readonly number[];
  /** By section, where it goes on; a section without has not been begun. */
  readonly starts: Map<number, number>;
}

function begunSearches(positions: ReadonlyMap<string, string>): Map<string, BegunSearch> {
  const searches = new Map<string, BegunSearch>();
  for (const [lane, value] of positions) {
    const position = parsePosition(value);
    if (position === undefined) continue;
    const { experiments, startTime, section } = position;
    const { search: name, number, cuts } = section ?? { search: lane, number: 0, cuts: [] };
    const other = searches.get(name);
    const isSame = other === undefined || String(other.cuts) === String(cuts);
    searches.set(name, {
      name,
      // What does not fit together is read from its start.
      experiments: isSame ? inBoth(experiments, other?.experiments) : [],
      cuts,
      starts: (other?.starts ?? new Map<number, number>()).set(number, startTime),
    });
  }
  return searches;
}

function inBoth(ids: readonly string[], others: readonly string[] = ids): readonly string[] {
  const known = new Set(others);
  return ids.filter((id) => known.has(id));
}

function parsePosition(value: string): Position | undefined {
  try {
    const json = JSON.parse(value) as Partial<Record<keyof Position, unknown>>;
    const { experiments, startTime, section } = json;
    if (!Array.isArray(experiments) || typeof startTime !== 'number') return undefined;
    const position = { experiments: experiments.map(String), startTime };
    if (section === undefined) return position;
    return isSection(section) ? { ...position, section } : undefined;
  } catch {
    return undefined;
  }
}

function isSection(value: unknown): value is Section {
  if (typeof value !== 'object' || value === null) return false;
  const { search, number, cuts } = value as Partial<Record<keyof Section, unknown>>;
  return (
    typeof search === 'string' &&
    typeof number === 'number' &&
    Array.isArray(cuts) &&
    cuts.every((cut) => typeof cut === 'number')
  );
}
