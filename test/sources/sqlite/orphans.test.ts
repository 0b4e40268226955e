import { expect, it } from 'vitest';
import { Recorder } from '../../../src/stream/recorder.js';
import { runContext } from '../../../src/testing/run-context.js';
import { change, copyOf, MLFLOW_VERSIONS, valueOf } from '../../support/mlflow-database.js';
import { open, readAll } from './reading.js';

const ACTIVE = `lifecycle_stage = 'active'`;
const inExperiment = (id: number) =>
  `SELECT count(*) FROM runs WHERE ${ACTIVE} AND experiment_id = ${id}`;

async function warningsOf(path: string) {
  const recorder = new Recorder();
  const everything = await readAll(await open(path, {}, { ...runContext(), recorder }));
  return { everything, ...recorder.counts() };
}

it.each(MLFLOW_VERSIONS)(
  'warns of runs of MLflow %s whose experiment is missing',
  async (version) => {
    const path = copyOf(version);
    const before = (await warningsOf(path)).everything;
    const id = Number(valueOf(path, `SELECT min(experiment_id) FROM runs WHERE ${ACTIVE}`));
    const gone = Number(valueOf(path, inExperiment(id)));
    expect(gone).toBeGreaterThan(0);
    change(path, `DELETE FROM experiments WHERE experiment_id = ${id}`);

    const { everything, skipped, warnings } = await warningsOf(path);
    expect(everything.runs).toHaveLength(before.runs.length - gone);
    expect(skipped).toMatchObject({ 'runs whose experiment is missing': gone });
    expect(warnings.filter(({ code }) => code === 'RUNS_WITHOUT_EXPERIMENT')).toEqual([
      {
        code: 'RUNS_WITHOUT_EXPERIMENT',
        message: expect.stringContaining('whose experiment has no row') as string,
        count: 1,
        examples: [`${gone} of experiment ${id}`],
      },
    ]);
  },
);

it('says how many, and counts one without any experiment id too', async () => {
  const path = copyOf('2.22.5');
  change(
    path,
    `INSERT INTO runs(run_uuid, lifecycle_stage, experiment_id) VALUES
     ('one', 'active', 7777), ('two', 'active', 7777), ('three', 'active', NULL),
     ('deleted', 'deleted', 7777)`,
  );
  const { skipped, warnings } = await warningsOf(path);
  expect(skipped).toEqual({ 'runs whose experiment is missing': 3 });
  expect(warnings).toMatchObject([
    { count: 2, examples: ['1 of experiment NULL', '2 of experiment 7777'] },
  ]);
});

it('takes a deleted experiment for what it is, and warns of nothing', async () => {
  const path = copyOf('2.22.5');
  change(path, `UPDATE experiments SET lifecycle_stage = 'deleted'`);
  const { everything, skipped, warnings } = await warningsOf(path);
  expect(everything.runs).toEqual([]);
  expect(skipped).toEqual({});
  expect(warnings).toEqual([]);
});
