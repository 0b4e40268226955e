/**
 * What a server says of its workspaces: these questions are answered whether or not it has one for
 * requests that name none.
 */

import { PipelineError } from '../../core/errors.js';
import { HttpStatusError, wrongAnswer } from '../../mlflow/client/failures.js';
import type { Call, MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { compareText } from '../../mlflow/parse-values.js';
import { APIS, FIRST_RETRIES } from '../../mlflow/probe.js';
import type { StoreWorkspaces, WorkspaceLoss } from '../store.js';

type Asked = Pick<StoreWorkspaces, 'list' | 'find' | 'lossOf'>;

/** Where the questions go on a server that has workspaces. */
interface Server {
  readonly client: MlflowClient;
  /** A path of its own: these endpoints came with version 3 of the API. */
  readonly api: string;
}

/**
 * The workspaces of a server, or of two that have the same. Every question but `lossOf` throws
 * `NO_WORKSPACES` (usage) where a server is too old or has them turned off; that is asked once.
 */
export class RestWorkspaces implements Asked {
  readonly #clients: readonly MlflowClient[];
  #servers: Promise<readonly Server[]> | undefined;

  /** @param registry - may be the same as `tracking` */
  constructor(tracking: MlflowClient, registry: MlflowClient) {
    this.#clients = [...new Set([tracking, registry])];
  }

  async list(): Promise<readonly string[]> {
    const [tracking] = await this.#known();
    if (tracking === undefined) return [];
    const call = about(tracking, 'workspaces');
    const { workspaces = [] } = await tracking.client.json(call);
    if (!Array.isArray(workspaces)) {
      throw wrongAnswer(tracking.client.describe(call), 'workspaces is no list');
    }
    const names = workspaces.map((one: unknown) =>
      typeof one === 'object' && one !== null && 'name' in one && typeof one.name === 'string'
        ? one.name
        : '',
    );
    if (names.includes('')) {
      throw wrongAnswer(tracking.client.describe(call), 'a workspace has no name');
    }
    return names.sort(compareText);
  }

  /**
   * Asked from within it: then a server knows that there is none before it looks at permissions, and
   * says so to people who may see no others.
   */
  async find(name: string): Promise<'there' | WorkspaceLoss> {
    const said = new Set<'there' | WorkspaceLoss>();
    for (const server of await this.#known()) said.add(await findOn(server, name));
    const [first = 'there'] = said;
    // What is deleted on one of them only can't be read whole, but is not gone.
    return said.size > 1 ? 'hidden' : first;
  }

  async lossOf(name: string, error: unknown): Promise<WorkspaceLoss | undefined> {
    // Anything else is no refusal, and asking again may take all the retries that there are.
    if (!(error instanceof HttpStatusError) || ![403, 404].includes(error.status)) return undefined;
    try {
      const found = await this.find(name);
      return found === 'there' ? undefined : found;
    } catch {
      return undefined;
    }
  }

  async #known(): Promise<readonly Server[]> {
    this.#servers ??= Promise.all(this.#clients.map(serverWithWorkspaces));
    try {
      return await this.#servers;
    } catch (error) {
      // That there are none is an answer, and a failure is not.
      const isAnswer = error instanceof PipelineError && error.category === 'usage';
      if (!isAnswer) this.#servers = undefined;
      throw error;
    }
  }
}

async function findOn(server: Server, name: string): Promise<'there' | WorkspaceLoss> {
  try {
    await server.client.inWorkspace(name).json(about(server, `workspaces/${name}`));
    return 'there';
  } catch (error) {
    if (!(error instanceof HttpStatusError)) throw error;
    if (error.errorCode === 'RESOURCE_DOES_NOT_EXIST') return 'deleted';
    if (error.status === 403) return 'hidden';
    throw error;
  }
}

/** @throws PipelineError `NO_WORKSPACES` (usage) */
async function serverWithWorkspaces(client: MlflowClient): Promise<Server> {
  const { shown } = client.address;
  const refusal = (why: string): PipelineError =>
    new PipelineError(
      `${shown} ${why}, or leave out workspace (MLFLOW_WORKSPACE, X-MLFLOW-WORKSPACE)`,
      { code: 'NO_WORKSPACES', category: 'usage' },
    );
  // Where the API is may not be known yet: what is found out first is the workspace.
  for (const known of new Set([client.api, ...APIS])) {
    const server = { client, api: known.replace('/2.0/', '/3.0/') };
    const call = { ...about(server, 'server-info'), retries: FIRST_RETRIES };
    try {
      const facts = await client.json(call);
      if (facts['workspaces_enabled'] === true) return server;
      throw refusal('has workspaces turned off: start it with --enable-workspaces');
    } catch (error) {
      if (!(error instanceof HttpStatusError) || error.status !== 404) throw error;
    }
  }
  throw refusal('has no workspaces, which MLflow 3.10 brought: upgrade it');
}

function about({ api }: Server, path: string): Call {
  return { method: 'GET', path: `${api}/${path}` };
}
