/**
 * Pages of runs into pages of records: one of each, or several where histories of metrics come with them.
 */

import type { Run } from '../../mlflow/types.js';
import { mapPages } from '../../stream/pages.js';
import type { StorePage } from '../store.js';
import type { MetricHistories, RunsPart } from './metric-histories.js';
import type { RecordPage } from './record-pages.js';

/**
 * What is said of a page as a whole, such as the position behind it, stands with the last part.
 *
 * @param histories - absent where none are wanted; with them, one page is read after the other
 * @param make - is given a page, or a part of one, when it is wanted
 */
export function mapRunPages(
  pages: AsyncIterable<StorePage<Run>>,
  histories: MetricHistories | undefined,
  make: (page: StorePage<Run>) => RecordPage,
): AsyncIterable<RecordPage> {
  if (histories === undefined) return mapPages(pages, make);
  return inParts(pages, histories, make);
}

async function* inParts(
  pages: AsyncIterable<StorePage<Run>>,
  histories: MetricHistories,
  make: (page: StorePage<Run>) => RecordPage,
): AsyncGenerator<RecordPage, undefined> {
  for await (const page of pages) {
    for await (const { runs, isLast } of histories.parts(page.items)) {
      yield make(isLast ? { ...page, items: runs } : { items: runs, rejected: [] });
    }
  }
}

/** Runs that were asked for by their ids: in one part where no histories are wanted. */
export async function* partsOf(
  runs: readonly Run[],
  histories: MetricHistories | undefined,
): AsyncGenerator<RunsPart, undefined> {
  if (histories === undefined) yield await Promise.resolve({ runs, isLast: true });
  else yield* histories.parts(runs);
}
