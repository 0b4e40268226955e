import fc from 'fast-check';
import Libsql from 'libsql';
import { describe, expect, it } from 'vitest';
import { databaseOf, MLFLOW_VERSIONS } from '../../support/mlflow-database.js';
import { collect, open, readAll } from './reading.js';

type Row = readonly unknown[];

/** Empty is not set. */
const set = (value: unknown) => (value === '' || value === null ? undefined : value);

/** The rows of a query, read in the plainest way there is. */
function rowsOf(path: string, sql: string, ...parameters: unknown[]): Row[] {
  const database = new Libsql(path);
  try {
    return database.prepare(sql).raw().all(parameters) as Row[];
  } finally {
    database.close();
  }
}

const byKey = (a: { key: string }, b: { key: string }) =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

function pairs(path: string, sql: string, id: unknown) {
  const rows = rowsOf(path, sql, id) as [string, string | null][];
  return rows.map(([key, value]) => ({ key, value: value ?? '' })).sort(byKey);
}

describe.each(MLFLOW_VERSIONS)('a database of MLflow %s', (version) => {
  const path = databaseOf(version);

  it('says what it is, and counts', async () => {
    const store = await open(path);
    expect(store.server).toEqual({
      uri: `sqlite:///${path}`,
      versionText: {
        '1.28.0': '1.28.0 or later, before 1.29.0',
        '2.22.5': '2.18.0 or later, before 3.0.0',
        '3.17.2': '3.17.0 or later',
      }[version],
      searchesExperiments: true,
    });
    const all = await readAll(store);
    expect(all.rejected).toEqual([]);
    expect(await store.count()).toEqual({
      experiments: all.experiments.length,
      runs: all.runs.length,
      registeredModels: all.registeredModels.length,
      modelVersions: all.modelVersions.length,
      ...(version === '3.17.2' ? { loggedModels: 1 } : {}),
    });
  });

  it('gives every active experiment with its tags', async () => {
    const { experiments } = await readAll(await open(path));
    const ids = rowsOf(
      path,
      `SELECT experiment_id FROM experiments WHERE lifecycle_stage = 'active' ORDER BY 1`,
    );
    expect(experiments.map(({ experimentId }) => experimentId)).toEqual(
      ids.map(([id]) => String(id)),
    );
    for (const { experimentId, tags } of experiments) {
      const sql = 'SELECT key, value FROM experiment_tags WHERE experiment_id = ?';
      expect(tags).toEqual(pairs(path, sql, Number(experimentId)));
    }
    expect(experiments.every((one) => (one.creationTime !== undefined) !== (version === '1.28.0')));
    expect(experiments.map(({ name }) => name)).toContain('Zürich 東京 🚀');
  });

  it('gives every active run with all that belongs to it', async () => {
    const { runs } = await readAll(await open(path));
    const rows = rowsOf(
      path,
      `SELECT run_uuid, CAST(runs.experiment_id AS TEXT), runs.name, user_id, status, start_time,
         end_time, artifact_uri
       FROM runs JOIN experiments USING (experiment_id)
       WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'
       ORDER BY run_uuid`,
    );
    expect(runs.map(({ runId }) => runId)).toEqual(rows.map(([id]) => id));
    for (const [place, run] of runs.entries()) {
      const [id, experimentId, name, userId, status, startTime, endTime, artifactUri] =
        rows[place] ?? [];
      const of = (table: string) =>
        pairs(path, `SELECT key, value FROM ${table} WHERE run_uuid = ?`, id);
      const nameTag = run.tags.find(({ key }) => key === 'mlflow.runName')?.value;
      expect(run).toMatchObject({
        experimentId,
        status,
        startTime: startTime ?? 0,
        lifecycleStage: 'active',
        params: of('params'),
        tags: of('tags'),
      });
      expect(run.runName).toEqual(version === '1.28.0' ? nameTag : (set(name) ?? set(nameTag)));
      expect(run.userId).toEqual(set(userId));
      expect(run.endTime).toEqual(endTime ?? undefined);
      expect(run.artifactUri).toEqual(set(artifactUri));
      const metrics = rowsOf(
        path,
        'SELECT key, value, timestamp, step, is_nan FROM latest_metrics WHERE run_uuid = ?',
        id,
      ) as [string, number, number, number, number][];
      expect(run.metrics).toEqual(
        metrics
          .map(([key, value, timestamp, step, isNan]) => ({
            key,
            value: isNan === 1 ? NaN : value,
            timestamp,
            step,
          }))
          .sort(byKey),
      );
    }
    expect(runs.flatMap(({ metrics }) => metrics).some(({ value }) => Number.isNaN(value))).toBe(
      true,
    );
  });

  it('gives the datasets of runs, with the tags of their use', async () => {
    const { runs } = await readAll(await open(path));
    const used = runs.flatMap(({ runId, datasetInputs }) =>
      datasetInputs.map((input) => [runId, input.dataset.name, input.dataset.digest, input.tags]),
    );
    if (version === '1.28.0') {
      expect(used).toEqual([]);
      return;
    }
    const rows = rowsOf(
      path,
      `SELECT r.run_uuid, d.name, d.digest, i.input_uuid FROM runs AS r
       JOIN experiments AS e ON e.experiment_id = r.experiment_id AND e.lifecycle_stage = 'active'
       JOIN inputs AS i ON i.destination_id = r.run_uuid AND i.destination_type = 'RUN'
       JOIN datasets AS d ON d.dataset_uuid = i.source_id AND i.source_type = 'DATASET'
       WHERE r.lifecycle_stage = 'active' ORDER BY 1, 2, 3`,
    ).map(([runId, name, digest, inputId]) => [
      runId,
      name,
      digest,
      pairs(path, 'SELECT name, value FROM input_tags WHERE input_uuid = ?', inputId),
    ]);
    expect(rows.length).toBeGreaterThan(10);
    expect(used).toEqual(rows);
  });

  it('gives models and versions, but no prompt and nothing deleted', async () => {
    const { registeredModels, modelVersions } = await readAll(await open(path));
    const notPrompt = `name NOT IN (SELECT name FROM registered_model_tags
      WHERE key = 'mlflow.prompt.is_prompt' AND value = 'true')`;
    const models = rowsOf(path, `SELECT name FROM registered_models WHERE ${notPrompt} ORDER BY 1`);
    expect(registeredModels.map(({ name }) => name)).toEqual(models.map(([name]) => name));
    const versions = rowsOf(
      path,
      `SELECT name, CAST(version AS TEXT), current_stage, run_id FROM model_versions
       WHERE ${notPrompt} AND current_stage <> 'Deleted_Internal' ORDER BY name, model_versions.version`,
    );
    expect(
      modelVersions.map((one) => [one.name, one.version, one.currentStage, one.runId ?? '']),
    ).toEqual(versions.map(([name, number, stage, runId]) => [name, number, stage, runId ?? '']));
    expect(modelVersions.every(({ aliases }) => aliases.length === 0)).toBe(true);
    for (const { name, tags, latestVersion, aliases } of registeredModels) {
      expect(tags).toEqual(
        pairs(path, 'SELECT key, value FROM registered_model_tags WHERE name = ?', name),
      );
      const numbers = modelVersions.filter((one) => one.name === name).map((one) => one.version);
      expect(latestVersion).toEqual(numbers.at(-1));
      if (name === 'many versions') expect(latestVersion).toBe('11');
      if (name === 'stages') {
        expect(aliases).toEqual(
          version === '1.28.0'
            ? []
            : [
                { alias: 'Under_score-1', version: '2' },
                { alias: 'alpha', version: '2' },
                { alias: 'champion', version: '1' },
                { alias: 'constructor', version: '2' },
                { alias: 'zeta', version: '2' },
              ],
        );
      }
    }
    for (const { name, version: number, tags } of modelVersions) {
      const sql = `SELECT key, value FROM model_version_tags WHERE version = ${number} AND name = ?`;
      expect(tags).toEqual(pairs(path, sql, name));
    }
  });

  it('gives the same whatever the sizes of pages', async () => {
    const expected = await readAll(await open(path));
    const pageSize = fc.integer({ min: 1, max: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          experimentsPageSize: pageSize,
          runsPageSize: pageSize,
          modelsPageSize: pageSize,
          versionsPageSize: pageSize,
        }),
        async (sizes) => {
          const store = await open(path, sizes);
          for await (const page of store.runs(expected.experiments.map((e) => e.experimentId))) {
            expect(page.items.length).toBeLessThanOrEqual(sizes.runsPageSize);
          }
          expect(await readAll(store)).toEqual(expected);
          await store.close();
        },
      ),
      { numRuns: 8 },
    );
  });

  it('finds runs by id, deleted ones too', async () => {
    const store = await open(path, { runsPageSize: 4 });
    const rows = rowsOf(path, 'SELECT run_uuid, lifecycle_stage FROM runs');
    const ids = rows.map(([id]) => String(id));
    const { items } = await store.runsById([...ids, 'unknown', ...ids]);
    expect(items.map(({ runId, lifecycleStage }) => [runId, lifecycleStage]).sort()).toEqual(
      rows.map((row) => [...row]).sort(),
    );
    const { runs } = await readAll(store);
    const found = new Map(items.map((run) => [run.runId, run]));
    for (const run of runs) expect(found.get(run.runId)).toEqual(run);
    expect(await store.runsById([])).toEqual({ items: [], rejected: [] });
  });

  it('gives the runs of the experiments asked for, and of no other', async () => {
    const store = await open(path);
    const all = (await readAll(store)).runs;
    const only = await collect(store.runs(['1', '99999', 'not a number', '']));
    expect(only.length).toBeGreaterThan(0);
    expect(only).toEqual(all.filter(({ experimentId }) => experimentId === '1'));
    expect(await collect(store.runs([]))).toEqual([]);
  });
});
