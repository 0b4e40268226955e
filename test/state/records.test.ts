import { describe, expect, it } from 'vitest';
import type { DatasetUse } from '../../src/mlflow/records.js';
import {
  DAY_MS,
  deliver,
  NOW,
  openState,
  runRecord,
  statePath,
  version,
  versionRecord,
} from './support.js';

const LOOKBACK = { lookbackDays: 1, fullSweepEveryDays: 99 };

describe('what is remembered of records', () => {
  it('tells which this sweep delivered already', () => {
    const path = statePath();
    const first = openState({ path });
    deliver(first, [], { records: [runRecord('r1'), runRecord('r2')] });
    expect(first.memory().delivered(['run r1', 'run r3'])).toEqual(new Set(['run r1']));
    first.close();
    const resumed = openState({ path });
    expect(resumed.memory().delivered(['run r1', 'run r2'])).toEqual(new Set(['run r1', 'run r2']));
    resumed.complete(1, new Map());
    resumed.close();
    const next = openState({ path });
    expect(next.memory().delivered(['run r1'])).toEqual(new Set());
    next.close();
  });

  it.each([
    ['a date', new Date(NOW)],
    ['a boolean', true],
    ['a list', [1]],
    ['nothing', undefined],
  ])('notes records of sources of one’s own, even with %s for a time', (_, startTime) => {
    const state = openState({ path: statePath() });
    const record = runRecord('r1', { startTime: startTime as unknown as number });
    deliver(state, [], { records: [record] });
    expect(state.memory().delivered(['run r1'])).toEqual(new Set(['run r1']));
    state.close();
  });

  it('tells which versions changed, in anything that is mapped of them', () => {
    const state = openState({ path: statePath() });
    const known = version('churn', '1', { aliases: ['best'] });
    deliver(state, [], { records: [versionRecord(known)] });
    const changes = [
      { description: 'new' },
      { currentStage: 'Production' },
      { aliases: [] },
      { aliases: ['best', 'new'] },
      { tags: [{ key: 'k', value: 'v' }] },
      { runId: 'r1' },
      { lastUpdatedTimestamp: 2 },
      { status: 'FAILED_REGISTRATION' },
      { deploymentJob: { runState: 'RUNNING' } },
    ];
    expect(state.memory().changedVersions([known, version('new', '1')])).toEqual(
      new Set(['version 1 new']),
    );
    for (const change of changes) {
      expect(state.memory().changedVersions([{ ...known, ...change }])).toEqual(
        new Set(['version 1 churn']),
      );
    }
    state.close();
  });

  it('lists the versions that are known, with their runs, in pieces', () => {
    const state = openState({ path: statePath() });
    const versions = [version('b', '1', { runId: 'r1' }), version('a', '2'), version('a b', '10')];
    deliver(state, [], { records: [...versions.map(versionRecord), runRecord('r1')] });
    const { knownVersions } = state.memory();
    expect(knownVersions(2)).toEqual([
      { key: 'version 1 b', runId: 'r1' },
      { key: 'version 10 a b' },
    ]);
    expect(knownVersions(2, 'version 10 a b')).toEqual([{ key: 'version 2 a' }]);
    expect(knownVersions(2, 'version 2 a')).toEqual([]);
    state.close();
  });

  it('lists the runs before the lookback that had not ended, until they do', () => {
    const path = statePath();
    const old = { startTime: NOW - 3 * DAY_MS };
    const records = [
      runRecord('r1', { ...old, status: 'RUNNING' }),
      runRecord('r2', { ...old, status: 'FINISHED' }),
      runRecord('r3', { ...old, status: 'SCHEDULED' }),
      runRecord('r4', { ...old, status: 'PAUSED' }),
      runRecord('r5', { ...old, status: 'PAUSED', endTime: 5 }),
      runRecord('r6', { startTime: NOW, status: 'RUNNING' }),
      runRecord('r7', { startTime: 0, status: 'RUNNING' }),
    ];
    const first = openState({ path, ...LOOKBACK });
    deliver(first, [], { records });
    first.complete(1, new Map());
    first.close();

    const second = openState({ path, ...LOOKBACK });
    expect(second.memory().openRuns(2)).toEqual(['r1', 'r3']);
    expect(second.memory().openRuns(9, 'r3')).toEqual(['r4', 'r7']);
    deliver(second, [], { records: [runRecord('r1', { ...old, status: 'FINISHED' })] });
    expect(second.memory().openRuns(9)).toEqual(['r3', 'r4', 'r7']);
    second.complete(1, new Map());
    second.close();

    // What a full sweep did not meet is asked for no more.
    const full = openState({ path }, { full: true });
    deliver(full, [], { records: [runRecord('r3', { ...old, status: 'SCHEDULED' })] });
    full.complete(1, new Map());
    full.close();
    const last = openState({ path, ...LOOKBACK });
    expect(last.memory().openRuns(9)).toEqual(['r3']);
    last.close();
  });
});

const use = (name: string, runId: string, startTime: number, digest = 'd'): DatasetUse => ({
  runId,
  startTime,
  input: { tags: [], dataset: { name, digest, sourceType: 'local', source: '{}' } },
});

const withUses = (...uses: readonly DatasetUse[]) =>
  uses.map(({ runId, startTime, input }) =>
    runRecord(runId, { startTime, datasetInputs: [input] }),
  );

describe('what is remembered of datasets', () => {
  it('is the use by the run with the greatest start and id', () => {
    const state = openState({ path: statePath() });
    deliver(state, [], {
      records: withUses(use('x', 'r2', 5), use('x', 'r1', 5), use('y', 'r1', 5)),
    });
    deliver(state, [], { records: withUses(use('x', 'r9', 4), use('y', 'r3', 6)) });
    const { datasetUses } = state.memory();
    expect(datasetUses(9)).toEqual([use('x', 'r2', 5), use('y', 'r3', 6)]);
    expect(datasetUses(1)).toEqual([use('x', 'r2', 5)]);
    expect(datasetUses(1, use('x', 'r2', 5))).toEqual([use('y', 'r3', 6)]);
    expect(datasetUses(1, use('y', 'r3', 6))).toEqual([]);
    state.close();
  });

  it('is begun anew by a full sweep, and gone on with by a lookback', () => {
    const path = statePath();
    const first = openState({ path, ...LOOKBACK });
    deliver(first, [], { records: withUses(use('x', 'r2', 5)) });
    first.complete(1, new Map());
    first.close();

    const lookback = openState({ path, ...LOOKBACK });
    expect(lookback.memory().datasetUses(9)).toEqual([use('x', 'r2', 5)]);
    deliver(lookback, [], { records: withUses(use('x', 'r3', 6)) });
    lookback.complete(1, new Map());
    lookback.close();

    const full = openState({ path });
    expect(full.memory().datasetUses(9)).toEqual([]);
    deliver(full, [], { records: withUses(use('x', 'r1', 1)) });
    full.close(); // it broke off: what the lookbacks had is still there for one that follows
    const after = openState({ path, ...LOOKBACK }, { fresh: true });
    expect(after.sweep.kind).toBe('lookback');
    expect(after.memory().datasetUses(9)).toEqual([use('x', 'r3', 6)]);
    after.close();
  });
});
