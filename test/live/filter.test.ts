/**
 * Real servers take the filters that they are told, and give what filtering afterwards gives.
 */

import { copyFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { FilterRules } from '../../src/mlflow/filter/rules.js';
import { RECORD_KINDS } from '../../src/mlflow/records.js';
import { readMlflow } from '../../src/sources/mlflow-reader.js';
import { openRestStore } from '../../src/sources/rest/rest-store.js';
import { openSqliteStore } from '../../src/sources/sqlite/sqlite-store.js';
import type { MlflowStore } from '../../src/sources/store.js';
import type { RunContext } from '../../src/stream/contracts.js';
import { comparable, NOW } from '../sources/filtered-store/cases.js';
import { recordsOf } from '../sources/mlflow-reader/reading.js';
import { testContext } from '../sources/rest/open-store.js';
import { databaseWith } from '../support/database-of-content.js';
import { sampleContent, type ServerContent } from '../support/mlflow-server.js';
import { startMlflow } from './servers.js';

const DAY_MS = 86_400_000;

const FILTERS: readonly (readonly FilterRules[])[] = [
  [{ runs: { startedWithin: '5d' } }],
  [{ runs: { statuses: ['FINISHED'] } }],
  [{ runs: { tags: { allow: { team: 'core' } } } }],
  [{ runs: { tags: { allow: { 'mlflow.user': 'user0', 'Gold star': 'not yet' } } } }],
  [
    {
      experiments: { names: { deny: ['experiment 2'] } },
      runs: {
        startedWithin: '9d',
        statuses: ['FINISHED', 'FAILED'],
        tags: { allow: { 'a.b-c_d': 'x-1_y' }, deny: { team: 'CORE' } },
      },
      versions: { stages: ['Production'] },
    },
    { runs: { statuses: ['FINISHED'] } },
  ],
];

function content(): ServerContent {
  const made = sampleContent({ experiments: 3, runsPerExperiment: 16 });
  // MLflow 2.22 does not find ids by IN that are nothing but digits, of 3 million one.
  const idOf = (id: string): string => `a${id.slice(1)}`;
  for (const { info } of made.runs) info.run_id = idOf(info.run_id);
  for (const version of made.modelVersions) version.run_id = idOf(version.run_id ?? '');
  for (const [at, { info, data }] of made.runs.entries()) {
    info.start_time = NOW - (at % 12) * DAY_MS;
    data?.tags?.push(
      { key: 'team', value: ['core', 'CORE', 'ml'][at % 3] ?? '' },
      { key: 'Gold star', value: at % 2 === 0 ? 'not yet' : 'yes' },
      { key: 'a.b-c_d', value: at % 5 === 0 ? 'other' : 'x-1_y' },
    );
  }
  return made;
}

async function read(store: MlflowStore, context: RunContext, given: readonly FilterRules[]) {
  const source = readMlflow(store, context);
  const records = await recordsOf(source.read({ kinds: new Set(RECORD_KINDS), filters: given }));
  return { records, skipped: context.recorder.counts().skipped };
}

/** Without the server's facts, which a database does not know. */
const facts = (records: Parameters<typeof comparable>[0]) =>
  comparable(records)
    .map((text) => text.replace(/"server":\{[^}]*\}/, ''))
    .sort();

it.each(['1.28.0', '2.22.5', '3.17.2'] as const)(
  'MLflow %s gives over REST what is wanted, as its database does',
  async (version) => {
    const path = databaseWith(content(), version);
    const server = await startMlflow(version, (database) => copyFile(path, database));
    try {
      for (const given of FILTERS) {
        const context = testContext({ startedAt: NOW });
        const rest = await openRestStore({ uri: server.uri, retries: 0 }, context);
        const told = await read(rest, context, given);
        await rest.close();
        const ofDatabase = testContext({ startedAt: NOW });
        const sqlite = await openSqliteStore({ path: server.database }, ofDatabase);
        const untold: MlflowStore = {
          server: sqlite.server,
          ...(sqlite.loggedModels === undefined ? {} : { loggedModels: sqlite.loggedModels }),
          experiments: () => sqlite.experiments(),
          runs: (ids) => sqlite.runs(ids),
          registeredModels: () => sqlite.registeredModels(),
          modelVersions: () => sqlite.modelVersions(),
          runsById: (ids) => sqlite.runsById(ids),
          findGone: (keys) => sqlite.findGone(keys),
          count: () => sqlite.count(),
          close: () => sqlite.close(),
        };
        const filtered = await read(untold, ofDatabase, given);
        await sqlite.close();
        expect(facts(told.records)).toEqual(facts(filtered.records));
        const runs = told.records.filter(({ kind }) => kind === 'run');
        expect(runs.length).toBeGreaterThan(0);
        const left = Object.keys(told.skipped).filter((reason) => reason.startsWith('run'));
        const some = Object.keys(filtered.skipped).filter((reason) => reason.startsWith('run'));
        expect(some.length).toBeGreaterThan(left.length);
      }
    } finally {
      await server.stop();
    }
  },
);
