/**
 * Reaching the servers that are read, and finding out what they are.
 */

import { PipelineError } from '../../core/errors.js';
import { openMlflowClient, type MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { probeRegistry, probeServer } from '../../mlflow/probe.js';
import type { ServerFacts } from '../../mlflow/types.js';
import type { RunContext } from '../../stream/contracts.js';
import { chooseWorkspaces } from '../choose-workspaces.js';
import { clientOptions } from './client-options.js';
import { namedServers } from './named-servers.js';
import type { RestSettings } from './options.js';
import { RestWorkspaces } from './rest-workspaces.js';

export interface Server {
  readonly client: MlflowClient;
  /** Whether it is MLflow 2 or later. */
  readonly modern: boolean;
}

export interface Servers {
  readonly tracking: Server;
  readonly registry: Server;
}

export interface OpenServers {
  readonly facts: ServerFacts;
  readonly servers: Servers;
  readonly workspaces: RestWorkspaces;
  /** Empty where none is wanted. */
  readonly chosen: readonly string[];
}

/**
 * The workspace is chosen first, and what the servers are is asked from within: without one, a server
 * may answer nothing else.
 *
 * @param wanted - as `openRestStore` has it
 * @throws PipelineError as `openRestStore` does
 */
export async function openServers(
  settings: RestSettings,
  context: RunContext,
  wanted: string | undefined,
): Promise<OpenServers> {
  const { tracking, registry } = namedServers(settings, context.env);
  const client = await openMlflowClient(clientOptions(tracking, settings, context));
  const clients = [client];
  try {
    const other = registry && (await openMlflowClient(clientOptions(registry, settings, context)));
    if (other !== undefined) clients.push(other);
    const workspaces = new RestWorkspaces(client, other ?? client);
    const chosen = wanted === undefined ? [] : await choose(client, workspaces, wanted, context);
    const [first] = chosen;
    const { facts, modern } = await probedWithin(client, first, probeServer);
    const own = { client, modern };
    const servers = {
      tracking: own,
      registry:
        other === undefined
          ? own
          : { client: other, ...(await probedWithin(other, first, probeRegistry)) },
    };
    return { facts, servers, workspaces, chosen };
  } catch (error) {
    await Promise.all(clients.map((each) => each.close()));
    throw error;
  }
}

async function choose(
  client: MlflowClient,
  workspaces: RestWorkspaces,
  wanted: string,
  context: RunContext,
): Promise<readonly string[]> {
  try {
    return await chooseWorkspaces(client.address.shown, workspaces, wanted, context);
  } catch (error) {
    // Nor has what is no MLflow any: then that is to be said.
    if (error instanceof PipelineError && error.code === 'NO_WORKSPACES') await probeServer(client);
    throw error;
  }
}

/** @param workspace - undefined for the server's own choice */
async function probedWithin<T>(
  client: MlflowClient,
  workspace: string | undefined,
  probe: (client: MlflowClient) => Promise<T>,
): Promise<T> {
  const within = workspace === undefined ? client : client.inWorkspace(workspace);
  const probed = await probe(within);
  client.api = within.api;
  return probed;
}
