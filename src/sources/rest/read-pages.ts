/**
 * Reads a paged search of MLflow to its end.
 */

import { createHash } from 'node:crypto';
import { PipelineError } from '../../core/errors.js';
import { searchAnswer } from '../../mlflow/answer.js';
import { ResponseTooLargeError } from '../../mlflow/client/failures.js';
import type { Call, MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { readItem, type EntityReader } from '../../mlflow/parse.js';
import type { Rejection } from '../../stream/contracts.js';
import type { Recorder } from '../../stream/recorder.js';
import { PageSize } from '../page-size.js';
import type { StorePage } from '../store.js';
import { nextOffsetToken } from './offset-token.js';
import { inspectOversized, textsIn } from './oversized.js';
import { PagingProgress, type PageNews } from './paging-progress.js';
import { RecentIds } from './recent-ids.js';

/** A search, and how its answers are read. */
export interface Search<T> {
  readonly reader: EntityReader<T>;
  /** What the list is called in an answer: `runs`. */
  readonly key: string;
  readonly pageSize: number;
  readonly call: (maxResults: number, token: string | undefined) => Call;
  /** What is left out without a word, because the store's contract says so. */
  readonly keep?: (item: T) => boolean;
  /** False where the server is known to send everything at once, whatever is asked. */
  readonly heedsPageSize?: boolean;
}

export interface SearchPage<T> extends StorePage<T> {
  /** The token of the page behind it; absent where it is the last. */
  readonly next?: string;
}

/** Ids remembered to drop repeats by: ten pages of the usual size. */
const RECENT_IDS = 10_000;

/** Of a thing too large to be read, this much is kept for the dead letter, in characters. */
const KEPT_OF_OVERSIZED = 4_096;

/** What `Recorder.skipped` is told of an item that came twice. */
export const REPEATED = 'repeated by the server';

/**
 * Gives the pages of a search. Each is fetched for a call of `next()`, those without content are
 * passed over, and only a missing token is the end: permissions empty pages after they are cut.
 *
 * Where the items turn out to be large, the next page is asked for with fewer. Where an answer is
 * longer than `maxResponseBytes`, the same page is asked for with half the size. A single item that
 * does not fit is rejected and stepped over, where the token tells how.
 *
 * @throws PipelineError `SOURCE_TOKEN_REPEATS`, `SOURCE_NO_PROGRESS`, `SOURCE_RESPONSE_TOO_LARGE`,
 *   those of the client
 */
export async function* readPages<T>(
  client: MlflowClient,
  search: Search<T>,
  recorder: Recorder,
): AsyncGenerator<SearchPage<T>, undefined> {
  const recent = new RecentIds(RECENT_IDS);
  const progress = new PagingProgress();
  const size = new PageSize(search.pageSize);
  let token: string | undefined;
  for (;;) {
    const call = search.call(size.current, token);
    try {
      const { json, length } = await client.measuredJson(call);
      const answer = searchAnswer(json, search.key, client.describe(call));
      const { page, news } = readAll(answer.items, search, recent, recorder);
      const next = answer.token === undefined ? {} : { next: answer.token };
      if (page.items.length > 0 || page.rejected.length > 0) yield { ...page, ...next };
      if (answer.token === undefined) return;
      token = answer.token;
      progress.page(news, token, client.describe(call));
      size.saw(answer.items.length, length);
    } catch (error) {
      if (!(error instanceof ResponseTooLargeError)) throw error;
      if (search.heedsPageSize === false) throw error;
      if (size.current > 1) {
        size.halve();
        continue;
      }
      const { next, rejection } = stepOver(error, token, search);
      token = next;
      yield { items: [], rejected: [rejection], next };
      const news = { isEmpty: false, hasNew: isNewThing(rejection, recent) };
      progress.page(news, token, client.describe(call));
    }
  }
}

function readAll<T>(
  list: readonly unknown[],
  { reader, keep }: Search<T>,
  recent: RecentIds,
  recorder: Recorder,
): { page: StorePage<T>; news: PageNews } {
  const items: T[] = [];
  const rejected: Rejection[] = [];
  let firstNewId: string | undefined;
  let hasNew = false;
  recent.holdPage(list.length);
  for (const json of list) {
    const { item, rejection } = readItem(reader, json);
    if (rejection !== undefined) {
      rejected.push(rejection);
      hasNew ||= isNewThing(rejection, recent);
      continue;
    }
    const id = reader.idOf(item);
    if (!recent.add(id)) {
      recorder.skipped(REPEATED);
      continue;
    }
    hasNew = true;
    firstNewId ??= id;
    if (keep === undefined || keep(item)) items.push(item);
  }
  return { page: { items, rejected }, news: { isEmpty: list.length === 0, hasNew, firstNewId } };
}

/**
 * Whether a thing that could not be read was not met lately. Two that look the same may be two all
 * the same (`null` and `null`): they are no repeats to be dropped, but no news either.
 */
function isNewThing({ identity, content }: Rejection, recent: RecentIds): boolean {
  const text = JSON.stringify([identity, content]);
  const digest = createHash('sha256').update(text).digest('base64');
  return recent.add(`rejected ${digest}`);
}

/** Past an item that is too large by itself. */
function stepOver<T>(
  error: ResponseTooLargeError,
  token: string | undefined,
  { reader }: Search<T>,
): { next: string; rejection: Rejection } {
  const { items, head } = inspectOversized(error.chunks);
  const next = nextOffsetToken(token);
  if (items > 1 || next === undefined) {
    const why =
      items > 1
        ? 'The server pays no heed to the page size, so that a smaller page is no way out'
        : `A single ${reader.noun} is that long, and this server's page tokens don't tell how to step over it`;
    throw new PipelineError(`${error.message}. ${why}`, {
      code: 'SOURCE_RESPONSE_TOO_LARGE',
      category: 'unavailable',
      cause: error,
    });
  }
  const identity = `${reader.noun} ${textsIn(head, reader.idKeys)?.join(' version ') ?? 'without id'}`;
  return {
    next,
    rejection: {
      kind: 'record',
      code: 'RECORD_TOO_LARGE',
      message: `${identity} is too large: ${error.message}`,
      identity,
      content: head.slice(0, KEPT_OF_OVERSIZED),
    },
  };
}

/** One item that was asked for by itself and is too large. */
export function oversizedRejection<T>(
  error: ResponseTooLargeError,
  reader: EntityReader<T>,
  id: string,
): Rejection {
  const identity = `${reader.noun} ${id}`;
  return {
    kind: 'record',
    code: 'RECORD_TOO_LARGE',
    message: `${identity} is too large: ${error.message}`,
    identity,
    content: inspectOversized(error.chunks).head.slice(0, KEPT_OF_OVERSIZED),
  };
}
