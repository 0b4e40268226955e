/**
 * Notices paging that would never end: the only end there is, a missing token, is in the server's
 * hands, and a faulty one, or a cache or proxy in front of it, may never give it.
 */

import { PipelineError } from '../../core/errors.js';
import { Cycle } from './cycle.js';

/**
 * Pages in a row with items, all of which had been read. A good server gives such a page only when
 * as much as a page holds was created ahead of us while one page was read, and then one, not a row.
 */
export const MOST_REPEATING_PAGES = 100;

/**
 * Pages in a row without any item. A good server gives them where permissions empty its pages after
 * they are cut, so that nothing tells such a row from one that never ends but its length: this one
 * hides five million runs with pages of the usual size. A faulty server answers these in seconds.
 */
export const MOST_EMPTY_PAGES = 10_000;

/** What a page brought. */
export interface PageNews {
  /** Without any item, as it was sent. */
  readonly isEmpty: boolean;
  /** Whether it had anything that was not met lately, be it readable or not. */
  readonly hasNew: boolean;
  /** Of the first item on it that was not met lately; absent where none that can be read was. */
  readonly firstNewId?: string | undefined;
}

/** One for each search. */
export class PagingProgress {
  readonly #tokens = new Cycle();
  readonly #firsts = new Cycle();
  #repeating = 0;
  #empty = 0;

  /**
   * To be called for each page that is not the last.
   *
   * @param token - where the next page begins
   * @param request - for the message: `POST http://host:5000/…/runs/search`
   * @throws PipelineError `SOURCE_TOKEN_REPEATS`, `SOURCE_NO_PROGRESS` (unavailable)
   */
  page({ isEmpty, hasNew, firstNewId }: PageNews, token: string, request: string): void {
    if (this.#tokens.meets(token)) {
      throw fault(
        'SOURCE_TOKEN_REPEATS',
        `${request} gives page tokens that come round again, so that reading would never end`,
      );
    }
    if (hasNew) {
      this.#repeating = 0;
      this.#empty = 0;
      // Met so long ago that it is not remembered: no shift of pages reaches that far.
      if (firstNewId === undefined || !this.#firsts.meets(firstNewId)) return;
      throw fault(
        'SOURCE_NO_PROGRESS',
        `${request} gives pages that come round again, each with a page token that is new, so ` +
          'that reading would never end',
      );
    }
    if (isEmpty) this.#empty += 1;
    else this.#repeating += 1;
    if (this.#repeating >= MOST_REPEATING_PAGES) {
      throw fault(
        'SOURCE_NO_PROGRESS',
        `${request} gave ${MOST_REPEATING_PAGES} pages in a row with nothing that had not been ` +
          'read before, and says that there are more: it pays no heed to page tokens',
      );
    }
    if (this.#empty >= MOST_EMPTY_PAGES) {
      throw new PipelineError(
        `${request} gave ${MOST_EMPTY_PAGES} empty pages in a row and says that there are more. ` +
          'If this user may not see so much, set larger pages (the options …PageSize), or read ' +
          'as a user who may; else this is a fault of the server, or of a cache in front of it',
        { code: 'SOURCE_NO_PROGRESS', category: 'unavailable' },
      );
    }
  }
}

function fault(code: string, problem: string): PipelineError {
  return new PipelineError(
    `${problem}: this is a fault of the server, or of a cache in front of it`,
    { code, category: 'unavailable' },
  );
}
