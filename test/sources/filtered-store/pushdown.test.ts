/**
 * Whether a store is told what is wanted, or what it gives is filtered afterwards: the same comes out.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FilterRules } from '../../../src/mlflow/filter/rules.js';
import { RECORD_KINDS } from '../../../src/mlflow/records.js';
import { openFileStore } from '../../../src/sources/file-store/file-store.js';
import { readMlflow } from '../../../src/sources/mlflow-reader.js';
import { openRestStore } from '../../../src/sources/rest/rest-store.js';
import { openSqliteStore } from '../../../src/sources/sqlite/sqlite-store.js';
import type { MlflowStore } from '../../../src/sources/store.js';
import type { RunContext } from '../../../src/stream/contracts.js';
import { SweepMemory } from '../../../src/testing/sweep-memory.js';
import { databaseWith } from '../../support/database-of-content.js';
import { FileStoreFolder } from '../../support/file-store.js';
import { change } from '../../support/mlflow-database.js';
import {
  sampleContent,
  startMlflowServer,
  type ServerContent,
} from '../../support/mlflow-server.js';
import { recordsOf } from '../mlflow-reader/reading.js';
import { openStore, testContext } from '../rest/open-store.js';
import { comparable, contents, filters, NOW } from './cases.js';

const KINDS = new Set(RECORD_KINDS);

type Open = (context: RunContext) => Promise<MlflowStore>;

/** The store, never told of what is wanted. */
function untold(store: MlflowStore): MlflowStore {
  return {
    server: store.server,
    ...(store.loggedModels === undefined ? {} : { loggedModels: store.loggedModels }),
    experiments: () => store.experiments(),
    runs: (ids, selection) => store.runs(ids, selection),
    registeredModels: () => store.registeredModels(),
    modelVersions: () => store.modelVersions(),
    runsById: (ids) => store.runsById(ids),
    findGone: (keys) => store.findGone(keys),
    count: () => store.count(),
    close: () => store.close(),
  };
}

/** @param since - of a lookback; undefined where nothing is remembered */
async function read(open: Open, given: readonly FilterRules[], isTold: boolean, since?: number) {
  const context = testContext({ startedAt: NOW });
  const store = await open(context);
  const source = readMlflow(isTold ? store : untold(store), context);
  const plan = { kinds: KINDS, filters: given };
  try {
    if (since === undefined) return comparable(await recordsOf(source.read(plan)));
    const memory = new SweepMemory();
    memory.begin();
    await memory.deliver(readMlflow(untold(store), context).read({ kinds: KINDS, memory }));
    memory.begin(since);
    return comparable(await memory.deliver(source.read({ ...plan, memory })));
  } finally {
    await source.close();
  }
}

async function expectTheSame(open: Open, given: readonly FilterRules[], since?: number) {
  expect(await read(open, given, true, since)).toEqual(await read(open, given, false, since));
}

const sinces = fc.constantFrom(undefined, undefined, NOW - 6 * 86_400_000);

const STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];

/** Experiments and runs of a look-alike server as files. */
function folderWith({ experiments, runs }: ServerContent): FileStoreFolder {
  const folder = new FileStoreFolder();
  for (const { experiment_id: id, name, lifecycle_stage: stage = 'active' } of experiments) {
    folder.experiment(id, [`name: ${name}`, `lifecycle_stage: ${stage}`]);
  }
  for (const { info, data } of runs) {
    folder.run(
      info.experiment_id,
      info.run_id,
      [
        `run_name: ${info.run_name ?? ''}`,
        `status: ${STATUSES.indexOf(info.status ?? '') + 1}`,
        `start_time: ${info.start_time ?? 0}`,
        `user_id: ${info.user_id ?? ''}`,
        `lifecycle_stage: ${info.lifecycle_stage ?? 'active'}`,
      ],
      Object.fromEntries((data?.tags ?? []).map(({ key, value }) => [`tags/${key}`, value])),
    );
  }
  return folder;
}

describe('a store that is told what is wanted', () => {
  it('gives the same over REST', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        filters,
        sinces,
        fc.constantFrom('1.28.0' as const, '2.22.5' as const, '3.17.2' as const),
        async (content, given, since, flavour) => {
          const server = await startMlflowServer({ flavour, content });
          try {
            const options = { uri: server.uri, runsPageSize: 3 };
            await expectTheSame((context) => openRestStore(options, context), given, since);
          } finally {
            await server.close();
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('gives the same out of a database', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        filters,
        sinces,
        fc.constantFrom('1.28.0' as const, '2.22.5' as const, '3.17.2' as const),
        async (content, given, since, version) => {
          const path = databaseWith(content, version);
          // What MLflow itself would not write.
          change(
            path,
            `UPDATE runs SET start_time = NULL, status = NULL WHERE run_uuid LIKE '%3'`,
            `UPDATE runs SET start_time = -5 WHERE run_uuid LIKE '%5'`,
          );
          const options = { path, runsPageSize: 3 };
          await expectTheSame((context) => openSqliteStore(options, context), given, since);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('gives the same out of files', async () => {
    await fc.assert(
      fc.asyncProperty(contents, filters, sinces, async (content, given, since) => {
        const { path } = folderWith(content);
        const options = { path, runsPageSize: 5 };
        await expectTheSame((context) => openFileStore(options, context), given, since);
      }),
      { numRuns: 8 },
    );
  });

  const plain: readonly FilterRules[] = [
    {
      runs: {
        startedWithin: '2d',
        statuses: ['FINISHED'],
        tags: { allow: { 'mlflow.user': 'user0', 'Gold star': 'yes|no', 'a`b': 'x' } },
      },
    },
  ];

  it('is told by a filter of a search what has one text, and nothing that needs quoting', async () => {
    const { store, context, asked } = await openStore({ content: sampleContent({ models: 0 }) });
    const reading = readMlflow(store, { ...context, startedAt: NOW });
    await recordsOf(reading.read({ kinds: KINDS, filters: plain }));
    const told = new Set(asked('runs/search').map(({ body }) => body['filter']));
    expect([...told]).toEqual([
      `attributes.start_time >= ${NOW - 2 * 86_400_000} AND attributes.status = 'FINISHED'` +
        " AND tags.`mlflow.user` = 'user0'",
    ]);
  });

  it('is told the age of logged models', async () => {
    const { store, context, asked } = await openStore({
      content: { ...sampleContent(), loggedModels: [] },
      flavour: '3.17.2',
    });
    const reading = readMlflow(store, { ...context, startedAt: NOW });
    const filters = ['4w', '2d'].map((createdWithin) => ({ loggedModels: { createdWithin } }));
    await recordsOf(reading.read({ kinds: KINDS, filters }));
    const told = new Set(asked('logged-models/search').map(({ body }) => body['filter']));
    expect([...told]).toEqual([`creation_timestamp >= ${NOW - 2 * 86_400_000}`]);
  });

  it('reads no run out of a database that is none of those', async () => {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 12 });
    for (const { info } of content.runs) info.start_time = NOW;
    const path = databaseWith(content, '2.22.5');
    const context = testContext({ startedAt: NOW });
    const source = readMlflow(await openSqliteStore({ path }, context), context);
    const [rules] = plain;
    const tags = { allow: { 'mlflow.user': 'user0' } };
    await recordsOf(source.read({ kinds: KINDS, filters: [{ runs: { ...rules?.runs, tags } }] }));
    await source.close();
    const { skipped, read: given } = context.recorder.counts();
    expect(skipped).toEqual({});
    expect(given['run']).toBe(1);
  });
});
