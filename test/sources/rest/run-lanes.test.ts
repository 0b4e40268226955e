import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restOptionsSchema } from '../../../src/sources/rest/options.js';
import { runLanes } from '../../../src/sources/rest/run-lanes.js';
import type { RunSelection } from '../../../src/sources/store.js';
import type { MlflowStore } from '../../../src/sources/store.js';
import {
  sampleContent,
  sampleRunId,
  type Flavour,
  type LoggedRequest,
  type ServerContent,
} from '../../support/mlflow-server.js';
import { openStore } from './open-store.js';

const FLAVOURS: Flavour[] = ['1.28.0', '2.22.5', '3.17.2'];

interface Reading {
  readonly ids: readonly string[];
  readonly positions: ReadonlyMap<string, string>;
}

/** Reads some pages, or all, and gives the runs and the positions behind them. */
async function read(
  store: MlflowStore,
  experimentIds: readonly string[],
  selection: RunSelection = {},
  pages = Infinity,
): Promise<Reading> {
  const ids: string[] = [];
  const positions = new Map(selection.positions);
  let count = 0;
  for await (const { items, position } of store.runs(experimentIds, selection)) {
    ids.push(...items.map(({ runId }) => runId));
    if (position !== undefined) positions.set(position.lane, position.value);
    count += 1;
    if (count === pages) break;
  }
  return { ids, positions };
}

const filters = (requests: readonly LoggedRequest[]) => requests.map(({ body }) => body['filter']);

/** Runs of one experiment, of which those from the second to the last but one start together. */
function burst(count: number): ServerContent {
  const content = sampleContent({ experiments: 1, runsPerExperiment: count, models: 0 });
  const inside = content.runs.slice(1, count - 1);
  for (const { info } of inside) info.start_time = 5_000;
  const [first] = content.runs;
  if (first !== undefined) first.info.start_time = 1_000;
  return content;
}

describe.each(FLAVOURS)('runs of %s', (flavour) => {
  it('go on from the start of the last one, whatever the number that share it', async () => {
    const content = burst(502);
    const { store, asked } = await openStore({ flavour, content }, { runsPageSize: 50 });
    const all = content.runs
      .filter(({ info }) => info.lifecycle_stage === 'active')
      .map(({ info }) => info.run_id);
    for (const [pages, count, start, again] of [
      [1, 50, 5_000, 501],
      [5, 250, 5_000, 501],
      [Infinity, 502, endOf(content), 1],
    ] as const) {
      const before = await read(store, ['1'], {}, pages);
      expect(before.ids).toHaveLength(count);
      const requests = asked('runs/search').length;
      const after = await read(store, ['1'], { positions: before.positions });
      expect(new Set(filters(asked('runs/search').slice(requests)))).toEqual(
        new Set([`attributes.start_time >= ${start}`]),
      );
      expect(after.ids).toHaveLength(again);
      expect(new Set([...before.ids, ...after.ids])).toEqual(new Set(all));
    }
  });

  it('are those that started since a time, and behind a position at the same time', async () => {
    const content = sampleContent({ experiments: 2, runsPerExperiment: 4 });
    const start = content.runs[2]?.info.start_time ?? 0;
    const { store, asked } = await openStore({ flavour, content }, { concurrency: 1 });
    const { ids, positions } = await read(store, ['1', '2'], { since: start });
    expect([...ids].sort()).toEqual([2, 3, 4, 5, 6, 7].map(sampleRunId));
    expect(filters(asked('runs/search'))).toEqual([`attributes.start_time >= ${start}`]);
    const again = await read(store, ['1', '2'], { since: start, positions });
    expect(again.ids).toEqual([sampleRunId(7)]);
    const later = start + 1_000_000;
    expect((await read(store, ['1', '2'], { since: later, positions })).ids).toEqual([]);
    expect(filters(asked('runs/search')).at(-1)).toBe(`attributes.start_time >= ${later}`);
  });
});

function endOf({ runs }: ServerContent): number {
  return Math.max(...runs.map(({ info }) => info.start_time ?? 0));
}

describe('lanes of runs', () => {
  it('ask for the same as without a selection, in the same order, and have positions then', async () => {
    const content = sampleContent({ experiments: 5, runsPerExperiment: 5 });
    const options = { runsPageSize: 2, experimentsPerSearch: 2 };
    const plain = await openStore({ content }, options);
    const ids: string[] = [];
    for await (const page of plain.store.runs(['1', '2', '3', '4', '5'])) {
      expect(page).not.toHaveProperty('position');
      ids.push(...page.items.map(({ runId }) => runId));
    }
    const selecting = await openStore({ content }, options);
    const selected = await read(selecting.store, ['1', '2', '3', '4', '5']);
    expect(selected.ids).toEqual(ids);
    expect([...selected.positions.keys()]).toEqual(['1', '3', '5']);
    const bodies = (requests: readonly LoggedRequest[]) => requests.map(({ body }) => body);
    const asked = bodies(selecting.asked('runs/search'));
    expect(asked).toEqual(bodies(plain.asked('runs/search')));
    expect(asked.every((body) => !('filter' in body))).toBe(true);
  });

  it('go on with the experiments that are still there, and begin anew with others', async () => {
    const content = sampleContent({ experiments: 6, runsPerExperiment: 4 });
    const options = { runsPageSize: 2, experimentsPerSearch: 2, concurrency: 1 };
    const { store, asked } = await openStore({ content }, options);
    // Three of the four pages of experiments 1 and 2.
    const first = await read(store, ['1', '2', '3', '4'], {}, 3);
    expect(first.ids).toEqual([0, 1, 2, 3, 4, 5].map(sampleRunId));
    const before = asked('runs/search').length;
    // 1 is deleted, 6 was created.
    const second = await read(store, ['2', '3', '4', '6'], { positions: first.positions });
    const requests = asked('runs/search').slice(before);
    const start = content.runs[5]?.info.start_time;
    expect(requests.map(({ body }) => [body['experiment_ids'], body['filter']])).toEqual([
      [['2'], `attributes.start_time >= ${start}`],
      [['2'], `attributes.start_time >= ${start}`],
      ...Array<unknown>(5).fill([['3', '4'], undefined]),
      ...Array<unknown>(3).fill([['6'], undefined]),
    ]);
    const all = [...Array.from({ length: 16 }, (_, at) => at), 20, 21, 22, 23].map(sampleRunId);
    expect([...new Set([...first.ids, ...second.ids])].sort()).toEqual(all);
  });

  it('read an experiment from its start that was deleted and restored', async () => {
    const content = sampleContent({ experiments: 2, runsPerExperiment: 4 });
    const { store } = await openStore({ content }, { runsPageSize: 2, concurrency: 1 });
    const first = await read(store, ['1', '2'], {}, 1);
    const without = await read(store, ['2'], { positions: first.positions });
    const restored = await read(store, ['1', '2'], { positions: without.positions });
    expect(restored.ids.filter((id) => id <= sampleRunId(3)).sort()).toEqual(
      [0, 1, 2, 3].map(sampleRunId),
    );
    expect([...restored.positions.keys()]).toEqual(['1', "1'"]);
  });

  it('begin at their start where a position makes no sense', async () => {
    const { store } = await openStore({}, { concurrency: 1 });
    for (const value of ['', 'null', '{}', '[]', '{"experiments":["1"]}', '{"startTime":9}']) {
      const { ids } = await read(store, ['1'], { positions: new Map([['1', value]]) });
      expect(ids).toHaveLength(4);
    }
  });

  it('have each experiment once and names that differ, whatever was stored', () => {
    const id = fc.integer({ min: 1, max: 12 }).map(String);
    const position = fc.record({
      experiments: fc.uniqueArray(id),
      startTime: fc.integer({ min: -5, max: 50 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(id),
        fc.dictionary(
          fc.oneof(
            id,
            id.map((text) => `${text}'`),
          ),
          position,
        ),
        fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
        fc.integer({ min: 1, max: 4 }),
        (ids, stored, since, experimentsPerSearch) => {
          const settings = restOptionsSchema.parse({ experimentsPerSearch });
          const positions = new Map(
            Object.entries(stored).map(([lane, value]) => [lane, JSON.stringify(value)]),
          );
          const selection = { positions, ...(since === undefined ? {} : { since }) };
          const lanes = runLanes(ids, selection, settings);
          expect(lanes.flatMap((lane) => lane.experimentIds).sort()).toEqual([...ids].sort());
          expect(new Set(lanes.map(({ name }) => name)).size).toBe(lanes.length);
          for (const { name, experimentIds, from = 0 } of lanes) {
            expect(from).toBeGreaterThanOrEqual(since ?? 0);
            const known = stored[name];
            // Whoever goes on was part of it.
            if (known === undefined) expect(from).toBe(since ?? 0);
            else expect(known.experiments).toEqual(expect.arrayContaining([...experimentIds]));
          }
        },
      ),
    );
  });
});
