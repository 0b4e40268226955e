import { describe, expect, it } from 'vitest';
import { deliver, openState, proposal, statePath } from './support.js';

const URN = 'urn:li:tag:x';

describe('what a sink has', () => {
  it('is not sent again, by this run or a later one', () => {
    const path = statePath();
    const first = openState({ path });
    const one = proposal(URN, { n: 1 });
    expect(deliver(first, [one])).toEqual([one]);
    expect(deliver(first, [one])).toEqual([]);
    first.complete(2, new Map());
    first.close();

    const second = openState({ path });
    expect(deliver(second, [one])).toEqual([]);
    const changed = proposal(URN, { n: 2 });
    expect(deliver(second, [changed])).toEqual([changed]);
    expect(deliver(second, [changed])).toEqual([]);
    second.close();
  });

  it('is another thing for each sink, and a sink that is new has nothing', () => {
    const path = statePath();
    const first = openState({ path });
    const one = proposal(URN, { n: 1 });
    deliver(first, [one]);
    first.close();
    const second = openState({ path }, { sinks: ['a', 'b'] });
    expect(deliver(second, [one], { sink: 'b' })).toEqual([one]);
    expect(deliver(second, [one], { sink: 'a' })).toEqual([]);
    second.close();
  });

  it('is what it got last: A, B, A is sent whole', () => {
    const state = openState({ path: statePath() });
    const [a, b] = [proposal(URN, { n: 'a' }), proposal(URN, { n: 'b' })];
    expect(deliver(state, [a, b, a])).toEqual([a, b, a]);
    expect(deliver(state, [a])).toEqual([]);
    expect(deliver(state, [b])).toEqual([b]);
    state.close();
  });

  it('does not hold what was refused', () => {
    const state = openState({ path: statePath() });
    const one = proposal(URN, { n: 1 });
    expect(deliver(state, [one], { refuse: () => true })).toEqual([one]);
    expect(deliver(state, [one])).toEqual([one]);
    expect(deliver(state, [one])).toEqual([]);
    // A refusal of a change leaves it unknown what the sink has.
    deliver(state, [proposal(URN, { n: 2 })], { refuse: () => true });
    expect(deliver(state, [one])).toEqual([one]);
    state.close();
  });

  it('is what is on its way to it, as long as that is', () => {
    const state = openState({ path: statePath() });
    const sink = state.sinkId('a');
    const facts = { records: [], rejected: 0, sinkPositions: new Map<string, never>() };
    const [a, b] = [proposal(URN, { n: 'a' }), proposal(URN, { n: 'b' })];
    deliver(state, [a]);
    const first = state.page([b]);
    expect(first.unsent(sink)).toEqual([b]);
    const second = state.page([b, a]);
    expect(second.unsent(sink)).toEqual([a]);
    state.commit(first, facts);
    // The first page's content is no longer what the sink ends up with.
    const third = state.page([b]);
    expect(third.unsent(sink)).toEqual([b]);
    third.release();
    state.commit(second, facts);
    state.close();
  });

  it('is not known any more when a change was sent and the process died', () => {
    const path = statePath();
    const state = openState({ path });
    const [a, b] = [proposal(URN, { n: 'a' }), proposal(URN, { n: 'b' })];
    deliver(state, [a]);
    state.page([b]).unsent(state.sinkId('a'));
    state.close(); // without a commit, as after a kill
    const next = openState({ path });
    expect(deliver(next, [a])).toEqual([a]);
    next.close();
  });

  it('is told apart by every part of an odd name', () => {
    const state = openState({ path: statePath() });
    const odd = [
      'urn:li:tag:a\0b',
      'urn:li:tag:a',
      'urn:li:tag:a\ud800',
      'urn:li:tag:a\ufffd',
      '"x"',
    ];
    for (const urn of odd) {
      const one = proposal(urn, { n: 1 });
      expect(deliver(state, [one])).toEqual([one]);
    }
    for (const urn of odd) expect(deliver(state, [proposal(urn, { n: 1 })])).toEqual([]);
    state.close();
  });

  it('never counts for a patch, which is always sent and leaves the aspect unknown', () => {
    const state = openState({ path: statePath() });
    const whole = proposal(URN, { n: 1 });
    const patch = proposal(URN, { patch: [] }, { changeType: 'PATCH' });
    deliver(state, [whole]);
    expect(deliver(state, [patch])).toEqual([patch]);
    expect(deliver(state, [patch])).toEqual([patch]);
    expect(deliver(state, [whole])).toEqual([whole]);
    state.close();
  });

  it('holds each event of a time series by itself, as long as it is given', () => {
    const state = openState({ path: statePath() });
    const at = (timestampMillis: number) => proposal(URN, { timestampMillis, rows: 1 });
    expect(deliver(state, [at(1), at(2)])).toHaveLength(2);
    expect(deliver(state, [at(1), at(2)])).toEqual([]);
    expect(deliver(state, [at(2), at(3)])).toEqual([at(3)]);
    expect(deliver(state, [at(1)])).toEqual([at(1)]);
    state.close();
  });

  it('is forgotten by a run that sends everything', () => {
    const path = statePath();
    const first = openState({ path });
    const one = proposal(URN, { n: 1 });
    deliver(first, [one]);
    first.complete(2, new Map());
    first.close();
    const full = openState({ path }, { full: true });
    expect(deliver(full, [one])).toEqual([one]);
    expect(deliver(full, [one])).toEqual([]);
    full.close();
  });

  it('stays out of memory', () => {
    const state = openState({ path: statePath() });
    const pages = Array.from({ length: 20 }, (_, page) =>
      Array.from({ length: 50 }, (__, n) => proposal(`urn:li:tag:${page * 50 + n}`, { n })),
    );
    for (const page of pages) deliver(state, page);
    expect(state.entitiesInMemory).toBe(0);
    state.close();
  });

  it('is not changed by a dry run', () => {
    const path = statePath();
    const first = openState({ path });
    deliver(first, [proposal(URN, { n: 1 })]);
    first.complete(2, new Map());
    first.close();
    const dry = openState({ path }, { now: 5 }, true);
    expect(deliver(dry, [proposal(URN, { n: 2 })])).toHaveLength(1);
    dry.complete(6, new Map());
    dry.close();
    const next = openState({ path });
    expect(next.sweep.number).toBe(2);
    expect(deliver(next, [proposal(URN, { n: 1 })])).toEqual([]);
    next.close();
  });
});
