/**
 * One experiment with nearly all of the runs: several connections read it, and nothing is other than
 * where one does.
 */

import { expect, it } from 'vitest';
import { openSqlite } from '../../src/core/sqlite.js';
import { runOurs } from './ours.js';
import { asSet } from './proposals.js';
import { seedBulk } from './seed.js';
import { startMlflow } from './servers.js';

const BULK = { experiments: 1, runs: 1_200, models: 5, versions: 50, 'same-start': 200 };
/** MLflow stores 0 where a client names none. One whose start is NULL makes its search fail. */
const WITHOUT_START = 70;

it.each(['1.28.0', '2.22.5', '3.17.2'] as const)(
  'reads an experiment of MLflow %s over four connections as over one, runs without a start too',
  async (version) => {
    const server = await startMlflow(
      version,
      async (database) => {
        await seedBulk(version, database, BULK);
        const sqlite = openSqlite(database);
        sqlite.exec(`UPDATE runs SET start_time = 0 WHERE run_uuid IN (
          SELECT run_uuid FROM runs ORDER BY run_uuid LIMIT ${WITHOUT_START})`);
        sqlite.close();
      },
      2,
    );
    const read = async (concurrency: number) => {
      const source = { concurrency, runsPageSize: 40 };
      const { proposals, report } = await runOurs(server.uri, { restSource: source });
      expect(report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
      expect(report.counts.read).toMatchObject({ run: BULK.runs });
      return { proposals: asSet(proposals), requests: report.counts.requests };
    };
    try {
      const one = await read(1);
      const four = await read(4);
      expect(four.proposals).toEqual(one.proposals);
      // Those that look for where it can be cut: without them nothing has been shown.
      expect(four.requests).toBeGreaterThan(one.requests + 5);
    } finally {
      await server.stop();
    }
  },
);
