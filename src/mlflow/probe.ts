/**
 * Finds out what an MLflow server is before anything is read from it.
 */

import { PipelineError } from '../core/errors.js';
import { searchAnswer } from './answer.js';
import { HttpStatusError } from './client/failures.js';
import type { Call, MlflowClient } from './client/mlflow-client.js';
import type { ServerFacts } from './types.js';

/**
 * Where the API may be, behind the address's prefix. A server started with a static prefix and
 * older than 3 has it for its own pages only: what it calls `/api` stays at the root.
 */
export const APIS = ['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'];

/** What is found out about a tracking server. */
export interface Probe {
  readonly facts: ServerFacts;
  /** Whether it is MLflow 2 or later: what it can filter and order by depends on it. */
  readonly modern: boolean;
}

/**
 * Tries on first contact, at most: a wrong port should not take half a minute to be told, and a
 * server that is just restarting gets its chance.
 */
export const FIRST_RETRIES = 2;

/**
 * Asks two to four small questions, and finds out where the client's API is.
 *
 * @param client - in a workspace where one was chosen: a server may have none for other questions
 * @throws PipelineError `WRONG_ADDRESS` where there is no MLflow behind the address; those of the client
 */
export async function probeServer(client: MlflowClient): Promise<Probe> {
  const version = await readVersion(client);
  const { shown } = client.address;
  for (const api of APIS) {
    client.api = api;
    const searches = await hasList(client, SEARCH, 'experiments');
    const known = { uri: shown, webUrl: shown, searchesExperiments: searches };
    if (searches && version !== undefined) {
      return { facts: { ...known, version, versionText: version }, modern: true };
    }
    const lists = await listsExperiments(client, searches);
    if (searches) {
      // 2.0.0 took the list away. The version itself may be hidden by a proxy that passes /api only.
      const versionText = lists ? '1.28.0 or later 1.x' : '2.0.0 or later';
      return { facts: { ...known, versionText }, modern: !lists };
    }
    if (lists) return { facts: { ...known, versionText: 'older than 1.28.0' }, modern: false };
  }
  throw wrongAddress(shown, 'neither experiments/search nor experiments/list is there');
}

const SEARCH: Call = { method: 'POST', path: 'experiments/search', body: { max_results: 1 } };

/**
 * What is to be known of a server that is read for its models and versions only.
 *
 * @throws PipelineError `WRONG_ADDRESS`, those of the client
 */
export async function probeRegistry(client: MlflowClient): Promise<Pick<Probe, 'modern'>> {
  const modern = (await readVersion(client)) !== undefined;
  const path = 'registered-models/search';
  for (const api of APIS) {
    client.api = api;
    const call: Call = { method: 'GET', path, query: { max_results: 1 } };
    if (await hasList(client, call, 'registered_models')) return { modern };
  }
  throw wrongAddress(client.address.shown, `${path} is not there`);
}

function wrongAddress(shown: string, why: string): PipelineError {
  return new PipelineError(
    `${shown} is no MLflow server: ${why}. Check host, port and path prefix (the address is the ` +
      'one that opens in a browser)',
    { code: 'WRONG_ADDRESS', category: 'unavailable' },
  );
}

/**
 * What `GET /version` says; absent where it is not there, which includes every 1.x. With a static
 * prefix, 3.x serves it behind the prefix and 2.x without.
 */
export async function readVersion(client: MlflowClient): Promise<string | undefined> {
  for (const fromRoot of client.address.prefix === '' ? [false] : [false, true]) {
    try {
      const call: Call = { method: 'GET', path: '/version', fromRoot, retries: FIRST_RETRIES };
      const text = (await client.text(call)).trim();
      // Anything may answer there, such as a sign-on page: only a version counts.
      if (VERSION.test(text)) return text;
    } catch (error) {
      if (!(error instanceof HttpStatusError)) throw error;
    }
  }
  return undefined;
}

/** 2.0 and later: what answers otherwise is not MLflow's. */
const VERSION = /^(?:[2-9]|[1-9]\d+)\.\d+[\w.+-]{0,30}$/;

/** False where the endpoint does not exist. */
async function hasList(client: MlflowClient, call: Call, key: string): Promise<boolean> {
  try {
    searchAnswer(await client.json(call), key, client.describe(call));
    return true;
  } catch (error) {
    if (error instanceof HttpStatusError && error.status === 404) return false;
    throw error;
  }
}

/** @param searches - whether the server is MLflow for sure, so that nothing hangs on the answer */
async function listsExperiments(client: MlflowClient, searches: boolean): Promise<boolean> {
  const call: Call = {
    method: 'GET',
    path: 'experiments/list',
    query: { max_results: 1 },
  };
  try {
    return await hasList(client, call, 'experiments');
  } catch (error) {
    // In doubt it is taken for the older one, which is asked for less.
    if (searches && error instanceof HttpStatusError) return true;
    throw error;
  }
}
