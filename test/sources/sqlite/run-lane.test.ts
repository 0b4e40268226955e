import { describe, expect, it } from 'vitest';
import type { MlflowStore, RunSelection } from '../../../src/sources/store.js';
import { change, copyOf, MLFLOW_VERSIONS, valueOf } from '../../support/mlflow-database.js';
import { collect, open } from './reading.js';

interface Place {
  readonly ids: readonly string[];
  readonly positions: ReadonlyMap<string, string>;
}

/** The runs of each page, with the positions behind it. */
async function read(
  store: MlflowStore,
  experimentIds: readonly string[],
  selection: RunSelection = {},
): Promise<Place[]> {
  const places: Place[] = [];
  for await (const { items, position } of store.runs(experimentIds, selection)) {
    const positions = new Map(position === undefined ? [] : [[position.lane, position.value]]);
    places.push({ ids: items.map(({ runId }) => runId), positions });
  }
  return places;
}

async function activeExperiments(store: MlflowStore): Promise<string[]> {
  return (await collect(store.experiments())).map(({ experimentId }) => experimentId);
}

/** 500 runs that started together, in the first active experiment. */
const BURST = `
  WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
  INSERT INTO runs(run_uuid, name, source_type, user_id, status, start_time, lifecycle_stage,
    artifact_uri, experiment_id)
  SELECT 'burst' || printf('%04d', n), '', 'LOCAL', '', 'FINISHED', 5000, 'active', '',
    (SELECT min(experiment_id) FROM experiments WHERE lifecycle_stage = 'active') FROM numbers`;

describe.each(MLFLOW_VERSIONS)('runs in a database of MLflow %s', (version) => {
  it('go on behind any page, whatever the number that started together', async () => {
    const path = copyOf(version);
    change(path, BURST);
    const store = await open(path, { runsPageSize: 120 });
    const experiments = await activeExperiments(store);
    const places = await read(store, experiments);
    expect(places.length).toBeGreaterThan(4);
    for (const [at, { positions }] of places.entries()) {
      const rest = await read(store, experiments, { positions });
      expect(rest.flatMap(({ ids }) => ids)).toEqual(
        places.slice(at + 1).flatMap(({ ids }) => ids),
      );
    }
  });

  it('have no position where none is asked for', async () => {
    const store = await open(copyOf(version), { runsPageSize: 5 });
    for await (const page of store.runs(await activeExperiments(store))) {
      expect(page).not.toHaveProperty('position');
    }
  });

  it('are those that started since a time, none at all counting as 0', async () => {
    const path = copyOf(version);
    const id = valueOf(path, `SELECT max(run_uuid) FROM runs WHERE lifecycle_stage = 'active'`);
    change(path, BURST, `UPDATE runs SET start_time = NULL WHERE run_uuid = '${String(id)}'`);
    const store = await open(path, { runsPageSize: 100 });
    const experiments = await activeExperiments(store);
    const all = await collect(store.runs(experiments));
    for (const since of [0, 1, 5_000, 5_000.5, 1e15]) {
      const ids = (await read(store, experiments, { since })).flatMap((place) => place.ids);
      expect(ids.sort()).toEqual(
        all.filter(({ startTime }) => startTime >= Math.floor(since)).map(({ runId }) => runId),
      );
    }
    expect(all.find(({ runId }) => runId === id)?.startTime).toBe(0);
  });

  it('since a time are found among many that started before, and gone on with', async () => {
    const path = copyOf(version);
    // Few of very many match, in groups that are more than a page.
    change(
      path,
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 45000)
       INSERT INTO runs(run_uuid, name, source_type, user_id, status, start_time, lifecycle_stage,
         artifact_uri, experiment_id)
       SELECT 'many' || printf('%06d', n), '', 'LOCAL', '', 'FINISHED',
         1000 + (n > 44000 OR n BETWEEN 4000 AND 4030), 'active', '',
         (SELECT min(experiment_id) FROM experiments WHERE lifecycle_stage = 'active')
       FROM numbers`,
      `UPDATE runs SET start_time = 1000 WHERE run_uuid NOT LIKE 'many%'`,
    );
    const store = await open(path, { runsPageSize: 25 });
    const experiments = await activeExperiments(store);
    const places = await read(store, experiments, { since: 1001 });
    const ids = places.flatMap((place) => place.ids);
    expect(ids).toHaveLength(1031);
    expect(new Set(ids).size).toBe(1031);
    for (const at of [0, 1, 2, places.length - 2, places.length - 1]) {
      const { positions = new Map<string, string>() } = places[at] ?? {};
      const rest = await read(store, experiments, { since: 1001, positions });
      expect(rest.flatMap((place) => place.ids)).toEqual(
        places.slice(at + 1).flatMap((place) => place.ids),
      );
    }
    // Compacting a database may number its rows anew.
    const [, { positions } = { positions: new Map<string, string>() }] = places;
    change(path, 'UPDATE runs SET rowid = rowid - 1000000');
    const anew = await read(store, experiments, { since: 1001, positions });
    expect(anew.flatMap((place) => place.ids)).toEqual(ids);
  });

  it('since a time are none where there are no runs', async () => {
    const path = copyOf(version);
    change(path, 'DELETE FROM runs');
    const store = await open(path);
    expect(await read(store, await activeExperiments(store), { since: 0 })).toEqual([]);
  });

  it('are read from the start where experiments came or went, or a position makes no sense', async () => {
    const store = await open(copyOf(version), { runsPageSize: 10 });
    const experiments = await activeExperiments(store);
    const [first] = await read(store, experiments);
    const fewer = experiments.slice(1);
    const positions = first?.positions ?? new Map<string, string>();
    expect(await read(store, fewer, { positions })).toEqual(await read(store, fewer));
    // Their order is no difference.
    expect(await read(store, [...experiments].reverse(), { positions })).toEqual(
      (await read(store, experiments)).slice(1),
    );
    for (const value of ['', 'null', '{}', '{"experiments":1,"after":2}']) {
      const nonsense = new Map([['runs', value]]);
      expect(await read(store, experiments, { positions: nonsense })).toEqual(
        await read(store, experiments),
      );
    }
  });
});
