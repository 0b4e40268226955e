/**
 * What can be set for a folder of MLflow's, with its defaults.
 */

import { z } from 'zod';
import { pageSizeOption } from '../page-size-option.js';

export const fileStoreOptions = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('The folder that MLflow writes (`mlruns`), relative to the current one or absolute'),
  experimentsPageSize: pageSizeOption(200, 'experiments'),
  runsPageSize: pageSizeOption(250, 'runs'),
  modelsPageSize: pageSizeOption(200, 'registered models'),
  versionsPageSize: pageSizeOption(500, 'model versions'),
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
