/**
 * The checks that every source of MLflow's records must pass, for any test framework: what `Source`
 * and `OpenSource` promise, tried out.
 */

import {
  experimentKey,
  modelKey,
  parseRecordKey,
  runKey,
  type RecordKey,
} from '../mlflow/record-key.js';
import { RECORD_KINDS, type MlflowRecord } from '../mlflow/records.js';
import { memoryChecks } from './source-kit-memory.js';
import {
  keysOf,
  pagesOf,
  readAll,
  verifyEqual,
  whileOpen,
  type SourceCheck,
  type SourceSetup,
} from './source-setup.js';
import { verify, withSetups, type KitCheck } from './verify.js';

export interface SourceKitOptions {
  /** Makes a source over a store that nobody changes meanwhile; the same store each time will do. */
  readonly open: () => Promise<SourceSetup> | SourceSetup;
  /**
   * Whether its pages have positions, and so it goes on where a run with state broke off; the checks
   * for that and for a lookback are added. Default: no.
   */
  readonly remembers?: boolean;
}

/**
 * The checks for a source, each a name and a function that rejects when the source breaks its
 * contract.
 *
 * @example
 * const open = () => ({ source: mySource({ path: 'a-store' }) });
 * for (const check of sourceKit({ open })) test(check.name, () => check.run());
 */
export function sourceKit({ open, remembers = false }: SourceKitOptions): readonly KitCheck[] {
  return withSetups(open, [...checks, ...(remembers ? memoryChecks : [])]);
}

/** What no store has. */
function nowhereIn(workspace: string | undefined): readonly RecordKey[] {
  return [
    experimentKey('987654321', workspace),
    runKey('0123456789abcdef'.repeat(2), workspace),
    modelKey('a model that nobody ever made', workspace),
  ];
}

const checks: readonly SourceCheck[] = [
  {
    name: 'has a label of one line',
    run: ({ source }) => {
      verify(/^\S.*$/.test(source.label), `the label is ${JSON.stringify(source.label)}`);
      return Promise.resolve();
    },
  },
  {
    name: 'gives the server first, then everything once, and the same each time',
    run: async (setup) => {
      const [first, second] = await whileOpen(setup, async (open) => [
        await readAll(open),
        await readAll(open),
      ]);
      verify(first[0]?.kind === 'server', 'the first record is not the server');
      const others = first.filter(({ kind }) => kind === 'server').length;
      verify(others === 1, `the server comes ${others} times`);
      const keys = keysOf(first);
      verify(keys.length > 0, 'the store is empty: nothing can be said of the source');
      verify(new Set(keys).size === keys.length, 'something comes twice');
      verifyEqual(second, first, 'read a second time');
      verifyEqual(await whileOpen(setup, (open) => readAll(open)), first, 'opened a second time');
    },
  },
  {
    name: 'answers calls that overlap in their order',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        const expected = await pagesOf(open.read({ kinds: new Set(RECORD_KINDS) }));
        const pages = open.read({ kinds: new Set(RECORD_KINDS) })[Symbol.asyncIterator]();
        const answers = await Promise.all(
          Array.from({ length: expected.length + 3 }, () => pages.next()),
        );
        const found = answers.flatMap((each) => (each.done === true ? [] : [each.value]));
        verifyEqual(
          found.flatMap(({ records }) => records),
          expected.flatMap(({ records }) => records),
          'with calls that overlap',
        );
        verify(answers.at(-1)?.done === true, 'it does not end');
      }),
  },
  {
    name: 'gives only the kinds that are asked for, and these as ever',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        const all = await readAll(open);
        for (const kind of RECORD_KINDS) {
          const found = await readAll(open, [kind]);
          const other = found.find((record) => record.kind !== kind);
          verify(other === undefined, `asked for ${kind}, it gives ${other?.kind ?? ''}`);
          verifyEqual(sorted(found), sorted(all.filter((each) => each.kind === kind)), kind);
        }
      }),
  },
  {
    name: 'joins runs with their experiments and versions',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        verifyJoined(await readAll(open));
      }),
  },
  {
    name: 'counts as many as it gives, where it can say',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        const all = await readAll(open);
        const counts = await open.count({ kinds: new Set(RECORD_KINDS) });
        for (const [kind, count] of Object.entries(counts)) {
          const given = all.filter((record) => record.kind === kind).length;
          verify(count === given, `it counts ${count} of ${kind}, and gives ${given}`);
        }
      }),
  },
  {
    name: 'can be left in the middle, and read again',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        const expected = await readAll(open);
        for (const pages of [0, 1, 3]) {
          let left = pages;
          for await (const page of open.read({ kinds: new Set(RECORD_KINDS) })) {
            left -= page.records.length > 0 ? 1 : 0;
            if (left <= 0) break;
          }
        }
        verifyEqual(await readAll(open), expected, 'after it was left');
      }),
  },
  {
    name: 'ends with the reason when the run is broken off',
    run: async (setup) => {
      const controller = new AbortController();
      const reason = new Error('broken off');
      const read = whileOpen(
        setup,
        async (open) => {
          for await (const page of open.read({ kinds: new Set(RECORD_KINDS) })) {
            if (page.records.length > 0) controller.abort(reason);
          }
        },
        { signal: controller.signal },
      );
      const error = await read.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      verify(error === reason, `it ends with ${String(error)} instead of the reason`);
    },
  },
  {
    name: 'says of nothing that is there that it is gone, and of what is nowhere that it is',
    run: (setup) =>
      whileOpen(setup, async (open) => {
        if (open.findGone === undefined) return;
        const there = keysOf(await readAll(open)).filter(
          (key) => parseRecordKey(key).kind !== 'version',
        );
        // Of a workspace that is not read a source knows but that it is there, and not what is in it.
        const nowhere = nowhereIn(open.server.workspace);
        for (let start = 0; start === 0 || start < there.length; start += 400) {
          const gone = await open.findGone([...there.slice(start, start + 400), ...nowhere]);
          verifyEqual([...gone].sort(), [...nowhere].sort(), 'gone');
        }
      }),
  },
];

/** Ids are looked up in the workspace of the record alone. */
function verifyJoined(records: readonly MlflowRecord[]): void {
  const names = new Map<RecordKey, string>();
  const runs = new Map<RecordKey, string>();
  const versions = new Map<RecordKey, string[]>();
  for (const record of records) {
    const { workspace } = record.server;
    if (record.kind === 'experiment') {
      const { experimentId, name } = record.experiment;
      names.set(experimentKey(experimentId, workspace), name);
    } else if (record.kind === 'run') {
      const key = runKey(record.run.runId, workspace);
      runs.set(key, JSON.stringify(record.run));
      versions.set(key, record.versions.map((each) => JSON.stringify(each)).sort());
    }
  }
  verify(runs.size > 0, 'the store has no runs: nothing can be said of what they are joined with');
  const found = new Map<RecordKey, string[]>();
  for (const record of records) {
    const { workspace } = record.server;
    if (record.kind === 'run') {
      const { experimentId, name } = record.experiment;
      const isOfThat = names.get(experimentKey(experimentId, workspace)) === name;
      verify(isOfThat, `run ${record.run.runId} is of another experiment`);
    } else if (record.kind === 'modelVersion') {
      const { version, run } = record;
      if (version.runId === undefined) continue;
      const key = runKey(version.runId, workspace);
      if (!runs.has(key)) continue;
      verify(
        JSON.stringify(run) === runs.get(key),
        `version ${version.version} of ${version.name} does not come with its run`,
      );
      found.set(key, [...(found.get(key) ?? []), JSON.stringify(version)]);
    }
  }
  for (const [key, expected] of versions) {
    verifyEqual(found.get(key)?.sort() ?? [], expected, `versions of ${key}`);
  }
}

function sorted(records: readonly MlflowRecord[]): readonly string[] {
  return records.map((record) => JSON.stringify(record)).sort();
}
