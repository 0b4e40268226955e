/**
 * The workspaces of a server: which of them is meant, and which there are.
 */

import { PipelineError } from '../../core/errors.js';
import { HttpStatusError, wrongAnswer } from '../../mlflow/client/failures.js';
import {
  WORKSPACE_HEADER,
  type Call,
  type MlflowClient,
} from '../../mlflow/client/mlflow-client.js';
import type { Env } from '../../mlflow/client/settings.js';
import { compareText } from '../../mlflow/parse-values.js';
import { isWorkspaceName } from '../../mlflow/workspace.js';
import type { WorkspaceLoss } from '../store.js';
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
  const inHeader = checked('the header X-MLFLOW-WORKSPACE', header);
  if (workspace !== undefined && inHeader !== undefined && workspace !== inHeader) {
    throw invalid(
      `workspace says ${workspace}, and the header X-MLFLOW-WORKSPACE ${inHeader}: set one of them`,
    );
  }
  return workspace ?? inHeader ?? checked('MLFLOW_WORKSPACE', env['MLFLOW_WORKSPACE']);
}

/** Without the header of a workspace, which requests get by the store that they are for. */
export function withoutWorkspace(settings: RestSettings): RestSettings {
  const { headers, ...others } = settings;
  if (headers === undefined) return settings;
  const kept = Object.entries(headers).filter(([name]) => !isWorkspaceHeader(name));
  return { ...others, headers: Object.fromEntries(kept) };
}

/**
 * The names of all workspaces that may be seen, sorted.
 *
 * @throws PipelineError `NO_WORKSPACES` (usage) where a server is too old or has them turned off
 */
export async function listWorkspaces(
  tracking: MlflowClient,
  registry: MlflowClient,
): Promise<readonly string[]> {
  for (const client of new Set([tracking, registry])) await refuseWithout(client);
  const call = workspaceCall(tracking, 'workspaces');
  const { workspaces = [] } = await tracking.json(call);
  if (!Array.isArray(workspaces)) {
    throw wrongAnswer(tracking.describe(call), 'workspaces is no list');
  }
  const names = workspaces.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'name' in one && typeof one.name === 'string'
      ? one.name
      : '',
  );
  if (names.includes('')) {
    throw wrongAnswer(tracking.describe(call), 'a workspace has no name');
  }
  return names.sort(compareText);
}

/** A question about one, which is answered by the server as a whole. */
export function workspaceCall(client: MlflowClient, path: string): Call {
  // A path of its own: these endpoints came with version 3 of the API.
  return { method: 'GET', path: `${client.api.replace('/2.0/', '/3.0/')}/${path}` };
}

/**
 * Whether a request in a workspace failed because that has been deleted or is hidden by now. It is
 * asked for from within: then a server knows that there is none before it looks at permissions.
 *
 * @param clients - of the workspace, on each of its servers
 */
export async function workspaceLoss(
  clients: readonly MlflowClient[],
  name: string,
  error: unknown,
): Promise<WorkspaceLoss | undefined> {
  // Anything else is no refusal, and asking again may take all the retries that there are.
  if (!(error instanceof HttpStatusError) || ![403, 404].includes(error.status)) return undefined;
  for (const client of new Set(clients)) {
    try {
      await client.json(workspaceCall(client, `workspaces/${name}`));
    } catch (reason) {
      if (!(reason instanceof HttpStatusError)) return undefined;
      if (reason.errorCode === 'RESOURCE_DOES_NOT_EXIST') return 'deleted';
      if (reason.status === 403) return 'hidden';
      return undefined;
    }
  }
  return undefined;
}

async function refuseWithout(client: MlflowClient): Promise<void> {
  const { shown } = client.address;
  const refusal = (why: string): PipelineError =>
    new PipelineError(
      `${shown} ${why}, or leave out workspace (MLFLOW_WORKSPACE, X-MLFLOW-WORKSPACE)`,
      { code: 'NO_WORKSPACES', category: 'usage' },
    );
  try {
    const facts = await client.json(workspaceCall(client, 'server-info'));
    if (facts['workspaces_enabled'] === true) return;
  } catch (error) {
    if (!(error instanceof HttpStatusError) || error.status !== 404) throw error;
    throw refusal('has no workspaces, which MLflow 3.10 brought: upgrade it');
  }
  throw refusal('has workspaces turned off: start it with --enable-workspaces');
}

/** As MLflow takes it: without blanks around it, and an empty one as if it were not there. */
function checked(what: string, text = ''): string | undefined {
  const name = text.trim();
  if (name === '' || isWorkspaceName(name)) return name === '' ? undefined : name;
  throw invalid(`${what} says ${JSON.stringify(name)}, which is no name of a workspace`);
}

function isWorkspaceHeader(name: string): boolean {
  return name.toLowerCase() === WORKSPACE_HEADER;
}

function invalid(message: string): PipelineError {
  return new PipelineError(message, { code: 'INVALID_OPTIONS', category: 'usage' });
}
