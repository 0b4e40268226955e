/**
 * Reads the runs of experiments over several connections:
 *
 *   experiments ─> searches ─> pages of each in turns
 *                     │ where one turns out to be long, what is left of it is cut
 *                     └─> sections ─> pages of each in turns with the others
 */

import type { MlflowClient } from '../../mlflow/client/mlflow-client.js';
import type { RunHint } from '../../mlflow/filter/run-hint.js';
import type { Run } from '../../mlflow/types.js';
import { interleavePages, mapPages, stoppablePages } from '../../stream/pages.js';
import type { Recorder } from '../../stream/recorder.js';
import type { RunSelection, StorePage } from '../store.js';
import { offsetOf } from './offset-token.js';
import type { RestSettings } from './options.js';
import { readPages, type Search, type SearchPage } from './read-pages.js';
import { findCuts } from './run-cuts.js';
import { positionBehind, type RunLane, runLanes, sectionsOf } from './run-lanes.js';
import { runSearch } from './searches.js';

/** Pages after which what is left of a search is cut: a shorter one is soon read by itself. */
const FIRST_TRY = 4;

/** Runs that start together are not parted; if there are so many of them, the search stays whole. */
const LAST_TRY = 12;

export interface RunReading {
  readonly client: MlflowClient;
  /** Whether it is MLflow 2 or later. */
  readonly modern: boolean;
  readonly settings: RestSettings;
  readonly recorder: Recorder;
  /** What is known of the runs that are wanted. */
  readonly hint?: RunHint | undefined;
}

type OpenLane = () => AsyncIterable<LanePage>;

interface LanePage {
  readonly page: StorePage<Run>;
  readonly lane: RunLane;
  /** Lanes for what is behind the page, if it is the last that its own lane reads. */
  readonly sections?: readonly OpenLane[];
}

/**
 * @param selection - absent where everything is read and no positions are asked for
 */
export function readRuns(
  reading: RunReading,
  experimentIds: readonly string[],
  selection?: RunSelection,
): AsyncIterable<StorePage<Run>> {
  const lanes = runLanes(experimentIds, selection ?? {}, reading.settings);
  const pages = interleavePages<LanePage>(
    lanes.map(
      (lane): OpenLane =>
        () =>
          readLane(reading, lane),
    ),
    reading.settings.concurrency,
    ({ sections }) => sections ?? [],
  );
  return mapPages(pages, ({ page: { items, rejected }, lane }) => {
    const position = selection === undefined ? undefined : positionBehind(items, lane);
    return { items, rejected, ...(position === undefined ? {} : { position }) };
  });
}

function readLane(reading: RunReading, lane: RunLane): AsyncIterable<LanePage> {
  const { client, settings, recorder } = reading;
  const search = searchOf(reading, lane);
  if (lane.section === undefined && settings.concurrency > 1) {
    return stoppablePages((stopped) => readUpToCut(reading, lane, search, stopped));
  }
  return mapPages(readPages(client, search, recorder), (page) => ({ page, lane }));
}

async function* readUpToCut(
  reading: RunReading,
  lane: RunLane,
  search: Search<Run>,
  stopped: AbortSignal,
): AsyncGenerator<LanePage, undefined> {
  let tries = 1;
  for await (const page of readPages(reading.client, search, reading.recorder)) {
    const isTried = tries >= FIRST_TRY && tries <= LAST_TRY;
    const cuts = isTried ? await cutsBehind(reading, search, page, stopped) : undefined;
    if (cuts !== undefined && cuts.length > 0) {
      yield cutPage(reading, lane, page, cuts);
      return;
    }
    // Where there is nothing to cut, it is not asked again.
    tries = cuts === undefined ? tries + 1 : LAST_TRY + 1;
    yield { page, lane };
  }
}

async function cutsBehind(
  { client }: RunReading,
  search: Search<Run>,
  { items, next }: SearchPage<Run>,
  stopped: AbortSignal,
): Promise<readonly number[] | undefined> {
  const count = next === undefined ? undefined : offsetOf(next);
  if (count === undefined || count === 0) return [];
  const last = items.at(-1);
  return last === undefined ? undefined : findCuts(client, search, { count, last }, stopped);
}

function cutPage(
  reading: RunReading,
  whole: RunLane,
  page: StorePage<Run>,
  cuts: readonly number[],
): LanePage {
  const [read = whole, ...left] = sectionsOf(whole, cuts);
  const sections = left.map(
    (lane): OpenLane =>
      () =>
        readLane(reading, lane),
  );
  return { page, lane: read, sections };
}

function searchOf({ settings, modern, hint }: RunReading, lane: RunLane): Search<Run> {
  return runSearch(settings, modern, lane, hint);
}
