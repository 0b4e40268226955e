import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import type { RecordKey } from '../../src/mlflow/record-key.js';
import type { RunRecord } from '../../src/mlflow/records.js';
import { stateOptionsSchema, type StateOptions } from '../../src/state/options.js';
import type {
  AnyOperator,
  Page,
  ReadPlan,
  Refusal,
  Sink,
  Source,
} from '../../src/stream/contracts.js';
import { runPipeline, type RunOptions } from '../../src/stream/run-pipeline.js';
import { silentLog } from '../support/memory.js';
import { NOW, runRecord } from '../state/support.js';

const SERVER = { uri: 'http://host:5000', versionText: '3', searchesExperiments: true };

/** A store of runs that a test changes between the runs of a pipeline. */
class Store {
  readonly runs = new Map<string, string>();
  /** What the store says of what it does not give: deleted, unless it stands here. */
  readonly hidden = new Set<string>();
  plans: ReadPlan[] = [];
  asked: RecordKey[] = [];
  rejects = false;
  pageSize = 2;
  canSay = true;

  constructor(...runs: readonly string[]) {
    for (const run of runs) this.runs.set(run, 'first');
  }

  readonly source: Source = {
    label: 'a store',
    open: () =>
      Promise.resolve({
        server: SERVER,
        read: (plan) => {
          this.plans.push(plan);
          return this.#pages(plan);
        },
        count: () => Promise.resolve({}),
        close: () => Promise.resolve(),
        ...(this.canSay
          ? {
              findGone: (keys: readonly RecordKey[]) => {
                this.asked.push(...keys);
                return Promise.resolve(
                  new Set(keys.filter((key) => !this.hidden.has(key.slice('run '.length)))),
                );
              },
            }
          : {}),
      }),
  };

  async *#pages(plan: ReadPlan): AsyncGenerator<Page<RunRecord>> {
    const after = plan.memory?.positions.get('runs');
    const names = [...this.runs.keys()]
      .sort()
      .filter((name) => after === undefined || name > after);
    for (let start = 0; start < names.length; start += this.pageSize) {
      const some = names.slice(start, start + this.pageSize);
      const last = some.at(-1) ?? '';
      yield await Promise.resolve({
        records: some.map((name) =>
          runRecord(name, {
            startTime: NOW,
            tags: [{ key: 'tag', value: this.runs.get(name) ?? '' }],
          }),
        ),
        rejected: this.rejects
          ? [{ kind: 'record' as const, code: 'BAD', message: 'bad', identity: 'x', content: 0 }]
          : [],
        position: { lane: 'runs', value: last },
      });
    }
  }
}

const urnOf = (run: string) => `urn:li:dataProcessInstance:${run}`;

/** The way a run is mapped here: its tag, and that it is there. */
const toProposals = (): AnyOperator =>
  ((records) =>
    records.pipe(
      map(({ run }: RunRecord) => run),
      map(({ runId, tags }): Proposal => ({
        entityType: 'dataProcessInstance',
        entityUrn: urnOf(runId),
        changeType: 'UPSERT',
        aspectName: 'status',
        aspect: { removed: false, tag: tags[0]?.value ?? '' },
        origin: `run ${runId}`,
      })),
    )) as AnyOperator;

const without = (name: string): AnyOperator =>
  filter(({ run }: RunRecord) => run.runId !== name) as AnyOperator;

class Target {
  readonly got: string[] = [];
  writes = 0;
  refuse: (proposal: Proposal) => boolean = () => false;
  before: (proposals: readonly Proposal[]) => Promise<void> = () => Promise.resolve();

  constructor(readonly label = 'target') {}

  readonly sink = (): Sink => ({
    label: this.label,
    check: () => Promise.resolve(''),
    open: () =>
      Promise.resolve({
        write: async (proposals) => {
          this.writes += 1;
          await this.before(proposals);
          const refusals: Refusal[] = [];
          for (const proposal of proposals) {
            if (this.refuse(proposal)) {
              refusals.push({ proposal, code: 'NO', message: 'no', attempts: 1 });
            } else this.got.push(shown(proposal));
          }
          return refusals;
        },
        close: () => Promise.resolve(),
      }),
  });

  /** What came since the last call. */
  news(): string[] {
    return this.got.splice(0).sort();
  }
}

/** `r1 first`, or `-r1` where it was removed. */
function shown({ entityUrn, aspect }: Proposal): string {
  const name = entityUrn.slice(urnOf('').length);
  return aspect['removed'] === true ? `-${name}` : `${name} ${shownTag(aspect)}`;
}

function shownTag({ tag }: Proposal['aspect']): string {
  return typeof tag === 'string' ? tag : '';
}

function pipeline(store: Store, ...targets: readonly Target[]) {
  const folder = mkdtempSync(join(tmpdir(), 'keep-state-'));
  return async (
    options: Partial<RunOptions> = {},
    { operators = [], ...state }: Partial<StateOptions> & { operators?: AnyOperator[] } = {},
  ) => {
    const { report } = await runPipeline(
      {
        source: store.source,
        operators: [...operators, toProposals()],
        sinks: targets.map((target) => target.sink()),
        maxInFlightPages: 2,
        deadLetter: { path: join(folder, 'dead.ndjson') },
        state: stateOptionsSchema.parse({ path: join(folder, 'x.state'), ...state }),
      },
      { log: silentLog, env: {}, ...options },
    );
    return report;
  };
}

describe('a pipeline with state', () => {
  it('remembers what each of two sinks with one label has', async () => {
    const [store, a, b] = [new Store('r1', 'r2'), new Target(), new Target()];
    const run = pipeline(store, a, b);
    b.refuse = ({ entityUrn }) => entityUrn === urnOf('r1');
    await run();
    b.refuse = () => false;
    expect([a.news(), b.news()]).toEqual([['r1 first', 'r2 first'], ['r2 first']]);
    const { state } = await run();
    expect([a.news(), b.news()]).toEqual([[], ['r1 first']]);
    expect(state).toMatchObject({ unchanged: { target: 2, 'target (2)': 1 } });
  });

  it('sends each sink what changed since it was confirmed there', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3'), new Target()];
    const run = pipeline(store, target);
    await run();
    expect(target.news()).toEqual(['r1 first', 'r2 first', 'r3 first']);
    const second = await run();
    expect(target.news()).toEqual([]);
    expect(second.state).toMatchObject({ sweep: 2, kind: 'full', unchanged: { target: 3 } });
    store.runs.set('r2', 'second').set('r4', 'first');
    await run();
    expect(target.news()).toEqual(['r2 second', 'r4 first']);
    target.refuse = ({ entityUrn }) => entityUrn === urnOf('r1');
    store.runs.set('r1', 'second');
    expect((await run()).counts.rejected).toBe(1);
    target.refuse = () => false;
    await run();
    expect(target.news()).toEqual(['r1 second']);
  });

  it('goes on behind the pages that every sink confirmed, in the order of the pages', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `r${String(n).padStart(2, '0')}`);
    const [store, steady, failing] = [new Store(...names), new Target('steady'), new Target('bad')];
    const run = pipeline(store, steady, failing);
    let fails = true;
    failing.before = (proposals) => {
      if (!fails || !proposals.some(({ entityUrn }) => entityUrn === urnOf('r08'))) {
        return Promise.resolve();
      }
      return Promise.reject(new PipelineError('gone', { code: 'GONE', category: 'unavailable' }));
    };
    expect((await run()).outcome).toBe('failed');
    const before = failing.news();
    fails = false;
    const second = await run();
    expect(second.state).toMatchObject({ sweep: 1, resumed: true });
    expect(store.plans[1]?.memory?.positions.get('runs')).toBe('r07');
    const after = failing.news();
    expect([...new Set([...before, ...after])]).toHaveLength(20);
    expect(before.filter((each) => after.includes(each)).length).toBeLessThanOrEqual(2);
    // The page that failed, and at most one more, went to the other sink twice.
    expect(steady.news().length).toBeLessThanOrEqual(20 + 4);
  });

  it('notes no page before those in front of it, however late they are', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3', 'r4', 'r5', 'r6'), new Target()];
    const run = pipeline(store, target);
    const seen: string[] = [];
    target.before = async ([first]) => {
      seen.push(first?.entityUrn.slice(-2) ?? '');
      if (first?.entityUrn === urnOf('r1')) await new Promise<never>(() => undefined);
    };
    const stop = new AbortController();
    const running = run({ signal: stop.signal, graceMs: 50 });
    // The second page is delivered and waits for the first: its place is not free.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toEqual(['r1', 'r3']);
    stop.abort();
    expect((await running).outcome).toBe('interrupted');
    target.before = () => Promise.resolve();
    target.news();
    await run();
    expect(store.plans[1]?.memory?.positions.size).toBe(0);
    expect(target.news()).toEqual(
      ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'].map((name) => `${name} first`),
    );
  });

  it('starts over when told to, and sends everything when told to', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3', 'r4'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    expect((await run({ fresh: true })).state).toMatchObject({ sweep: 2, resumed: false });
    expect(target.news()).toEqual([]);
    await run({ full: true });
    expect(target.news()).toHaveLength(4);
  });

  it('changes nothing in a dry run, and says what each sink would get', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    store.runs.delete('r3');
    store.runs.set('r1', 'second');
    const dry = await run({ dryRun: true });
    expect(dry.state).toMatchObject({
      unchanged: { target: 1 },
      stale: { removed: 1, urns: [urnOf('r3')] },
    });
    expect(target.news()).toEqual([]);
    await run();
    expect(target.news()).toEqual(['-r3', 'r1 second']);
  });

  it('is refused where the state belongs to another store', async () => {
    const [store, target] = [new Store('r1'), new Target()];
    const run = pipeline(store, target);
    await run();
    const server = { ...SERVER, uri: 'http://other:5000' };
    const open = store.source.open.bind(store.source);
    Object.assign(store.source, {
      open: async (...args: Parameters<typeof open>) => ({ ...(await open(...args)), server }),
    });
    expect((await run()).error?.code).toBe('STATE_OF_ANOTHER');
  });
});

describe('what is gone', () => {
  it('is removed once, and back with all that is said of it', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    store.runs.delete('r2');
    expect((await run()).state?.stale).toMatchObject({ removed: 1, kept: 0, urns: [urnOf('r2')] });
    expect(target.news()).toEqual(['-r2']);
    expect(store.asked).toEqual(['run r2']);
    expect((await run()).state?.stale).toMatchObject({ removed: 0 });
    expect(target.news()).toEqual([]);
    store.runs.set('r2', 'first');
    await run();
    expect(target.news()).toEqual(['r2 first']);
  });

  it('is kept where the store does not say that it is gone, or can say nothing', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    store.hidden.add('r2');
    store.runs.delete('r2');
    expect((await run()).state?.stale).toMatchObject({ removed: 0, kept: 1 });
    store.canSay = false;
    store.runs.delete('r1');
    expect((await run()).state?.stale).toMatchObject({ removed: 0, kept: 2 });
    expect(target.news()).toEqual([]);
  });

  it('includes what an operator drops now, without asking the store', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    await run({}, { operators: [without('r3')] });
    expect(target.news()).toEqual(['-r3']);
    expect(store.asked).toEqual([]);
    await run();
    expect(target.news()).toEqual(['r3 first']);
  });

  it('stays where more than the limit would go, which is said', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3', 'r4'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    for (const name of ['r1', 'r2', 'r3']) store.runs.delete(name);
    const stale = (await run({}, { staleLimitPercent: 50 })).state?.stale;
    expect(stale).toMatchObject({ removed: 0, overLimit: true });
    expect(stale?.skipped).toContain('3 of 4 entities would be removed');
    expect(stale?.urns).toEqual([]);
    const dry = (await run({ dryRun: true }, { staleLimitPercent: 50 })).state?.stale;
    expect(dry).toMatchObject({
      removed: 0,
      overLimit: true,
      urns: ['r1', 'r2', 'r3'].map(urnOf),
    });
    expect(target.news()).toEqual([]);
    expect((await run({}, { staleLimitPercent: 75 })).state?.stale.removed).toBe(3);
    expect(target.news()).toEqual(['-r1', '-r2', '-r3']);
  });

  it('stays where anything could not be read, in any run of the sweep, or kinds were left out', async () => {
    const [store, target] = [new Store('r1', 'r2', 'r3'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    store.runs.delete('r2');
    store.rejects = true;
    expect((await run()).state?.stale.skipped).toContain('could not be read or mapped');
    store.rejects = false;
    const gate = Object.assign(filter(() => true) as AnyOperator, {
      narrow: (plan: ReadPlan) => ({ ...plan, kinds: new Set(['run' as const]) }),
    });
    expect((await run({}, { operators: [gate] })).state?.stale.skipped).toContain('no experiment');
    expect((await run({}, { removeStale: false })).state?.stale.skipped).toBe('removeStale is off');
    expect(target.news()).toEqual([]);
    await run();
    expect(target.news()).toEqual(['-r2']);
  });

  it('is tried again where a sink refused it', async () => {
    const [store, target] = [new Store('r1', 'r2'), new Target()];
    const run = pipeline(store, target);
    await run();
    target.news();
    store.runs.delete('r2');
    target.refuse = () => true;
    expect((await run()).state?.stale.removed).toBe(0);
    target.refuse = () => false;
    expect((await run()).state?.stale.removed).toBe(1);
    expect(target.news()).toEqual(['-r2']);
  });
});
