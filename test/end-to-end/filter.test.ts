/**
 * The whole way with filters and a state: what DataHub has after each sweep, whatever was filtered
 * before.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import type { FilterRules } from '../../src/mlflow/filter/rules.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import { dedup } from '../../src/operators/dedup.js';
import { filter } from '../../src/operators/filter.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { versionGate } from '../../src/operators/version-gate.js';
import { mlflowSource } from '../../src/sources/mlflow-source.js';
import { stateOptionsSchema, type StateOptions } from '../../src/state/options.js';
import { runPipeline, type RunReport } from '../../src/stream/run-pipeline.js';
import { databaseWith, fill } from '../support/database-of-content.js';
import { memorySink, silentLog } from '../support/memory.js';
import { sampleContent, type ServerContent } from '../support/mlflow-server.js';
import { contents, filters, NOW } from '../sources/filtered-store/cases.js';

/** What stands for a record of MLflow, and so can be removed. */
const REMOVABLE = /^urn:li:(container|dataProcessInstance|mlModel|mlModelGroup):/;

/** By URN, the aspects of what DataHub has and that is not removed. */
type View = ReadonlyMap<string, Readonly<Record<string, string>>>;

class DataHub {
  readonly #entities = new Map<string, Record<string, string>>();

  take(proposals: readonly Proposal[]): void {
    for (const { entityUrn, aspectName, aspect } of proposals) {
      if (!REMOVABLE.test(entityUrn)) continue;
      const entity = this.#entities.get(entityUrn) ?? {};
      entity[aspectName] = JSON.stringify(aspect);
      this.#entities.set(entityUrn, entity);
    }
  }

  get view(): View {
    return new Map(
      [...this.#entities].filter(([, { status = '' }]) => !status.includes('"removed":true')),
    );
  }
}

function pipeline(path: string, state: Omit<StateOptions, 'path'>) {
  const folder = mkdtempSync(join(tmpdir(), 'filter-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const dataHub = new DataHub();
  let now = NOW;
  const once = async (
    given: readonly FilterRules[],
    into: DataHub,
    options: StateOptions | undefined,
    fails: () => boolean = () => false,
  ): Promise<{ sent: Proposal[]; report: RunReport }> => {
    const sent: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      if (fails()) return Promise.reject(new Error('down'));
      sent.push(...proposals);
      into.take(proposals);
      return Promise.resolve([]);
    });
    const { report } = await runPipeline(
      {
        source: mlflowSource({ uri: `sqlite:///${path}`, runsPageSize: 7 }),
        operators: [
          versionGate(),
          ...given.map((rules) => filter(rules as Parameters<typeof filter>[0])),
          buildUrns(),
          mapToProposals({ loggedModels: true }),
          dedup(),
        ],
        sinks: [sink],
        maxInFlightPages: 2,
        deadLetter: { path: join(folder, 'dead.ndjson') },
        ...(options === undefined ? {} : { state: stateOptionsSchema.parse(options) }),
      },
      { log: silentLog, env: {}, now: () => now },
    );
    return { sent, report };
  };
  return {
    dataHub,
    later: (ms: number) => {
      now += ms;
    },
    run: (given: readonly FilterRules[], fails?: () => boolean) =>
      once(given, dataHub, { path: join(folder, 'state'), ...state }, fails),
    /** What DataHub would have, were this the first run. */
    fresh: async (given: readonly FilterRules[]): Promise<View> => {
      const other = new DataHub();
      await once(given, other, undefined);
      return other.view;
    },
  };
}

/** All entities are the same, and every aspect that is said of them now. */
function expectSame(view: View, fresh: View): void {
  expect([...view.keys()].sort()).toEqual([...fresh.keys()].sort());
  for (const [urn, aspects] of fresh) expect(view.get(urn)).toMatchObject(aspects);
}

const all = { staleLimitPercent: 100 };

describe('filters with a state', () => {
  it('leave in DataHub what the last of them keeps, whatever came before', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.array(filters, { minLength: 2, maxLength: 3 }),
        fc.constantFrom('1.28.0' as const, '2.22.5' as const, '3.17.2' as const),
        fc.constantFrom({}, { lookbackDays: 5 }),
        async (content, given, version, reach) => {
          const { run, fresh, dataHub, later } = pipeline(databaseWith(content, version), {
            ...all,
            ...reach,
          });
          let before: string | undefined;
          for (const each of [[], ...given, []]) {
            const { report } = await run(each);
            expect(report.outcome).toBe('complete');
            const filtered = JSON.stringify(each);
            if (filtered !== before) expect(report.state?.kind).toBe('full');
            before = filtered;
            expectSame(dataHub.view, await fresh(each));
            // With the same again nothing changes.
            const again = await run(each);
            expect(again.sent).toEqual([]);
            expect(again.report.state?.kind).toBe('lookbackDays' in reach ? 'lookback' : 'full');
            later(60_000);
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  it('do not go on with a sweep of another filter', async () => {
    const content = sampleContent({ experiments: 4, runsPerExperiment: 20 });
    const { run, fresh, dataHub } = pipeline(databaseWith(content, '2.22.5'), {
      ...all,
      lookbackDays: 1,
    });
    const some = [{ experiments: { names: ['experiment 1'] } }];
    let pages = 0;
    const { report: broken } = await run(some, () => (pages += 1) > 3);
    expect(broken.outcome).toBe('failed');
    const { report } = await run([]);
    expect(report.state).toMatchObject({ sweep: 2, kind: 'full', resumed: false });
    expectSame(dataHub.view, await fresh([]));
  });

  it('go on with a sweep of the same filter', async () => {
    const content = sampleContent({ experiments: 4, runsPerExperiment: 20 });
    const { run, fresh, dataHub } = pipeline(databaseWith(content, '2.22.5'), all);
    const some = [{ runs: { statuses: ['FINISHED', 'FAILED'] } }];
    let pages = 0;
    await run(some, () => (pages += 1) > 4);
    const { report } = await run(some);
    expect(report.state).toMatchObject({ sweep: 1, resumed: true });
    expectSame(dataHub.view, await fresh(some));
  });

  it('stay within the limit of what may be removed', async () => {
    const { run, dataHub } = pipeline(databaseWith(sampleContent(), '3.17.2'), {
      staleLimitPercent: 10,
    });
    await run([]);
    const before = dataHub.view.size;
    const { report } = await run([{ models: { names: ['none'] }, runs: { users: ['none'] } }]);
    expect(report.state?.stale.overLimit).toBe(true);
    expect(dataHub.view.size).toBe(before);
  });

  it('remove runs that grew too old, and bring nothing else', async () => {
    const DAY_MS = 86_400_000;
    const content = sampleContent({ experiments: 1, runsPerExperiment: 10 });
    for (const [at, { info }] of content.runs.entries()) info.start_time = NOW - at * DAY_MS;
    const { run, dataHub, later } = pipeline(databaseWith(content, '3.17.2'), all);
    const some = [{ runs: { startedWithin: '5d' } }];
    const runs = () => [...dataHub.view.keys()].filter((urn) => urn.includes('dataProcess'));
    await run(some);
    expect(runs()).toHaveLength(6);
    later(2 * DAY_MS);
    const { report } = await run(some);
    expect(report.state?.stale.removed).toBe(2);
    expect(runs()).toHaveLength(4);
  });

  it('are obeyed by a lookback, which removes and brings what changed', async () => {
    const content = sampleContent({ experiments: 2, runsPerExperiment: 10, models: 2 });
    for (const { info } of content.runs) info.status = 'FINISHED';
    const path = databaseWith(content, '3.17.2');
    const { run, fresh, dataHub, later } = pipeline(path, { ...all, lookbackDays: 1 });
    const some = [
      {
        experiments: { tags: { deny: { archived: 'yes' } } },
        runs: { statuses: ['FINISHED'] },
        versions: { stages: ['Production', 'Staging'] },
      },
    ];
    await run(some);
    later(60_000);
    const changed = (change: (content: ServerContent) => void) => {
      change(content);
      fill(path, content);
    };
    const [first, second] = content.experiments;
    const [one, other] = content.modelVersions;
    if (!first || !second || !one || !other) throw new Error('the sample is too small');
    changed(() => {
      first.tags = [{ key: 'archived', value: 'yes' }];
      one.current_stage = 'Production';
      other.current_stage = 'Archived';
    });
    const { report } = await run(some);
    expect(report.state?.kind).toBe('lookback');
    const now = await fresh(some);
    const versions = (view: View) => [...view.keys()].filter((urn) => urn.includes(':mlModel:'));
    expect(versions(dataHub.view).sort()).toEqual(versions(now).sort());
    expect([...dataHub.view.keys()].filter((urn) => urn.includes('container'))).toHaveLength(1);
    // Its old runs are no part of a lookback.
    later(60_000);
    changed(() => {
      first.tags = [];
      one.current_stage = 'None';
    });
    expect((await run(some)).report.state?.kind).toBe('lookback');
    expectSame(dataHub.view, await fresh(some));
    expect((await run(some)).sent).toEqual([]);
  });
});
