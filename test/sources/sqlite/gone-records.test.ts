import { describe, expect, it } from 'vitest';
import {
  experimentKey,
  modelKey,
  runKey,
  versionKey,
  type RecordKey,
} from '../../../src/mlflow/record-key.js';
import { openSqliteStore } from '../../../src/sources/sqlite/sqlite-store.js';
import { runContext } from '../../../src/testing/run-context.js';
import {
  change,
  copyOf,
  MLFLOW_VERSIONS,
  valueOf,
  writerOf,
} from '../../support/mlflow-database.js';
import { open, readAll } from './reading.js';

describe.each(MLFLOW_VERSIONS)('what is gone from a database of MLflow %s', (version) => {
  it('is nothing of what can be read', async () => {
    const store = await open(copyOf(version));
    const all = await readAll(store);
    const keys: RecordKey[] = [
      ...all.experiments.map(({ experimentId }) => experimentKey(experimentId)),
      ...all.runs.map(({ runId }) => runKey(runId)),
      ...all.registeredModels.map(({ name }) => modelKey(name)),
      ...all.modelVersions.map((one) => versionKey(one.name, one.version)),
    ];
    expect(keys.length).toBeGreaterThan(50);
    expect(await store.findGone(keys)).toEqual(new Set());
    expect(await store.findGone([])).toEqual(new Set());
  });

  it('is what is deleted or not known, and runs of deleted experiments', async () => {
    const path = copyOf(version);
    const run = (condition: string) =>
      String(valueOf(path, `SELECT min(run_uuid) FROM runs WHERE lifecycle_stage = ${condition}`));
    const lost = run(`'active' AND experiment_id = 1`);
    const kept = run(`'active' AND experiment_id IN
      (SELECT experiment_id FROM experiments WHERE lifecycle_stage = 'active' AND experiment_id <> 1)`);
    const deleted = run(`'deleted'`);
    change(
      path,
      // Of a store whose runs are not marked with their experiment.
      `UPDATE experiments SET lifecycle_stage = 'deleted' WHERE experiment_id = 1`,
      `UPDATE model_versions SET current_stage = 'Deleted_Internal' WHERE name = 'stages' AND version = 1`,
      `DELETE FROM registered_models WHERE name = 'many versions'`,
      `DELETE FROM model_versions WHERE name = 'many versions'`,
    );
    const store = await open(path);
    const gone: RecordKey[] = [
      'experiment 1',
      'experiment 424242',
      runKey(lost),
      runKey(deleted),
      runKey('f'.repeat(32)),
      modelKey('many versions'),
      modelKey("it's none"),
      versionKey('stages', '1'),
      versionKey('stages', '77'),
      versionKey('many versions', '1'),
    ];
    const there: RecordKey[] = [
      'experiment 0',
      runKey(kept),
      modelKey('stages'),
      versionKey('stages', '2'),
      // Never said of what the database may have under another name.
      'experiment no number',
      modelKey('a \uFFFD b'),
      modelKey('a \0 b'),
      versionKey('stages', '9'.repeat(30)),
    ];
    expect(await store.findGone([...there, ...gone])).toEqual(new Set(gone));
  });

  it('is not said while the database is locked, and an abort ends the asking', async () => {
    const path = copyOf(version);
    const controller = new AbortController();
    const context = runContext({ signal: controller.signal });
    const store = await openSqliteStore({ path, lockTimeoutMs: 0 }, context);
    const writer = writerOf(path);
    writer.exec('BEGIN EXCLUSIVE');
    expect(await store.findGone(['experiment 424242'])).toEqual(new Set());
    expect(context.recorder.counts().warnings).toMatchObject([
      { code: 'GONE_NOT_CONFIRMED', count: 1 },
    ]);
    writer.exec('COMMIT');
    expect(await store.findGone(['experiment 424242'])).toEqual(new Set(['experiment 424242']));
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(store.findGone(['experiment 424242'])).rejects.toBe(reason);
    await store.close();
  });
});

describe('what is gone from a database with workspaces', () => {
  it('includes what stands in another one', async () => {
    const path = copyOf('3.17.2');
    change(
      path,
      `UPDATE experiments SET workspace = 'other' WHERE experiment_id = 1`,
      `UPDATE registered_models SET workspace = 'other' WHERE name = 'stages'`,
      `UPDATE model_versions SET workspace = 'other' WHERE name = 'stages'`,
    );
    const store = await open(path);
    const keys: RecordKey[] = ['experiment 1', modelKey('stages'), versionKey('stages', '2')];
    expect(await store.findGone(keys)).toEqual(new Set(keys));
  });
});
