/**
 * Which workspace of a server is meant, as options and variables say it.
 */

import { PipelineError } from '../../core/errors.js';
import { WORKSPACE_HEADER } from '../../mlflow/client/headers.js';
import type { Env } from '../../mlflow/client/settings.js';
import { DEFAULT_WORKSPACE } from '../../mlflow/workspace.js';
import type { RunContext } from '../../stream/contracts.js';
import { checkedWorkspace, workspaceOfEnv } from '../workspace-option.js';
import type { RestOptions, RestSettings } from './options.js';

/**
 * The workspace that the options or MLflow's variable name: the option, the header among `headers`,
 * or MLFLOW_WORKSPACE. Undefined where that is left to the server.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage)
 */
export function namedWorkspace(
  { workspace, headers = {} }: Pick<RestOptions, 'workspace' | 'headers'>,
  env: Env,
): string | undefined {
  const [, header] = Object.entries(headers).find(([name]) => isWorkspaceHeader(name)) ?? [];
  const inHeader = checkedWorkspace('the header X-MLFLOW-WORKSPACE', header);
  if (workspace !== undefined && inHeader !== undefined && workspace !== inHeader) {
    throw invalid(
      `workspace says ${workspace}, and the header X-MLFLOW-WORKSPACE ${inHeader}: set one of them`,
    );
  }
  return workspace ?? inHeader ?? workspaceOfEnv(env);
}

/**
 * Warns where nothing but the header chooses the workspace: it did before, when ids did not hold it.
 */
export function warnOfHeader(
  { workspace, headers = {} }: Pick<RestOptions, 'workspace' | 'headers'>,
  { recorder }: RunContext,
): void {
  const named = namedWorkspace({ headers }, {});
  if (workspace !== undefined || named === undefined || named === DEFAULT_WORKSPACE) return;
  recorder.warn(
    'WORKSPACE_BY_HEADER',
    'The header X-MLFLOW-WORKSPACE chooses a workspace, whose name is part of all ids now: what was sent before it was has others, and stays in DataHub. The option workspace says the same without this warning',
    named,
  );
}

/** Without the header of a workspace, which requests get by the store that they are for. */
export function withoutWorkspace(settings: RestSettings): RestSettings {
  const { headers, ...others } = settings;
  if (headers === undefined) return settings;
  const kept = Object.entries(headers).filter(([name]) => !isWorkspaceHeader(name));
  return { ...others, headers: Object.fromEntries(kept) };
}

function isWorkspaceHeader(name: string): boolean {
  return name.toLowerCase() === WORKSPACE_HEADER;
}

function invalid(message: string): PipelineError {
  return new PipelineError(message, { code: 'INVALID_OPTIONS', category: 'usage' });
}
