/**
 * A store that is read with filters gives what it would if all that they leave out had been deleted.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FilterRules } from '../../../src/mlflow/filter/rules.js';
import { runKey } from '../../../src/mlflow/record-key.js';
import { RECORD_KINDS, type MlflowRecord } from '../../../src/mlflow/records.js';
import { readMlflow } from '../../../src/sources/mlflow-reader.js';
import { openRestStore } from '../../../src/sources/rest/rest-store.js';
import { readWorkspaces } from '../../../src/sources/workspaces.js';
import { runContext } from '../../../src/testing/run-context.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import {
  DELETED_RUN_ID,
  sampleContent,
  sampleRunId,
  startMlflowServer,
  type Flavour,
  type ServerContent,
} from '../../support/mlflow-server.js';
import { datasetsIn, recordsOf, runsIn } from '../mlflow-reader/reading.js';
import { openStore, testContext } from '../rest/open-store.js';
import { open as openDatabase } from '../sqlite/reading.js';
import { withCopyIn } from '../workspaces/support.js';
import { comparable, contents, filters, NOW, without } from './cases.js';

const KINDS = new Set(RECORD_KINDS);

async function overRest(content: ServerContent, flavour: Flavour, given?: readonly FilterRules[]) {
  const server = await startMlflowServer({ flavour, content });
  try {
    const context = testContext({ startedAt: NOW });
    const options = { uri: server.uri, runsPageSize: 7, versionsPageSize: 5, modelsPageSize: 2 };
    const source = readMlflow(await openRestStore(options, context), context);
    const plan = { kinds: KINDS, ...(given === undefined ? {} : { filters: given }) };
    const records: MlflowRecord[] = await recordsOf(source.read(plan));
    await source.close();
    const uri = JSON.stringify(server.uri).slice(1, -1);
    return comparable(records).map((text) => text.replaceAll(uri, 'URI'));
  } finally {
    await server.close();
  }
}

const some = [{ experiments: { names: ['experiment 1'] }, runs: { statuses: ['FINISHED'] } }];

describe('a filtered reading', () => {
  it('over REST is that of a store without what is left out', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        filters,
        fc.constantFrom('1.28.0' as const, '2.22.5' as const, '3.17.2' as const),
        async (content, given, flavour) => {
          if (flavour === '1.28.0') {
            // Which tells neither.
            for (const experiment of content.experiments) delete experiment.creation_time;
            for (const model of content.registeredModels) model.aliases = [];
          }
          const expected = await overRest(without(content, given), flavour);
          expect(await overRest(content, flavour, given)).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('asks for no run of an experiment that is left out, and says what was read and left out', async () => {
    const { store, context, asked } = await openStore({
      content: sampleContent({ experiments: 3, runsPerExperiment: 8, models: 0 }),
    });
    const source = readMlflow(store, context);
    const records = await recordsOf(source.read({ kinds: KINDS, filters: some }));
    expect(asked('runs/search').map(({ body }) => body['experiment_ids'])).toEqual([['1']]);
    expect(runsIn(records)).toEqual([sampleRunId(0), sampleRunId(4)]);
    expect(context.recorder.counts().skipped).toMatchObject({
      'experiment: left out by experiments.names': 2,
    });
    expect(context.recorder.counts().read).toMatchObject({ experiment: 1, run: 2 });
  });

  it('describes a dataset by the last of the runs that stay', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 8 });
    for (const { info, inputs } of content.runs) {
      for (const { dataset } of inputs?.dataset_inputs ?? []) dataset['digest'] = info.run_id;
    }
    const { store, context } = await openStore({ content });
    const records = await recordsOf(
      readMlflow(store, context).read({ kinds: KINDS, filters: some }),
    );
    expect(datasetsIn(records).map(({ uses }) => uses.at(-1)?.runId)).toEqual([sampleRunId(4)]);
  });

  it('names what it leaves out where earlier sweeps are remembered, and nowhere else', async () => {
    const { store, context } = await openStore({ content: sampleContent({ experiments: 2 }) });
    const source = readMlflow(store, context);
    const leftOut = async (memory?: SweepMemory) => {
      const plan = { kinds: KINDS, filters: [{ ...some[0], models: { names: ['model 1'] } }] };
      const keys: string[] = [];
      const pages = source.read({ ...plan, ...(memory === undefined ? {} : { memory }) });
      for await (const page of pages) keys.push(...(page.leftOut ?? []));
      return keys.sort();
    };
    expect(await leftOut()).toEqual([]);
    const memory = new SweepMemory();
    memory.begin();
    expect(await leftOut(memory)).toEqual(
      expect.arrayContaining([
        'experiment 2',
        'model model 2',
        'version 1 model 2',
        'version 2 model 2',
        'version 3 model 2',
      ]),
    );
  });

  it('is of each workspace', async () => {
    const store = await openDatabase(withCopyIn('team-a'));
    const source = await readWorkspaces(store, '*', runContext());
    const all = await recordsOf(source.read({ kinds: KINDS }));
    const named = all.find(({ kind }) => kind === 'experiment');
    if (named?.kind !== 'experiment') throw new Error('the fixture has no experiment');
    const { name } = named.experiment;
    const kept = await recordsOf(
      source.read({
        kinds: KINDS,
        filters: [{ experiments: { names: [name.replace(/[^\p{L}\p{N}]/gu, '.')] } }],
      }),
    );
    const places = kept.flatMap((record) =>
      record.kind === 'experiment' ? [record.server.workspace ?? 'default'] : [],
    );
    expect(places).toEqual(['default', 'team-a']);
    expect(kept.length).toBeLessThan(all.length);
    await source.close();
  });
});

describe('what is missed where filters are', () => {
  it('is gone if it is there and left out, or deleted, and stays where nobody can say', async () => {
    const content = sampleContent({ experiments: 2, runsPerExperiment: 4 });
    const { store, context, server } = await openStore({ content });
    const source = readMlflow(store, context);
    await recordsOf(source.read({ kinds: KINDS, filters: some }));
    const kept = runKey(sampleRunId(0));
    const leftOut = [runKey(sampleRunId(1)), runKey(sampleRunId(5))];
    const deleted = runKey(DELETED_RUN_ID);
    expect(await source.findGone?.([kept, ...leftOut, deleted, 'experiment 1'])).toEqual(
      new Set([...leftOut, deleted]),
    );
    await server.close();
    expect(await source.findGone?.([kept, ...leftOut])).toEqual(new Set());
    const { warnings } = context.recorder.counts();
    expect(warnings.map(({ code }) => code)).toContain('LEFT_OUT_NOT_CONFIRMED');
  });
});
