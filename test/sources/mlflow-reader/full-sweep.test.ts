import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import {
  DELIVERED_RUN,
  DELIVERED_VERSION,
} from '../../../src/sources/mlflow-reader/reading-with-memory.js';
import type { Page } from '../../../src/stream/contracts.js';
import { sampleContent, sampleRunId, type LoggedRequest } from '../../support/mlflow-server.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import { datasetsIn, opened, recordsOf, runOf, runsIn, sorted, versionsIn } from './reading.js';

describe('a sweep over everything', () => {
  it('asks for and gives the same with an empty memory as without one', async () => {
    const content = sampleContent({ experiments: 5, runsPerExperiment: 7, models: 3 });
    for (const flavour of ['1.28.0', '2.22.5', '3.17.2'] as const) {
      const setting = { flavour, runsPageSize: 3, versionsPageSize: 4, experimentsPerSearch: 2 };
      const { pages, requestsOf, skipped } = await opened(content, setting);
      const memory = new SweepMemory();
      memory.begin();
      await recordsOf(pages()); // the list of all experiments is asked for but once
      let plain: MlflowRecord[] = [];
      let remembered: MlflowRecord[] = [];
      const bodies = (requests: readonly LoggedRequest[]) =>
        requests.map(({ method, path, query, body }) => [method, path, String(query), body]);
      const without = await requestsOf(async () => {
        plain = await recordsOf(pages());
      });
      const withMemory = await requestsOf(async () => {
        remembered = await recordsOf(pages(memory));
      });
      expect(remembered).toEqual(plain);
      expect(bodies(withMemory)).toEqual(bodies(without));
      expect(skipped()).toEqual({});
    }
  });

  it('has no positions and names nothing unchanged without a memory', async () => {
    const { pages } = await opened(sampleContent());
    for await (const page of pages()) {
      expect(Object.keys(page).sort()).toEqual(['records', 'rejected']);
    }
  });

  it('gives everything again the next time', async () => {
    const { pages, skipped } = await opened(sampleContent());
    const memory = new SweepMemory();
    memory.begin();
    const first = await memory.deliver(pages(memory));
    memory.complete();
    memory.begin();
    expect(await memory.deliver(pages(memory))).toEqual(first);
    expect(skipped()).toEqual({});
  });
});

describe('a sweep that goes on', () => {
  const setting = { runsPageSize: 3, experimentsPerSearch: 1, modelsPageSize: 1 };

  it('gives what was not delivered, wherever it broke off', async () => {
    const content = sampleContent({ experiments: 3, runsPerExperiment: 7, models: 2 });
    // Runs of one page and the next that started together.
    for (const index of [1, 2, 3, 4]) runOf(content, index).start_time = 1_000;
    const { pages } = await opened(content, setting);
    const whole = await recordsOf(pages());
    const count = { pages: 0 };
    for await (const page of pages()) count.pages += page.rejected.length + 1;
    for (let cut = 0; cut < count.pages; cut += 1) {
      const memory = new SweepMemory();
      memory.begin();
      const before = await memory.deliver(pages(memory), cut);
      const after = await memory.deliver(pages(memory));
      const runs = [...runsIn(before), ...runsIn(after)].sort();
      expect(runs).toEqual(runsIn(whole));
      const versions = [...versionsIn(before), ...versionsIn(after)].sort();
      expect(versions).toEqual(versionsIn(whole));
      expect(datasetsIn(after)).toEqual(datasetsIn(whole));
      expect(new Set(sorted([...before, ...after]))).toEqual(new Set(sorted(whole)));
    }
  });

  it('gives what was not delivered, whichever pages were confirmed', async () => {
    const content = sampleContent({ experiments: 3, runsPerExperiment: 7, models: 2 });
    const { pages } = await opened(content, setting);
    const whole = await recordsOf(pages());
    for (let seed = 0; seed < 12; seed += 1) {
      const memory = new SweepMemory();
      memory.begin();
      const records: MlflowRecord[] = [];
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const cut = 6 + ((seed * 7 + attempt * 5) % 9);
        const isConfirmed = (place: number) => (place * 31 + seed * 17 + attempt) % 5 > 1;
        records.push(...(await memory.deliver(pages(memory), cut, isConfirmed)));
      }
      records.push(...(await memory.deliver(pages(memory))));
      // Nothing is missing, and no run came again that had been confirmed.
      expect(runsIn(records)).toEqual(runsIn(whole));
      expect(new Set(sorted(records))).toEqual(new Set(sorted(whole)));
    }
  });

  it('says what it left out, and asks for nothing before the position', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 12, models: 2 });
    const { pages, requestsOf, skipped } = await opened(content, { runsPageSize: 3 });
    const memory = new SweepMemory();
    memory.begin();
    // Server, experiments, models, three pages of runs.
    await memory.deliver(pages(memory), 6);
    expect(memory.positions).toEqual(
      new Map([
        ['rest 1', JSON.stringify({ experiments: ['1'], startTime: runOf(content, 8).start_time })],
      ]),
    );
    const requests = await requestsOf(() => memory.deliver(pages(memory)));
    const searches = requests.filter(({ endpoint }) => endpoint === 'runs/search');
    expect(searches[0]?.body['filter']).toBe(
      `attributes.start_time >= ${runOf(content, 8).start_time}`,
    );
    expect(skipped()[DELIVERED_RUN]).toBe(1);
    expect(skipped()[DELIVERED_VERSION]).toBeGreaterThan(0);
  });

  it('sends a page without records for its position', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 4, models: 0 });
    for (const { info } of content.runs) info.start_time = 1_000;
    const { pages } = await opened(content, { runsPageSize: 2 });
    const memory = new SweepMemory();
    memory.begin();
    await memory.deliver(pages(memory), 3);
    const empty: Page<MlflowRecord>[] = [];
    for await (const page of pages(memory)) {
      if (page.position !== undefined && page.records.length === 0) empty.push(page);
    }
    expect(empty).toHaveLength(1);
    expect(empty[0]?.position?.lane).toBe('rest 1');
  });

  it('gives a delivered run again whose version has changed since, with all of its versions', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 4, models: 1 });
    const runId = sampleRunId(0);
    for (const version of content.modelVersions) version.run_id = runId;
    const { pages } = await opened(content);
    const memory = new SweepMemory();
    memory.begin();
    await memory.deliver(pages(memory));
    content.modelVersions.push({ name: 'model 1', version: '4', run_id: runId });
    const records = await memory.deliver(pages(memory));
    expect(runsIn(records)).toEqual([runId]);
    expect(versionsIn(records)).toEqual(['model 1/1', 'model 1/2', 'model 1/3', 'model 1/4']);
    const [run] = records.filter((record) => record.kind === 'run');
    expect(run?.versions).toHaveLength(4);
    // And once it is delivered, no more.
    expect(runsIn(await memory.deliver(pages(memory)))).toEqual([]);
  });
});
