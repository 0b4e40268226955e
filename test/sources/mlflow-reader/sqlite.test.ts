import { describe, expect, it } from 'vitest';
import { RECORD_KINDS, type MlflowRecord } from '../../../src/mlflow/records.js';
import { readMlflow } from '../../../src/sources/mlflow-reader.js';
import { runContext } from '../../../src/testing/run-context.js';
import { change, copyOf, valueOf } from '../../support/mlflow-database.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import { open as openDatabase } from '../sqlite/reading.js';
import { datasetsIn, recordsOf, runsIn, sorted, versionsIn } from './reading.js';

/** 500 runs that started together, in experiment 1. */
const BURST = `
  WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
  INSERT INTO runs(run_uuid, name, source_type, user_id, status, start_time, lifecycle_stage,
    artifact_uri, experiment_id)
  SELECT printf('%03d', n) || 'burst', '', 'LOCAL', '', 'FINISHED', 5000, 'active', '', 1
  FROM numbers`;

async function opened(path: string) {
  const store = await openDatabase(path, { runsPageSize: 60 });
  const source = readMlflow(store, runContext());
  return (memory?: SweepMemory) =>
    source.read({ kinds: new Set(RECORD_KINDS), ...(memory === undefined ? {} : { memory }) });
}

describe('a database', () => {
  it('is gone on with wherever a sweep broke off, whatever the number that started together', async () => {
    const path = copyOf('3.17.2');
    change(path, BURST);
    const pages = await opened(path);
    const whole = await recordsOf(pages());
    expect(runsIn(whole).length).toBeGreaterThan(500);
    for (let cut = 0; cut < 16; cut += 1) {
      const memory = new SweepMemory();
      memory.begin();
      const before = await memory.deliver(pages(memory), cut);
      const after = await memory.deliver(pages(memory));
      expect([...runsIn(before), ...runsIn(after)].sort()).toEqual(runsIn(whole));
      expect([...versionsIn(before), ...versionsIn(after)].sort()).toEqual(versionsIn(whole));
      expect(datasetsIn(after)).toEqual(datasetsIn(whole));
      expect(new Set(sorted([...before, ...after]))).toEqual(new Set(sorted(whole)));
    }
  });

  it('loses no run of an experiment that was made while the run was down', async () => {
    const path = copyOf('2.22.5');
    change(path, BURST);
    const pages = await opened(path);
    const memory = new SweepMemory();
    memory.begin();
    const before = await memory.deliver(pages(memory), 8);
    expect(memory.positions.size).toBe(1);
    change(
      path,
      `INSERT INTO experiments(experiment_id, name, lifecycle_stage) VALUES (900, 'late', 'active')`,
      // By their ids before the position.
      `UPDATE runs SET experiment_id = 900 WHERE run_uuid = '500burst'`,
      `INSERT INTO runs(run_uuid, status, start_time, lifecycle_stage, experiment_id)
       VALUES ('000', 'FINISHED', 9000, 'active', 900)`,
    );
    const after = await memory.deliver(pages(memory));
    expect([...runsIn(before), ...runsIn(after)].sort()).toEqual(runsIn(await recordsOf(pages())));
  });

  it('is looked back on: runs since, runs that had not ended, runs of what changed', async () => {
    const path = copyOf('3.17.2');
    const idOf = (condition: string) =>
      String(valueOf(path, `SELECT run_uuid FROM runs WHERE ${condition} ORDER BY run_uuid`));
    const active = `lifecycle_stage = 'active' AND experiment_id IN
      (SELECT experiment_id FROM experiments WHERE lifecycle_stage = 'active')`;
    const ofVersion = `run_uuid IN (SELECT run_id FROM model_versions
      WHERE current_stage <> 'Deleted_Internal' AND run_id IS NOT NULL)`;
    const touched = idOf(`${active} AND ${ofVersion}`);
    const running = idOf(`${active} AND NOT ${ofVersion}`);
    const late = idOf(`${active} AND NOT ${ofVersion} AND run_uuid <> '${running}'`);
    change(
      path,
      `UPDATE runs SET status = 'FINISHED', start_time = 1000`,
      `UPDATE runs SET status = 'RUNNING' WHERE run_uuid = '${running}'`,
    );
    const pages = await opened(path);
    const memory = new SweepMemory();
    memory.begin();
    const whole = await memory.deliver(pages(memory));
    memory.complete();
    memory.begin(2_000);
    change(
      path,
      `UPDATE model_versions SET description = 'edited' WHERE run_id = '${touched}'`,
      `UPDATE runs SET start_time = 3000 WHERE run_uuid = '${late}'`,
    );
    const records: MlflowRecord[] = await memory.deliver(pages(memory));
    expect(runsIn(records)).toEqual([touched, running, late].sort());
    const versions = whole.flatMap((record) =>
      record.kind === 'modelVersion' && record.run?.runId === touched
        ? [`${record.version.name}/${record.version.version}`]
        : [],
    );
    expect(versions.length).toBeGreaterThan(0);
    expect(versionsIn(records)).toEqual(versions.sort());
  });
});
