/**
 * What can be set for every SQL database: how much is read at a time.
 */

import { z } from 'zod';
import { DEFAULT_WORKSPACE } from '../../mlflow/workspace.js';
import { workspaceOption } from '../workspace-option.js';

const pageSize = (fallback: number, what: string) =>
  z
    .int()
    .min(1)
    .max(10_000)
    .default(fallback)
    .describe(
      `How many ${what} are read and delivered at a time, at most: fewer where they are large`,
    );

/** To be spread into a database's own options. */
export const pageSizes = {
  experimentsPageSize: pageSize(1000, 'experiments'),
  runsPageSize: pageSize(250, 'runs'),
  modelsPageSize: pageSize(500, 'registered models'),
  versionsPageSize: pageSize(1000, 'model versions'),
};

/** To be spread into a database's own options, too. */
export const workspaceOptions = {
  workspace: workspaceOption(`Otherwise \`${DEFAULT_WORKSPACE}\``),
};

export type PageSizes = Readonly<Record<keyof typeof pageSizes, number>>;
