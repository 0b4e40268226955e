import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MlflowStore, RunSelection } from '../../../src/sources/store.js';
import type { RestOptions } from '../../../src/sources/rest/options.js';
import {
  sampleContent,
  type Fault,
  type Flavour,
  type LoggedRequest,
  type ServerContent,
  type WireRun,
} from '../../support/mlflow-server.js';
import { openStore } from './open-store.js';

const FLAVOURS: Flavour[] = ['1.28.0', '2.22.5', '3.17.2'];
const PAGE = 4;

/** One experiment with runs that start at these times, in this order; 0 is none, as on MLflow. */
function content(starts: readonly number[]): ServerContent {
  const made = sampleContent({ experiments: 1, runsPerExperiment: starts.length, models: 0 });
  for (const [index, start] of starts.entries()) {
    const info = made.runs[index]?.info;
    if (info !== undefined) info.start_time = start;
  }
  return made;
}

/** Of those that are not deleted. */
const idsOf = ({ runs }: ServerContent) =>
  runs.filter(({ info }) => info.lifecycle_stage === 'active').map(({ info }) => info.run_id);

interface Reading {
  readonly ids: readonly string[];
  readonly positions: ReadonlyMap<string, string>;
}

async function read(
  store: MlflowStore,
  selection?: RunSelection,
  pages = Infinity,
  onPage: () => void = () => undefined,
): Promise<Reading> {
  const ids: string[] = [];
  const positions = new Map(selection?.positions);
  let count = 0;
  for await (const { items, position } of store.runs(['1'], selection)) {
    ids.push(...items.map(({ runId }) => runId));
    if (position !== undefined) positions.set(position.lane, position.value);
    onPage();
    count += 1;
    if (count === pages) break;
  }
  return { ids, positions };
}

/** With two calls at a time, as a pipeline makes them. */
async function readAhead(store: MlflowStore): Promise<string[]> {
  const ids: string[] = [];
  const iterator = store.runs(['1'])[Symbol.asyncIterator]();
  for (let ahead = iterator.next(); ;) {
    const next = iterator.next();
    const result = await ahead;
    if (result.done === true) return ids;
    ids.push(...result.value.items.map(({ runId }) => runId));
    ahead = next;
  }
}

/** What pages were asked for by. */
const filtersOf = (requests: readonly LoggedRequest[]): readonly unknown[] => [
  ...new Set(
    requests
      .filter(({ body }) => body['max_results'] === PAGE)
      .map(({ body }) => body['filter'] ?? 'none'),
  ),
];

const range = (count: number, from = 1): number[] =>
  Array.from({ length: count }, (_, index) => (from + index) * 10);

const options = (over: RestOptions = {}): RestOptions => ({ runsPageSize: PAGE, ...over });

describe.each(FLAVOURS)('a long search for runs of %s', (flavour) => {
  it('is cut, and its sections are read side by side', async () => {
    const runs = content(range(64));
    const { store, server, asked } = await openStore(
      { flavour, content: runs, faults: () => ({ kind: 'delay', ms: 2 }) },
      options(),
    );
    const ids = await readAhead(store);
    expect([...ids].sort()).toEqual(idsOf(runs));
    // 16 runs are read, 32 are there and 64 are not: pieces of 8 behind the first.
    expect(filtersOf(asked('runs/search'))).toEqual([
      'none',
      'attributes.start_time >= 170 AND attributes.start_time < 250',
      'attributes.start_time >= 250 AND attributes.start_time < 330',
      'attributes.start_time >= 330 AND attributes.start_time < 410',
      'attributes.start_time >= 410 AND attributes.start_time < 490',
      'attributes.start_time >= 490 AND attributes.start_time < 570',
      'attributes.start_time >= 570',
    ]);
    expect(server.peakConcurrency).toBe(2);
    expect((await read(store)).ids).toEqual(ids);
  });

  it('gives runs without a start, and those with one at the edge, once', async () => {
    const starts = [...Array<number>(6).fill(0), ...Array<number>(7).fill(5), ...range(33)];
    const runs = content(starts);
    const { store } = await openStore({ flavour, content: runs }, options());
    expect([...(await read(store)).ids].sort()).toEqual(idsOf(runs));
  });

  it('is whole where all runs start together, or one connection reads them', async () => {
    const together = content(Array<number>(60).fill(50));
    const one = await openStore({ flavour, content: together }, options());
    expect([...(await read(one.store)).ids].sort()).toEqual(idsOf(together));
    expect(filtersOf(one.asked('runs/search'))).toEqual(['none']);
    const runs = content(range(60));
    const two = await openStore({ flavour, content: runs }, options({ concurrency: 1 }));
    expect((await read(two.store)).ids).toEqual(idsOf(runs));
    expect(two.asked('runs/search')).toHaveLength(flavour === '3.17.2' ? 15 : 16);
  });

  it('goes on in all of its sections when it has broken off', async () => {
    const runs = content(range(64));
    const { store, asked } = await openStore({ flavour, content: runs }, options());
    // Four pages before the cut, one of each of the first two sections.
    const first = await read(store, {}, 6);
    expect([...first.positions.keys()]).toEqual(['1', '1/1', '1/2']);
    const before = asked('runs/search').length;
    const second = await read(store, { positions: first.positions });
    expect(filtersOf(asked('runs/search').slice(before))).toEqual([
      'attributes.start_time >= 160 AND attributes.start_time < 170',
      'attributes.start_time >= 200 AND attributes.start_time < 250',
      'attributes.start_time >= 280 AND attributes.start_time < 330',
      'attributes.start_time >= 330 AND attributes.start_time < 410',
      'attributes.start_time >= 410 AND attributes.start_time < 490',
      'attributes.start_time >= 490 AND attributes.start_time < 570',
      'attributes.start_time >= 570',
    ]);
    expect([...new Set([...first.ids, ...second.ids])].sort()).toEqual(idsOf(runs));
  });

  it('is cut among the runs since a time, too', async () => {
    const runs = content(range(64));
    const { store, asked } = await openStore({ flavour, content: runs }, options());
    const { ids } = await read(store, { since: 55 });
    expect([...ids].sort()).toEqual(idsOf(runs).slice(5));
    expect(filtersOf(asked('runs/search'))).toEqual([
      'attributes.start_time >= 55',
      'attributes.start_time >= 220 AND attributes.start_time < 300',
      'attributes.start_time >= 300 AND attributes.start_time < 380',
      'attributes.start_time >= 380 AND attributes.start_time < 460',
      'attributes.start_time >= 460 AND attributes.start_time < 540',
      'attributes.start_time >= 540 AND attributes.start_time < 620',
      'attributes.start_time >= 620',
    ]);
  });

  it('misses none where others are deleted between the cut and its last section', async () => {
    const runs = content(range(64));
    const all = idsOf(runs);
    const { store } = await openStore({ flavour, content: runs }, options());
    let pages = 0;
    const { ids } = await read(store, undefined, Infinity, () => {
      pages += 1;
      // The five that were read first.
      if (pages === 5)
        for (const { info } of runs.runs.slice(0, 5)) info.lifecycle_stage = 'deleted';
    });
    expect([...ids].sort()).toEqual(all);
  });
});

describe('a server with page tokens of its own', () => {
  it('is read whole', async () => {
    const runs = content(range(64));
    const { store, asked } = await openStore(
      {
        content: runs,
        faults: ({ endpoint, body }) => {
          if (endpoint !== 'runs/search') return undefined;
          const token = body['page_token'];
          if (typeof token === 'string') {
            Object.assign(body, { page_token: token.replace(/^own /, '') });
          }
          return {
            kind: 'patch',
            patch: ({ next_page_token: next, ...answer }) =>
              typeof next === 'string' ? { ...answer, next_page_token: `own ${next}` } : answer,
          };
        },
      },
      options(),
    );
    expect((await read(store)).ids).toEqual(idsOf(runs));
    expect(filtersOf(asked('runs/search'))).toEqual(['none']);
  });
});

describe('where a search may be cut', () => {
  const isLook = ({ endpoint, body }: LoggedRequest) =>
    endpoint === 'runs/search' && body['max_results'] === 2;
  const faults = {
    fail: { kind: 'status', status: 500 },
    'are refused': { kind: 'status', status: 403 },
    'break off': { kind: 'drop' },
    'are never answered': { kind: 'silence' },
    'give a sign-on page': { kind: 'html' },
    'give something else': { kind: 'json', body: { runs: {} } },
  } as const satisfies Readonly<Record<string, Fault>>;

  it.each(Object.entries(faults))(
    'is not known where looks %s: it is whole',
    async (_how, fault) => {
      const runs = content(range(64));
      const { store, asked } = await openStore(
        { content: runs, faults: (request) => (isLook(request) ? fault : undefined) },
        options({ timeoutMs: 200 }),
      );
      expect((await read(store)).ids).toEqual(idsOf(runs));
      expect(asked('runs/search').filter(isLook).length).toBeLessThanOrEqual(2);
    },
  );

  it('is looked for behind a run that is too large to be read', async () => {
    const runs = content(range(64));
    runs.runs[13]?.data?.tags?.push({ key: 'large', value: 'x'.repeat(20_000) });
    const { store, asked } = await openStore(
      { content: runs },
      options({ maxResponseBytes: 10_000 }),
    );
    const { ids } = await read(store);
    expect(ids).toHaveLength(63);
    expect(filtersOf(asked('runs/search')).length).toBeGreaterThan(1);
  });

  it('is no longer looked for when nobody wants more', async () => {
    const runs = content(range(640));
    let toldBegun = (): void => undefined;
    const { store, asked } = await openStore(
      {
        content: runs,
        faults: (request) => {
          if (!isLook(request)) return undefined;
          toldBegun();
          return { kind: 'delay', ms: 20 };
        },
      },
      options(),
    );
    const iterator = store.runs(['1'])[Symbol.asyncIterator]();
    const begun = new Promise<void>((resolve) => {
      toldBegun = resolve;
    });
    const pages = Array.from({ length: 6 }, () => iterator.next());
    await begun;
    await iterator.return?.();
    const requests = asked('runs/search').length;
    await Promise.all(pages);
    expect(asked('runs/search')).toHaveLength(requests);
    expect(asked('runs/search').filter(isLook)).toHaveLength(1);
  });
});

describe('runs at the edges of sections', () => {
  const start = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) },
    { weight: 1, arbitrary: fc.constant(0) },
  );
  const starts = fc.array(start, { minLength: 1, maxLength: 70 });
  const flavours = fc.constantFrom(...FLAVOURS);
  const connections = fc.integer({ min: 1, max: 5 });

  it('come once each, whatever they share, while others come with any start', async () => {
    await fc.assert(
      fc.asyncProperty(
        starts,
        fc.array(start, { maxLength: 12 }),
        flavours,
        fc.integer({ min: 1, max: 5 }),
        connections,
        async (given, late, flavour, runsPageSize, concurrency) => {
          const runs = content(given);
          const all = idsOf(runs);
          const { store, server } = await openStore(
            { flavour, content: runs },
            { runsPageSize, concurrency },
          );
          const waiting = [...late];
          const { ids } = await read(store, undefined, Infinity, () => {
            // As a client whose clock has jumped logs them.
            if (waiting.length > 0) runs.runs.push(lateRun(waiting.length, waiting.shift() ?? 0));
          });
          await server.close();
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.filter((id) => !id.startsWith('late')).sort()).toEqual([...all].sort());
        },
      ),
      { numRuns: 150 },
    );
  });

  it('all come where a reading breaks off and goes on, as often as it may', async () => {
    await fc.assert(
      fc.asyncProperty(
        starts,
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
        flavours,
        fc.integer({ min: 1, max: 5 }),
        connections,
        async (given, breaks, flavour, runsPageSize, concurrency) => {
          const runs = content(given);
          const { store, server } = await openStore(
            { flavour, content: runs },
            { runsPageSize, concurrency },
          );
          const ids = new Set<string>();
          let positions: ReadonlyMap<string, string> = new Map();
          for (const pages of [...breaks, Infinity]) {
            const reading = await read(store, { positions }, pages);
            for (const id of reading.ids) ids.add(id);
            positions = reading.positions;
          }
          await server.close();
          expect([...ids].sort()).toEqual(idsOf(runs).sort());
        },
      ),
      { numRuns: 150 },
    );
  });
});

function lateRun(number: number, start: number): WireRun {
  const [run] = content([start]).runs;
  if (run === undefined) throw new Error('no run');
  const id = `late${number}`;
  return { ...run, info: { ...run.info, run_id: id, run_uuid: id } };
}
