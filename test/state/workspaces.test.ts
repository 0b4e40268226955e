import Libsql from 'libsql';
import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import { APPLICATION_ID, MIGRATIONS } from '../../src/state/migrations.js';
import type { PipelineState, StateRequest } from '../../src/state/pipeline-state.js';
import {
  DAY_MS,
  deliver,
  experimentRecord,
  NOW,
  openState,
  runRecord,
  statePath,
  version,
  versionRecord,
} from './support.js';

const LOOKBACK = { lookbackDays: 1, fullSweepEveryDays: 99 };
const WORKSPACES = ['default', 'team-a', 'team-b'];

const inWorkspace = <R extends MlflowRecord>(record: R, workspace: string): R => ({
  ...record,
  server: { ...record.server, workspace },
});

const input = {
  tags: [],
  dataset: { name: 'x', digest: 'd', sourceType: 'local', source: '{}' },
};

/** The same in two workspaces and not in the third, and something in one alone. */
const RECORDS: readonly MlflowRecord[] = [
  runRecord('r1', { status: 'RUNNING', startTime: NOW - 9 * DAY_MS, datasetInputs: [input] }),
  versionRecord(version('churn', '1', { runId: 'r1' })),
  experimentRecord('1', 'one'),
].flatMap((record) => [record, inWorkspace(record, 'team-a')]);

const ONLY_A = [
  inWorkspace(runRecord('r2', { status: 'RUNNING', startTime: NOW - 9 * DAY_MS }), 'team-a'),
  inWorkspace(versionRecord(version('churn', '2')), 'team-a'),
];

function swept(): string {
  const path = statePath();
  const state = openState({ path, ...LOOKBACK }, { workspaces: WORKSPACES });
  deliver(state, [], { records: [...RECORDS, ...ONLY_A] });
  state.complete(1, new Map());
  state.close();
  return path;
}

function openAgain(path: string, request: Partial<StateRequest> = {}): PipelineState {
  return openState({ path, ...LOOKBACK }, { workspaces: WORKSPACES, ...request });
}

describe('what is remembered of a workspace', () => {
  it('is nothing of another', () => {
    const state = openAgain(swept());
    const [ours, theirs, none] = [undefined, 'team-a', 'team-b'].map((name) => state.memory(name));
    expect(ours?.openRuns(9)).toEqual(['r1']);
    expect(theirs?.openRuns(9)).toEqual(['r1', 'r2']);
    expect(theirs?.openRuns(9, 'r1')).toEqual(['r2']);
    expect(none?.openRuns(9)).toEqual([]);

    expect(ours?.knownVersions(9)).toEqual([{ key: 'version 1 churn', runId: 'r1' }]);
    expect(theirs?.knownVersions(1)).toEqual([{ key: 'version@team-a 1 churn', runId: 'r1' }]);
    expect(theirs?.knownVersions(9, 'version@team-a 1 churn')).toEqual([
      { key: 'version@team-a 2 churn' },
    ]);
    expect(none?.knownVersions(9)).toEqual([]);

    const changed = version('churn', '2');
    expect(ours?.changedVersions([changed])).toEqual(new Set(['version 2 churn']));
    expect(theirs?.changedVersions([changed])).toEqual(new Set());

    expect(ours?.datasetUses(9)).toHaveLength(1);
    expect(theirs?.datasetUses(9)).toHaveLength(1);
    expect(none?.datasetUses(9)).toEqual([]);

    const one = [{ experimentId: '1', name: 'one' }];
    expect([...(theirs?.neededRuns(one).values() ?? [])]).toEqual(['since']);
    expect([...(none?.neededRuns(one).values() ?? [])]).toEqual(['rest']);
    state.close();
  });

  it('is found by an index', () => {
    const path = swept();
    const file = new Libsql(path);
    const plan = file
      .prepare(
        `EXPLAIN QUERY PLAN SELECT key, run_id FROM records WHERE key >= 'version@'
         AND key < 'versionA' AND key > ? AND key < ? ORDER BY key LIMIT ?`,
      )
      .all(['a', 'b', 1]) as { detail: string }[];
    expect(plan.map(({ detail }) => detail).join()).toContain('workspace_versions');
    file.close();
  });
});

describe('the sweep of a run over workspaces', () => {
  const kindOf = (path: string, workspaces: readonly string[]): string => {
    const state = openAgain(path, { workspaces });
    state.complete(state.sweep.number, new Map());
    state.close();
    return state.sweep.kind;
  };

  it('is a full one where one is read that the last did not read', () => {
    const path = swept();
    expect(kindOf(path, ['default', 'team-a'])).toBe('lookback');
    expect(kindOf(path, ['team-a'])).toBe('lookback');
    expect(kindOf(path, ['default', 'team-a'])).toBe('full');
    expect(kindOf(path, ['team-a', 'default'])).toBe('lookback');
  });

  it('is gone on with only where the same are read', () => {
    const path = swept();
    openAgain(path).close();
    const same = openAgain(path, { workspaces: [...WORKSPACES].reverse() });
    expect(same.sweep).toMatchObject({ number: 2, resumed: true });
    same.close();
    const fewer = openAgain(path, { workspaces: ['default'] });
    expect(fewer.sweep).toMatchObject({ number: 3, resumed: false });
    fewer.close();
  });
});

describe('a state of before workspaces', () => {
  it('is taken over, with all that it knows', () => {
    const path = statePath();
    const file = new Libsql(path);
    file.exec(MIGRATIONS[0] ?? '');
    file.exec(`
      PRAGMA application_id=${APPLICATION_ID};
      PRAGMA user_version=1;
      INSERT INTO facts VALUES ('pipeline', 'http://host:5000');
      INSERT INTO sweeps VALUES (1, 'full', NULL, 0, '["run"]', '["a"]', 0, ${NOW}, ${NOW});
      INSERT INTO sinks(label, last_sweep, last_full_sweep) VALUES ('a', 1, 1);
      INSERT INTO dataset_uses VALUES (1, 'x', 'local', 1, 'r1', 'd', '{"runId":"r1"}');
    `);
    file.close();
    const request = { kinds: ['run'], workspaces: ['default'] };
    const state = openState({ path, ...LOOKBACK }, request);
    expect(state.sweep).toMatchObject({ number: 2, kind: 'lookback' });
    expect(state.memory().datasetUses(9)).toEqual([{ runId: 'r1' }]);
    state.close();
  });
});
