/**
 * What can be set for a SQLite database, with its defaults.
 */

import { z } from 'zod';

const pageSize = (fallback: number, what: string) =>
  z
    .int()
    .min(1)
    .max(10_000)
    .default(fallback)
    .describe(`How many ${what} are read and delivered at a time`);

export const sqliteStoreOptions = z.strictObject({
  path: z.string().min(1).describe('The database file, relative to the current folder or absolute'),
  experimentsPageSize: pageSize(1000, 'experiments'),
  runsPageSize: pageSize(250, 'runs'),
  modelsPageSize: pageSize(500, 'registered models'),
  versionsPageSize: pageSize(1000, 'model versions'),
  lockTimeoutMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('How long to try again while another process has locked the database, milliseconds'),
});

/** As given, before the defaults are filled in. */
export type SqliteStoreOptions = z.input<typeof sqliteStoreOptions>;
export type SqliteStoreSettings = z.output<typeof sqliteStoreOptions>;
