/**
 * What can be set for a SQLite database, with its defaults.
 */

import { z } from 'zod';
import { pageSizes, workspaceOptions } from '../sql/options.js';

export const sqliteStoreOptions = z.strictObject({
  path: z.string().min(1).describe('The database file, relative to the current folder or absolute'),
  ...workspaceOptions,
  ...pageSizes,
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
