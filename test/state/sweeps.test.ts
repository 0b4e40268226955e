import { describe, expect, it } from 'vitest';
import type { StateOptions } from '../../src/state/options.js';
import type { PipelineState, StateRequest } from '../../src/state/pipeline-state.js';
import { DAY_MS, deliver, experimentRecord, NOW, openState, statePath } from './support.js';

type Options = Omit<StateOptions, 'path'>;

/** A run, which completes its sweep or not; gives the sweep it was. */
function run(
  path: string,
  options: Options = {},
  request: Partial<StateRequest> = {},
  complete = true,
) {
  const state = openState({ path, ...options }, request);
  if (complete) state.complete(state.sweep.number, new Map());
  state.close();
  return state.sweep;
}

describe('the sweep of a run', () => {
  it('is a full one each time unless a lookback is wanted', () => {
    const path = statePath();
    expect(run(path)).toEqual({ number: 1, kind: 'full', resumed: false, generation: 1 });
    expect(run(path)).toEqual({ number: 2, kind: 'full', resumed: false, generation: 2 });
  });

  it('goes on where one broke off, unless it is to be fresh', () => {
    const path = statePath();
    run(path);
    run(path, {}, {}, false);
    expect(run(path, {}, {}, false)).toMatchObject({ number: 2, resumed: true });
    expect(run(path, {}, { fresh: true })).toMatchObject({ number: 3, resumed: false });
    expect(run(path)).toMatchObject({ number: 4, resumed: false });
  });

  it('starts over where a sink is new, or other things are read', () => {
    const path = statePath();
    run(path, {}, {}, false);
    expect(run(path, {}, { sinks: ['a', 'b'] }, false)).toMatchObject({ number: 2 });
    expect(run(path, {}, { sinks: ['b'] }, false)).toMatchObject({ number: 2, resumed: true });
    expect(run(path, {}, { sinks: ['b'], kinds: ['run'] }, false)).toMatchObject({ number: 3 });
  });

  it('looks back from the start of the last sweep, not from now', () => {
    const path = statePath();
    const options = { lookbackDays: 2, fullSweepEveryDays: 30 };
    expect(run(path, options)).toMatchObject({ kind: 'full' });
    expect(run(path, options, { now: NOW + 5 * DAY_MS })).toEqual({
      number: 2,
      kind: 'lookback',
      since: NOW - 2 * DAY_MS,
      resumed: false,
      generation: 1,
    });
    expect(run(path, options, { now: NOW + 6 * DAY_MS })).toMatchObject({
      since: NOW + 3 * DAY_MS,
      generation: 1,
    });
  });

  it('goes on with a lookback as it was', () => {
    const path = statePath();
    const options = { lookbackDays: 2, fullSweepEveryDays: 30 };
    run(path, options);
    run(path, options, { now: NOW + DAY_MS }, false);
    expect(run(path, options, { now: NOW + 9 * DAY_MS })).toMatchObject({
      kind: 'lookback',
      since: NOW - 2 * DAY_MS,
      resumed: true,
      generation: 1,
    });
  });

  it('is a full one again after days or sweeps', () => {
    const days = statePath();
    const everyDay = { lookbackDays: 2, fullSweepEveryDays: 1 };
    run(days, everyDay);
    expect(run(days, everyDay, { now: NOW + 0.9 * DAY_MS }).kind).toBe('lookback');
    expect(run(days, everyDay, { now: NOW + DAY_MS }).kind).toBe('full');

    const sweeps = statePath();
    const everyTwo = { lookbackDays: 2, fullSweepEveryDays: 99, fullSweepEverySweeps: 2 };
    const kinds = Array.from({ length: 7 }, () => run(sweeps, everyTwo).kind);
    expect(kinds).toEqual(['full', 'lookback', 'lookback', 'full', 'lookback', 'lookback', 'full']);
  });

  it('is a full one where a sink is new or has missed one, or everything is to be sent', () => {
    const options = { lookbackDays: 2, fullSweepEveryDays: 99 };
    const path = statePath();
    run(path, options);
    expect(run(path, options, { sinks: ['a', 'b'] }).kind).toBe('full');
    expect(run(path, options, { sinks: ['a', 'b'] }).kind).toBe('lookback');
    expect(run(path, options, { sinks: ['a'] }).kind).toBe('lookback');
    expect(run(path, options, { sinks: ['a', 'b'] }).kind).toBe('full');
    expect(run(path, options, { sinks: ['a', 'b'], full: true }).kind).toBe('full');
  });

  it('is a full one where kinds are read that the last one left out', () => {
    const options = { lookbackDays: 2, fullSweepEveryDays: 99 };
    const path = statePath();
    run(path, options, { kinds: ['registeredModel'] });
    expect(run(path, options, { kinds: ['registeredModel', 'run'] }).kind).toBe('full');
    // A lookback that left them out has not found what came into being meanwhile.
    expect(run(path, options, { kinds: ['registeredModel'] }).kind).toBe('lookback');
    expect(run(path, options, { kinds: ['registeredModel', 'run'] }).kind).toBe('full');
  });

  it('that sends everything is gone on with by any run, and none other by it', () => {
    const path = statePath();
    run(path, {}, { full: true }, false);
    expect(run(path, {}, {}, false)).toMatchObject({ number: 1, resumed: true });
    expect(run(path, {}, { full: true }, false)).toMatchObject({ number: 1, resumed: true });
    run(path, {}, { fresh: true }, false);
    expect(run(path, {}, { full: true })).toMatchObject({ number: 3, resumed: false });
  });
});

describe('the positions of a sweep', () => {
  it('are there for the run that goes on, and gone with the sweep', () => {
    const path = statePath();
    const state = openState({ path });
    deliver(state, [], { position: { lane: 'x', value: '1' } });
    deliver(state, [], { position: { lane: 'y', value: '1' } });
    deliver(state, [], { position: { lane: 'x', value: '2' } });
    state.close();
    const next = openState({ path });
    expect([...next.positions()]).toEqual([
      ['x', '2'],
      ['y', '1'],
    ]);
    next.complete(1, new Map());
    expect(next.positions().size).toBe(0);
    next.close();
  });

  it('of a sink are kept until it gives none', () => {
    const path = statePath();
    const state = openState({ path });
    const page = state.page([]);
    state.commit(page, {
      read: [],
      records: [],
      inputs: new Map(),
      rejected: 0,
      sinkPositions: new Map([['a', { bytes: 7 }]]),
    });
    state.close();
    const next = openState({ path });
    expect(next.sinkPosition('a')).toEqual({ bytes: 7 });
    next.complete(1, new Map());
    next.close();
    const last = openState({ path });
    expect(last.sinkPosition('a')).toBeUndefined();
    last.close();
  });
});

describe('runs of experiments that are needed', () => {
  const lookbackDays = 1;
  const needed = (state: PipelineState, ...names: string[]): unknown[] => [
    ...state
      .memory()
      .neededRuns(names.map((name, index) => ({ experimentId: String(index), name })))
      .values(),
  ];
  /** A complete sweep over everything. */
  const sweptState = (...names: string[]): string => {
    const path = statePath();
    const state = openState({ path, lookbackDays });
    needed(state, ...names);
    deliver(state, [], {
      records: names.map((name, index) => experimentRecord(String(index), name)),
    });
    state.complete(1, new Map());
    state.close();
    return path;
  };

  it('are all that were not delivered, where everything is read', () => {
    const state = openState({ path: sweptState('one', 'two') });
    expect(needed(state, 'one', 'second', 'new')).toEqual(['rest', 'rest', 'rest']);
    state.close();
  });

  it('are all of a new or renamed experiment in a lookback, until it is complete', () => {
    const path = sweptState('one', 'two');
    const second = openState({ path, lookbackDays });
    expect(second.sweep.kind).toBe('lookback');
    expect(needed(second, 'one', 'second', 'new')).toEqual(['since', 'rest', 'rest']);
    const records = [experimentRecord('1', 'second'), experimentRecord('2', 'new')];
    deliver(second, [], { records });
    second.close(); // it broke off after the experiments themselves

    const third = openState({ path, lookbackDays });
    expect(needed(third, 'one', 'second', 'new')).toEqual(['since', 'rest', 'rest']);
    third.complete(1, new Map());
    expect(needed(third, 'one', 'second', 'new')).toEqual(['since', 'since', 'since']);
    third.close();
  });

  it.each(['full', 'lookback'] as const)(
    'are those delivered, too, where a %s sweep has met the experiment by another name',
    (kind) => {
      const path = sweptState('one', 'two', 'three');
      const full = kind === 'full';
      const others = full ? 'rest' : 'since';
      const open = (): PipelineState => openState({ path, lookbackDays }, { full });
      const second = open();
      expect(second.sweep.kind).toBe(kind);
      expect(needed(second, 'one', 'second', 'three')).toEqual([others, 'rest', others]);
      second.close();
      const third = open();
      expect(needed(third, 'first', 'zweite', 'three')).toEqual(['again', 'again', others]);
      third.close();
      const fourth = open();
      expect(needed(fourth, 'first', 'two', 'three')).toEqual(['again', 'again', others]);
      fourth.close();
    },
  );

  it('are still needed after a sweep that was given up', () => {
    const path = sweptState('one', 'two');
    const second = openState({ path, lookbackDays });
    needed(second, 'one', 'second');
    deliver(second, [], { records: [experimentRecord('1', 'second')] });
    second.close();
    const third = openState({ path, lookbackDays }, { fresh: true });
    expect(third.sweep).toMatchObject({ kind: 'lookback', resumed: false });
    expect(needed(third, 'one', 'second')).toEqual(['since', 'rest']);
    third.close();
  });
});
