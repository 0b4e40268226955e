/**
 * The source kit's checks for a source that is told of earlier sweeps.
 */

import { RECORD_KINDS, type MlflowRecord, type RunRecord } from '../mlflow/records.js';
import type { OpenSource } from '../stream/contracts.js';
import { verify } from './verify.js';
import { keysOf, pagesOf, verifyEqual, whileOpen, type SourceCheck } from './source-setup.js';
import { SweepMemory } from './sweep-memory.js';

/** So many breaks, at most, are tried out in a row of pages. */
const BREAKS = 12;

const read = (open: OpenSource, memory: SweepMemory) =>
  open.read({ kinds: new Set(RECORD_KINDS), memory });

export const memoryChecks: readonly SourceCheck[] = [
  {
    name: 'goes on where a sweep broke off, behind whichever page',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        const fresh = new SweepMemory();
        fresh.begin();
        const pages = await pagesOf(read(open, fresh));
        const expected = runsIn(pages.flatMap(({ records }) => records));
        verify(
          pages.some(({ position }) => position !== undefined),
          'no page has a position: a sweep that broke off would begin anew',
        );
        for (let cut = 0; cut < pages.length; cut += Math.ceil(pages.length / BREAKS)) {
          const memory = new SweepMemory();
          memory.begin();
          const before = await memory.deliver(read(open, memory), cut);
          const after = await memory.deliver(read(open, memory));
          verifyEqual(
            ids([...runsIn(before), ...runsIn(after)]),
            ids(expected),
            `runs of a sweep that broke off behind ${cut} pages`,
          );
          verifyEqual(
            [...new Set(keysOf([...before, ...after]))].sort(),
            [...keysOf(pages.flatMap(({ records }) => records))].sort(),
            `records of a sweep that broke off behind ${cut} pages`,
          );
        }
      }),
  },
  {
    name: 'is read over again where a position makes no sense',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        const memory = new SweepMemory();
        memory.begin();
        const expected = runsIn(await memory.deliver(read(open, memory)));
        const lanes = [...memory.positions.keys()];
        for (const value of ['', 'no position', '{}', 'null']) {
          const other = new SweepMemory();
          other.begin();
          for (const lane of lanes) other.positions.set(lane, value);
          const found = runsIn(await other.deliver(read(open, other)));
          verifyEqual(
            ids(found),
            ids(expected),
            `runs behind the position ${JSON.stringify(value)}`,
          );
        }
      }),
  },
  {
    name: 'gives in a lookback the runs since, and those that had not ended',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        const memory = new SweepMemory();
        memory.begin();
        const all = runsIn(await memory.deliver(read(open, memory)));
        memory.complete();
        const starts = all.map(({ run }) => run.startTime).sort((a, b) => a - b);
        for (const since of [starts[0], starts[starts.length >> 1], (starts.at(-1) ?? 0) + 1]) {
          if (since === undefined) continue;
          memory.begin(since);
          const found = runsIn(await memory.deliver(read(open, memory)));
          const expected = all.filter(
            ({ run: { startTime, status } }) => startTime >= since || status === 'RUNNING',
          );
          verifyEqual(ids(found), ids(expected), `runs since ${since}`);
          for (const key of keysOf(expected)) {
            verify(memory.thisSweep.has(key), `${key} was not confirmed`);
          }
        }
      }),
  },
];

function runsIn(records: readonly MlflowRecord[]): readonly RunRecord[] {
  return records.filter((record) => record.kind === 'run');
}

function ids(runs: readonly RunRecord[]): readonly string[] {
  return [...keysOf(runs)].sort();
}
