import { describe, expect, it } from 'vitest';
import { runKey, versionKey } from '../../../src/mlflow/record-key.js';
import type { MlflowRecord, RecordKind } from '../../../src/mlflow/records.js';
import { UNCHANGED_VERSION } from '../../../src/sources/mlflow-reader/reading-with-memory.js';
import {
  DELETED_RUN_ID,
  sampleContent,
  sampleRunId,
  type ServerContent,
} from '../../support/mlflow-server.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import {
  datasetsIn,
  ended,
  opened,
  pathsOf,
  range,
  recordsOf,
  runOf,
  runsIn,
  startOf,
  versionsIn,
  type Setting,
} from './reading.js';

describe('a lookback', () => {
  /** The first sweep is over; runs from the place named on are those that the lookback reads. */
  async function after(content: ServerContent, place: number, setting: Setting = {}) {
    const { pages, requestsOf, skipped } = await opened(content, setting);
    const memory = new SweepMemory();
    memory.begin();
    const whole = await memory.deliver(pages(memory));
    memory.complete();
    memory.begin(runOf(content, place).start_time);
    const named = new Set<string>();
    const sweep = async (): Promise<MlflowRecord[]> => {
      const records: MlflowRecord[] = [];
      for await (const page of pages(memory)) {
        memory.confirm(page);
        memory.moveTo(page);
        records.push(...page.records);
        for (const key of page.unchanged ?? []) named.add(key);
      }
      return records;
    };
    return { memory, sweep, requestsOf, skipped, whole, named, pages };
  }

  it('reads the runs since, and no other where nothing else has changed', async () => {
    const content = ended(sampleContent({ experiments: 4, runsPerExperiment: 50, models: 4 }));
    const { sweep, requestsOf, skipped, whole, named } = await after(content, 190);
    let records: MlflowRecord[] = [];
    const requests = await requestsOf(async () => {
      records = await sweep();
    });
    expect(runsIn(records)).toEqual(Array.from({ length: 10 }, (_, at) => sampleRunId(190 + at)));
    expect(pathsOf(requests).sort()).toEqual([
      'experiments/search',
      'model-versions/search',
      'registered-models/search',
      'runs/search',
      'runs/search',
    ]);
    expect(
      requests
        .filter(({ endpoint }) => endpoint === 'runs/search')
        .every(
          ({ body }) => body['filter'] === `attributes.start_time >= ${startOf(content, 190)}`,
        ),
    ).toBe(true);
    expect(versionsIn(records)).toEqual([]);
    expect([...named].sort()).toEqual(
      content.modelVersions.map(({ name, version }) => versionKey(name, version)).sort(),
    );
    expect(skipped()[UNCHANGED_VERSION]).toBe(12);
    expect(datasetsIn(records)).toEqual(datasetsIn(whole));
    const others = (of: readonly MlflowRecord[]) =>
      of.filter(({ kind }) => ['server', 'experiment', 'registeredModel'].includes(kind));
    expect(others(records)).toEqual(others(whole));
  });

  it.each(['1.28.0', '2.22.5', '3.17.2'] as const)('works with %s', async (flavour) => {
    const content = ended(sampleContent({ experiments: 2, runsPerExperiment: 6 }), 1);
    const { sweep } = await after(content, 9, { flavour });
    content.modelVersions.push({ name: 'model 1', version: '4', run_id: sampleRunId(3) });
    const records = await sweep();
    expect(runsIn(records)).toEqual([1, 3, 9, 10, 11].map(sampleRunId));
  });

  it('reads runs that had not ended, until they have', async () => {
    const content = ended(sampleContent({ experiments: 2, runsPerExperiment: 50 }), 3, 7);
    const { memory, sweep, requestsOf } = await after(content, 90);
    runOf(content, 3).status = 'FINISHED';
    let records: MlflowRecord[] = [];
    const requests = await requestsOf(async () => {
      records = await sweep();
    });
    expect(runsIn(records).slice(0, 2)).toEqual([sampleRunId(3), sampleRunId(7)]);
    expect(runsIn(records)).toHaveLength(12);
    // Both in one request, and 2.22 has an empty page behind a full one.
    expect(pathsOf(requests).filter((path) => path === 'runs/search')).toHaveLength(2 + 2);
    memory.complete();
    memory.begin(startOf(content, 90));
    expect(runsIn(await sweep()).slice(0, 2)).toEqual([sampleRunId(7), sampleRunId(90)]);
  });

  it('reads the run of a new version, of one with another alias, and of one that is gone', async () => {
    const content = ended(
      sampleContent({ experiments: 2, runsPerExperiment: 50, models: 1, versionsPerModel: 6 }),
    );
    for (const [index, version] of content.modelVersions.entries()) {
      version.run_id = sampleRunId(index * 2);
    }
    const { memory, sweep, named } = await after(content, 90);
    content.modelVersions.push({ name: 'model 1', version: '7', run_id: sampleRunId(20) });
    // The alias moves from 6 to 1: both have changed.
    const [model] = content.registeredModels;
    if (model !== undefined) model.aliases = [{ alias: 'champion', version: '1' }];
    content.modelVersions.splice(2, 1); // version 3, of run 4
    const records = await sweep();
    expect(runsIn(records).slice(0, 4)).toEqual([0, 4, 10, 20].map(sampleRunId));
    expect(runsIn(records)).toHaveLength(14);
    expect(versionsIn(records)).toEqual(['model 1/1', 'model 1/6', 'model 1/7']);
    const [of4] = records.filter(
      (record) => record.kind === 'run' && record.run.runId === sampleRunId(4),
    );
    expect(of4).toMatchObject({ versions: [] });
    const of0 = records.find(
      (record) => record.kind === 'run' && record.run.runId === sampleRunId(0),
    );
    expect(of0).toMatchObject({ versions: [{ version: '1', aliases: ['champion'] }] });
    expect([...named].sort()).toEqual(
      ['2', '4', '5'].map((version) => versionKey('model 1', version)),
    );
    memory.complete();
    memory.begin(startOf(content, 90));
    expect(versionsIn(await sweep())).toEqual([]);
  });

  it('gives a touched run all of its versions, the unchanged ones too', async () => {
    const content = ended(
      sampleContent({ experiments: 1, runsPerExperiment: 9, models: 3, versionsPerModel: 300 }),
    );
    for (const version of content.modelVersions) version.run_id = sampleRunId(2);
    const { sweep } = await after(content, 8);
    // The last by name: the others have been passed as unchanged by then.
    content.modelVersions.push({ name: 'model 3', version: '301', run_id: sampleRunId(2) });
    const records = await sweep();
    expect(runsIn(records)).toEqual([sampleRunId(2), sampleRunId(8)]);
    const run = records.find(
      (record) => record.kind === 'run' && record.run.runId === sampleRunId(2),
    );
    expect(run?.kind === 'run' && run.versions.length).toBe(901);
    expect(new Set(versionsIn(records)).size).toBe(901);
    expect(versionsIn(records)).toHaveLength(901);
  });

  it('looks up many touched runs in few requests', async () => {
    const content = ended(
      sampleContent({ experiments: 3, runsPerExperiment: 400, models: 1, versionsPerModel: 1 }),
    );
    const { sweep, requestsOf } = await after(content, 1_190, { runsPageSize: 1_000 });
    for (let at = 0; at < 900; at += 1) {
      content.modelVersions.push({
        name: 'model 1',
        version: String(at + 2),
        run_id: sampleRunId(at),
      });
    }
    let records: MlflowRecord[] = [];
    const requests = await requestsOf(async () => {
      records = await sweep();
    });
    expect(runsIn(records)).toHaveLength(910);
    const lookups = requests.filter(
      ({ endpoint, body }) =>
        endpoint === 'runs/search' && String(body['filter']).includes(' IN ('),
    );
    // 2.22 has an empty page behind each full one.
    expect(lookups.length).toBeLessThanOrEqual(4);
  });

  it('reads all runs of an experiment that was renamed, and of a new one', async () => {
    const content = ended(sampleContent({ experiments: 4, runsPerExperiment: 20 }), 21);
    const [, renamed, , later] = content.experiments;
    if (renamed === undefined || later === undefined) throw new Error('no experiments');
    content.experiments = content.experiments.filter((one) => one !== later);
    const { memory, pages, requestsOf } = await after(content, 55);
    renamed.name = 'renamed';
    content.experiments.push(later);
    let records: MlflowRecord[] = [];
    // Nothing is confirmed while the pages are read.
    const requests = await requestsOf(async () => {
      records = await recordsOf(pages(memory));
    });
    const expected = [...range(20, 40), ...range(55, 60), ...range(60, 80)];
    expect(runsIn(records)).toEqual(expected.map(sampleRunId));
    const run = records.find(
      (record) => record.kind === 'run' && record.run.runId === sampleRunId(20),
    );
    expect(run).toMatchObject({ experiment: { experimentId: '2', name: 'renamed' } });
    const searches = requests
      .filter(({ endpoint }) => endpoint === 'runs/search')
      .map(({ body }) => [body['experiment_ids'], body['filter']]);
    const since = `attributes.start_time >= ${startOf(content, 55)}`;
    expect(searches.slice(0, 4)).toEqual([
      [['2'], undefined],
      [['4'], undefined],
      [['1'], since],
      [['3'], since],
    ]);
    // Run 21 had not ended: it is looked up, and not given again.
    expect(searches.slice(4).every(([, filter]) => String(filter).includes(sampleRunId(21)))).toBe(
      true,
    );
    expect(searches.length).toBeGreaterThan(4);
  });

  it('passes over runs that were deleted, and those of deleted experiments', async () => {
    const content = ended(sampleContent({ experiments: 3, runsPerExperiment: 20 }), 2, 22);
    const { sweep } = await after(content, 50);
    runOf(content, 2).lifecycle_stage = 'deleted';
    const [, second] = content.experiments;
    if (second !== undefined) second.lifecycle_stage = 'deleted';
    content.modelVersions.push(
      { name: 'model 1', version: '8', run_id: sampleRunId(2) },
      { name: 'model 1', version: '9', run_id: sampleRunId(23) },
      { name: 'model 1', version: '10', run_id: 'f'.repeat(32) },
      { name: 'model 1', version: '11' },
    );
    const records = await sweep();
    expect(runsIn(records)).toEqual(range(50, 60).map(sampleRunId));
    // The versions are there, with what is known of the runs.
    const versions = records.flatMap((record) =>
      record.kind === 'modelVersion' ? [[record.version.version, record.run?.runId]] : [],
    );
    expect(versions).toEqual([
      ['8', sampleRunId(2)],
      ['9', sampleRunId(23)],
      ['10', undefined],
      ['11', undefined],
    ]);
  });

  it('does not look up the deleted runs of unchanged versions', async () => {
    const content = ended(sampleContent({ experiments: 2, runsPerExperiment: 20 }));
    expect(content.modelVersions[0]?.run_id).toBe(DELETED_RUN_ID);
    const { sweep, requestsOf } = await after(content, 30);
    const requests = await requestsOf(sweep);
    expect(requests.some(({ body }) => String(body['filter']).includes(' IN ('))).toBe(false);
  });

  it('lets the latest use describe a dataset, also of a run that is not read now', async () => {
    const content = ended(sampleContent({ experiments: 2, runsPerExperiment: 20, models: 0 }));
    const describe = (index: number, name: string, digest: string) => {
      const [use] = content.runs[index]?.inputs?.dataset_inputs ?? [];
      if (use === undefined) throw new Error('no dataset');
      Object.assign(use.dataset, { name, digest });
    };
    for (let index = 0; index < 40; index += 1) describe(index, 'both', `early ${index}`);
    describe(25, 'old only', 'x');
    const { sweep } = await after(content, 35);
    const digests = (records: readonly MlflowRecord[]) =>
      records.flatMap((record) =>
        record.kind === 'dataset'
          ? [[record.name, record.uses.map(({ input }) => input.dataset.digest)]]
          : [],
      );
    describe(39, 'new', 'y');
    expect(digests(await sweep())).toEqual([
      ['both', ['early 38']],
      ['new', ['y']],
      ['old only', ['x']],
    ]);
  });

  it('goes on where it broke off, and does not look up again what it has delivered', async () => {
    const content = ended(sampleContent({ experiments: 3, runsPerExperiment: 20 }), 1, 4, 22);
    const setting = { runsPageSize: 4, experimentsPerSearch: 1 };
    const whole = await (await after(content, 45, setting)).sweep();
    for (let cut = 0; cut < 12; cut += 1) {
      const { memory, pages } = await after(content, 45, setting);
      const before = await memory.deliver(pages(memory), cut);
      const later = await memory.deliver(pages(memory));
      expect([...runsIn(before), ...runsIn(later)].sort()).toEqual(runsIn(whole));
      expect(datasetsIn(later)).toEqual(datasetsIn(whole));
    }
    const { memory, pages, requestsOf, sweep } = await after(content, 45, setting);
    await memory.deliver(pages(memory));
    expect(memory.delivered([runKey(sampleRunId(4))]).size).toBe(1);
    const requests = await requestsOf(sweep);
    expect(requests.some(({ body }) => String(body['filter']).includes(' IN ('))).toBe(false);
  });

  it('reads an experiment that was renamed after it broke off from its start', async () => {
    const content = ended(sampleContent({ experiments: 2, runsPerExperiment: 20, models: 0 }));
    const { memory, pages } = await after(content, 30, { runsPageSize: 2 });
    await memory.deliver(pages(memory), 4);
    expect([...memory.positions.keys()]).toEqual(['since 2']);
    const [, second] = content.experiments;
    if (second !== undefined) second.name = 'renamed';
    const records = await memory.deliver(pages(memory));
    // Also those that were delivered already, by the wrong name.
    expect(runsIn(records)).toEqual(range(20, 40).map(sampleRunId));
  });

  it('reads models and versions alone where the plan says so', async () => {
    const kinds: ReadonlySet<RecordKind> = new Set(['server', 'registeredModel', 'modelVersion']);
    const content = ended(sampleContent({ experiments: 2, runsPerExperiment: 20 }));
    const { sweep, requestsOf } = await after(content, 30, { kinds });
    content.modelVersions.push({ name: 'model 1', version: '4', run_id: sampleRunId(3) });
    let records: MlflowRecord[] = [];
    const requests = await requestsOf(async () => {
      records = await sweep();
    });
    expect(versionsIn(records)).toEqual(['model 1/4']);
    expect(records.at(-1)).toMatchObject({ kind: 'modelVersion', run: { runId: sampleRunId(3) } });
    expect(pathsOf(requests)).toEqual([
      'registered-models/search',
      'model-versions/search',
      'runs/search',
      'runs/search', // 2.22 has an empty page behind a full one
    ]);
  });
});
