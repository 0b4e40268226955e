import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatasetUse } from '../../src/mlflow/records.js';
import type { ModelVersion } from '../../src/mlflow/types.js';
import { JoinIndex } from '../../src/sources/join-index.js';

let index: JoinIndex;
beforeEach(() => {
  index = JoinIndex.open();
});
afterEach(() => {
  index.close();
});

function version(name: string, number: number, runId?: string): ModelVersion {
  return {
    name,
    version: String(number),
    currentStage: 'None',
    creationTimestamp: 1,
    lastUpdatedTimestamp: 2,
    status: 'READY',
    tags: [{ key: '__proto__', value: 'a "quoted" \0 text' }],
    aliases: [],
    ...(runId === undefined ? {} : { runId }),
  };
}

function use(name: string, startTime: number, runId: string, more: object = {}): DatasetUse {
  return {
    runId,
    startTime,
    input: {
      dataset: { name, digest: 'd', sourceType: 'local', source: '{}', ...more },
      tags: [],
    },
  };
}

function names(versions: readonly ModelVersion[] | undefined): string[] {
  return (versions ?? []).map((one) => `${one.name} ${one.version}`);
}

describe('versions', () => {
  it('are all given for a run where that is asked for, and then count as given', () => {
    index.addVersions([version('a', 1, 'r1'), version('a', 2, 'r1'), version('b', 1, 'r2')]);
    index.setAliases('a', [{ alias: 'champion', version: '2' }]);
    expect(names(index.remainingVersions(1))).toEqual(['a 1']);
    const all = index.allVersionsOfRuns(['r1', 'unknown']);
    expect([...all.keys()]).toEqual(['r1']);
    expect(names(all.get('r1'))).toEqual(['a 1', 'a 2']);
    expect(all.get('r1')?.[1]?.aliases).toEqual(['champion']);
    expect(index.allVersionsOfRuns(['r1'])).toEqual(all);
    expect(index.takeVersionsOfRuns(['r1'])).toEqual(new Map());
    expect(names(index.remainingVersions(9))).toEqual(['b 1']);
    expect(index.remainingVersions(9)).toEqual([]);
  });

  it('are known by name and number, given or not', () => {
    index.addVersions([version('a', 1, 'r1'), version('a \0 b', 2)]);
    index.takeVersionsOfRuns(['r1']);
    const asked = [
      { name: 'a', version: '1' },
      { name: 'a', version: '01' },
      { name: 'a', version: '2' },
      { name: 'A', version: '1' },
      { name: 'a \0 b', version: '2' },
      { name: 'a \0 c', version: '2' },
    ];
    expect(index.unknownVersions(asked)).toEqual([asked[1], asked[2], asked[3], asked[5]]);
    expect(index.unknownVersions([])).toEqual([]);
  });

  it('go out with their run once, by name and number', () => {
    index.addVersions([version('b', 1, 'r1'), version('a', 10, 'r1'), version('a', 9, 'r1')]);
    index.addVersions([version('c', 1, 'r2'), version('d', 1), version('e', 1, 'gone')]);
    const taken = index.takeVersionsOfRuns(['r1', 'r2', 'unknown']);
    expect([...taken.keys()].sort()).toEqual(['r1', 'r2']);
    expect(names(taken.get('r1'))).toEqual(['a 9', 'a 10', 'b 1']);
    expect(taken.get('r2')).toEqual([version('c', 1, 'r2')]);
    expect(index.takeVersionsOfRuns(['r1']).size).toBe(0);
    expect(names(index.remainingVersions(1))).toEqual(['d 1']);
    expect(names(index.remainingVersions(9))).toEqual(['e 1']);
    expect(index.remainingVersions(9)).toEqual([]);
  });

  it('get the aliases of their model, whichever comes first', () => {
    index.setAliases('a', [
      { alias: 'zeta', version: '1' },
      { alias: 'champion', version: '1' },
      { alias: 'old', version: '2' },
    ]);
    index.addVersions([version('a', 1, 'r'), version('a', 2, 'r'), version('b', 1, 'r')]);
    index.setAliases('a', [
      { alias: 'zeta', version: '1' },
      { alias: 'champion', version: '1' },
    ]);
    index.setAliases('b', [{ alias: 'late', version: '1' }]);
    const taken = index.takeVersionsOfRuns(['r']).get('r');
    expect(taken?.map((one) => one.aliases)).toEqual([['champion', 'zeta'], [], ['late']]);
  });

  it('keep names apart that differ after a NUL', () => {
    index.addVersions([version('a\0b', 1, 'r\0b'), version('a\0c', 1, 'r\0c')]);
    index.setAliases('a\0c', [{ alias: 'x', version: '1' }]);
    expect(index.takeVersionsOfRuns(['r\0c']).get('r\0c')).toEqual([
      { ...version('a\0c', 1, 'r\0c'), aliases: ['x'] },
    ]);
    expect(names(index.remainingVersions(5))).toEqual(['a\0b 1']);
  });

  it('added later are found, too', () => {
    index.addVersions([version('m', 1)]);
    expect(names(index.remainingVersions(5))).toEqual(['m 1']);
    index.addVersions([version('a', 1), version('b', 1, 'r')]);
    expect(names(index.takeVersionsOfRuns(['r']).get('r'))).toEqual(['b 1']);
    expect(names(index.remainingVersions(5))).toEqual(['a 1']);
  });

  it('are given exactly once, in order, whatever is asked for', () => {
    const runIds = fc.constantFrom('r1', 'r2', 'r3', 'r4');
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.record({
            name: fc.constantFrom('a', 'b', 'B', 'ä', 'z,('),
            number: fc.integer({ min: 1, max: 30 }),
            runId: fc.option(runIds, { nil: undefined }),
          }),
          { selector: ({ name, number }) => `${name} ${number}`, maxLength: 60 },
        ),
        fc.array(fc.array(runIds, { maxLength: 3 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 10 }),
        (rows, asked, limit) => {
          const fresh = JoinIndex.open();
          const plain = new Map(rows.map((row) => [`${row.name} ${row.number}`, row]));
          const inOrder = () =>
            [...plain.values()].sort(
              (a, b) =>
                Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || a.number - b.number,
            );
          fresh.addVersions(rows.map((row) => version(row.name, row.number, row.runId)));
          for (const ids of asked) {
            const got = fresh.takeVersionsOfRuns(ids);
            for (const id of new Set(ids)) {
              const expected = inOrder().filter((row) => row.runId === id);
              expect(names(got.get(id))).toEqual(expected.map((r) => `${r.name} ${r.number}`));
              for (const row of expected) plain.delete(`${row.name} ${row.number}`);
            }
          }
          const rest: ModelVersion[] = [];
          for (let page; (page = fresh.remainingVersions(limit)).length > 0;) {
            expect(page.length).toBeLessThanOrEqual(limit);
            rest.push(...page);
          }
          expect(names(rest)).toEqual(inOrder().map((row) => `${row.name} ${row.number}`));
          fresh.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('datasets', () => {
  it('keep the use by the run with the greatest start time, then id, for each source type', () => {
    index.addDatasetUses([use('iris', 5, 'b'), use('iris', 7, 'a'), use('iris', 7, 'b')]);
    index.addDatasetUses([use('iris', 7, 'a'), use('iris', 6, 'z', { sourceType: 's3' })]);
    index.addDatasetUses([
      use('wine', 1, 'a', { digest: '2' }),
      use('wine', 1, 'a', { digest: '1' }),
    ]);
    expect(index.datasets(1)).toEqual([
      { name: 'iris', uses: [use('iris', 6, 'z', { sourceType: 's3' }), use('iris', 7, 'b')] },
    ]);
    expect(index.datasets(5, 'iris')).toEqual([
      { name: 'wine', uses: [use('wine', 1, 'a', { digest: '2' })] },
    ]);
    expect(index.datasets(5, 'wine')).toEqual([]);
  });

  it('are the same whatever the order and size of what is added', () => {
    const source = 'x'.repeat(300_000);
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            name: fc.constantFrom('a', 'b', 'c'),
            sourceType: fc.constantFrom('local', 's3'),
            startTime: fc.integer({ min: 0, max: 5 }),
            runId: fc.constantFrom('r1', 'r2', 'r3'),
            digest: fc.constantFrom('1', '2'),
          }),
          { maxLength: 80 },
        ),
        (rows) => {
          const uses = rows.map(({ name, startTime, runId, ...more }) =>
            use(name, startTime, runId, { ...more, source }),
          );
          const plain = new Map<string, DatasetUse>();
          const rank = (one: DatasetUse) =>
            [one.startTime, one.runId, one.input.dataset.digest].join(' ');
          for (const one of uses) {
            const id = `${one.input.dataset.name} ${one.input.dataset.sourceType}`;
            const best = plain.get(id);
            if (best === undefined || rank(one) > rank(best)) plain.set(id, one);
          }
          const fresh = JoinIndex.open();
          for (const one of uses) fresh.addDatasetUses([one]);
          const got = fresh.datasets(10);
          fresh.close();
          expect(got.map(({ name }) => name)).toEqual(
            [...new Set(rows.map(({ name }) => name))].sort(),
          );
          expect(got.flatMap(({ uses: list }) => list.map(rank)).sort()).toEqual(
            [...plain.values()].map(rank).sort(),
          );
          for (const { uses: list } of got) {
            const ranks = list.map((one) => `${one.startTime} ${one.runId}`);
            expect(ranks).toEqual([...ranks].sort());
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the scratch file', () => {
  it('lets 200,000 versions cost bounded memory', async () => {
    const child = fileURLToPath(new URL('join-index-child.ts', import.meta.url));
    const jiti = fileURLToPath(import.meta.resolve('jiti/register'));
    // Whoever holds on to them runs out of the heap.
    const limits = ['--max-old-space-size=64', '--max-semi-space-size=2'];
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...limits,
      ...['--import', jiti, child],
    ]);
    const { taken, rest, grownMegabytes } = JSON.parse(stdout) as Record<string, number>;
    expect([taken, rest]).toEqual([100_000, 100_000]);
    // Their content alone is 110 MB as text.
    expect(grownMegabytes).toBeLessThan(100);
  });

  it('leaves nothing behind, and closes twice', () => {
    const folder = mkdtempSync(join(tmpdir(), 'join-index-test-'));
    const one = JoinIndex.open(folder);
    one.addVersions([version('a', 1)]);
    one.close();
    one.close();
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it('that cannot be made is an error that says where', () => {
    const missing = join(tmpdir(), 'join-index-no-such-folder', 'x');
    expect(() => JoinIndex.open(missing)).toThrow(
      expect.objectContaining({
        code: 'SCRATCH_UNAVAILABLE',
        message: expect.stringContaining(missing) as string,
      }) as Error,
    );
  });
});
