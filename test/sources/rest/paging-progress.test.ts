import { describe, expect, it } from 'vitest';
import {
  MOST_EMPTY_PAGES,
  MOST_REPEATING_PAGES,
  PagingProgress,
} from '../../../src/sources/rest/paging-progress.js';
import { failureOf } from '../../mlflow/open-client.js';
import {
  offsetToken,
  sampleContent,
  type Fault,
  type LoggedRequest,
} from '../../support/mlflow-server.js';
import { collect, openStore } from './open-store.js';

const EMPTY = { isEmpty: true, hasNew: false };
const REPEATS = { isEmpty: false, hasNew: false };
const REQUEST = 'POST http://host/runs/search';

/**
 * A server whose pages of runs are made from their number, with a token that is new each time.
 *
 * @param end - the page without a token; none has none unless it is given
 */
async function endlessRuns(page: (number: number) => unknown[], end?: number) {
  let pages = 0;
  const faults = ({ endpoint }: LoggedRequest): Fault | undefined => {
    if (endpoint !== 'runs/search') return undefined;
    pages += 1;
    const more = pages === end ? {} : { next_page_token: `token ${pages}` };
    return { kind: 'json', body: { runs: page(pages), ...more } };
  };
  return { ...(await openStore({ faults })), pages: () => pages };
}

const run = (id: string): unknown => ({
  info: { run_id: id, experiment_id: '1', status: 'FINISHED', lifecycle_stage: 'active' },
});

describe('a server that gives ever-new page tokens', () => {
  it('and the same page each time is told after a few pages', async () => {
    const { store, pages, context } = await endlessRuns(() => [run('a'), run('b')]);
    const failure = await failureOf(collect(store.runs(['1'])));
    expect(failure).toMatchObject({ code: 'SOURCE_NO_PROGRESS', category: 'unavailable' });
    expect(failure.message).toMatch(
      /runs\/search gave 100 pages in a row with nothing that had not been read before.*pays no heed to page tokens.*fault of the server/,
    );
    expect(pages()).toBe(1 + MOST_REPEATING_PAGES);
    expect(context.recorder.counts().skipped).toEqual({
      'repeated by the server': 2 * MOST_REPEATING_PAGES,
    });
  });

  it('and a page that is longer than what is remembered is known again all the same', async () => {
    const many = Array.from({ length: 10_050 }, (_, index) => run(String(index)));
    const { store, context } = await endlessRuns(() => many, 3);
    expect((await collect(store.runs(['1']))).items).toHaveLength(10_050);
    expect(context.recorder.counts().skipped).toEqual({ 'repeated by the server': 20_100 });
  });

  it('and the same unreadable thing each time is told as well', async () => {
    const { store, pages } = await endlessRuns(() => [null, null]);
    expect(await failureOf(collect(store.runs(['1'])))).toMatchObject({
      code: 'SOURCE_NO_PROGRESS',
    });
    expect(pages()).toBe(1 + MOST_REPEATING_PAGES);
  });

  it('and pages that come round again, further away than what is remembered, is told', async () => {
    const page = (number: number) =>
      Array.from({ length: 4_000 }, (_, index) => run(`${number % 4} ${index}`));
    const { store, pages } = await endlessRuns(page);
    const failure = await failureOf(collect(store.runs(['1'])));
    expect(failure.message).toMatch(/pages that come round again, each with a page token that is/);
    expect(pages()).toBeLessThanOrEqual(12);
  });
});

describe('a server that hides most of what it has', () => {
  it('is read to its end over hundreds of empty pages', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 400, models: 0 });
    const last = content.runs[399];
    const { store, asked } = await openStore(
      { content, hides: (item) => content.runs.includes(item as never) && item !== last },
      { runsPageSize: 1 },
    );
    const { items } = await collect(store.runs(['1']));
    expect(items.map(({ runId }) => runId)).toEqual([last?.info.run_id]);
    expect(asked('runs/search').length).toBeGreaterThanOrEqual(400);
  });
});

describe('PagingProgress', () => {
  it('begins anew with each page that has something new', () => {
    const progress = new PagingProgress();
    let tokens = 0;
    const page = (news: Parameters<PagingProgress['page']>[0]): void => {
      progress.page(news, offsetToken((tokens += 1)), REQUEST);
    };
    for (let round = 0; round < 3; round += 1) {
      for (let n = 1; n < MOST_EMPTY_PAGES; n += 1) page(EMPTY);
      for (let n = 1; n < MOST_REPEATING_PAGES; n += 1) page(REPEATS);
      page({ isEmpty: false, hasNew: true, firstNewId: `run ${round}` });
    }
    for (let n = 1; n < MOST_REPEATING_PAGES; n += 1) page(REPEATS);
    page(EMPTY);
    expect(() => {
      page(REPEATS);
    }).toThrow(/nothing that had not been read before/);
  });

  it('takes so many empty pages for endless that no permissions explain them', () => {
    const progress = new PagingProgress();
    for (let n = 1; n < MOST_EMPTY_PAGES; n += 1) progress.page(EMPTY, `token ${n}`, REQUEST);
    expect(() => {
      progress.page(EMPTY, 'one more', REQUEST);
    }).toThrow(
      /runs\/search gave 10000 empty pages in a row.*larger pages .*PageSize.*as a user who may/,
    );
  });

  it('takes a page of new things that can not be read for progress', () => {
    const progress = new PagingProgress();
    for (let n = 0; n < 2 * MOST_REPEATING_PAGES; n += 1) {
      progress.page({ isEmpty: false, hasNew: true }, `token ${n}`, REQUEST);
    }
  });
});
