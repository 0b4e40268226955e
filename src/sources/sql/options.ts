/**
 * What can be set for every SQL database: how much is read at a time.
 */

import { DEFAULT_WORKSPACE } from '../../mlflow/workspace.js';
import { pageSizeOption } from '../page-size-option.js';
import { workspaceOption } from '../workspace-option.js';

/** To be spread into a database's own options. */
export const pageSizes = {
  experimentsPageSize: pageSizeOption(1000, 'experiments'),
  runsPageSize: pageSizeOption(250, 'runs'),
  modelsPageSize: pageSizeOption(500, 'registered models'),
  versionsPageSize: pageSizeOption(1000, 'model versions'),
};

/** To be spread into a database's own options, too. */
export const workspaceOptions = {
  workspace: workspaceOption(`Otherwise MLFLOW_WORKSPACE, otherwise \`${DEFAULT_WORKSPACE}\``),
};

export type PageSizes = Readonly<Record<keyof typeof pageSizes, number>>;
