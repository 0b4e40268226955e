/**
 * What can be set for a folder of MLflow's, with its defaults.
 */

import { z } from 'zod';

const pageSize = (fallback: number, what: string) =>
  z
    .int()
    .min(1)
    .max(10_000)
    .default(fallback)
    .describe(
      `How many ${what} are read and delivered at a time, at most: fewer where they are large`,
    );

export const fileStoreOptions = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('The folder that MLflow writes (`mlruns`), relative to the current one or absolute'),
  experimentsPageSize: pageSize(200, 'experiments'),
  runsPageSize: pageSize(250, 'runs'),
  modelsPageSize: pageSize(200, 'registered models'),
  versionsPageSize: pageSize(500, 'model versions'),
  maxOpenFiles: z
    .int()
    .min(1)
    .max(1000)
    .default(16)
    .describe('How many files and folders are open at a time; more pay off on network drives'),
});

/** As given, before the defaults are filled in. */
export type FileStoreOptions = z.input<typeof fileStoreOptions>;
export type FileStoreSettings = z.output<typeof fileStoreOptions>;
