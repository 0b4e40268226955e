/**
 * Runs by their ids, deleted ones too: in batches on MLflow 2 and later, one by one on 1.x.
 */

import {
  wrongAnswer,
  HttpStatusError,
  ResponseTooLargeError,
} from '../../mlflow/client/failures.js';
import type { Call, MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { readItem, RUN } from '../../mlflow/parse.js';
import type { Run } from '../../mlflow/types.js';
import type { Rejection } from '../../stream/contracts.js';
import type { Recorder } from '../../stream/recorder.js';
import type { StorePage } from '../store.js';
import { inParallel } from './in-parallel.js';
import { oversizedRejection, readPages } from './read-pages.js';
import { runSearchById } from './searches.js';
import { slices } from './slices.js';

/** Ids in a request. MLflow's parser of filters takes 1,000 and refuses 5,000. */
const IDS_PER_SEARCH = 500;

/** Experiments in a request: each is a variable of the server's SQL, and databases bound these. */
const EXPERIMENTS_PER_SEARCH = 5_000;

/** What MLflow makes of a run's id; anything else names no run, and could break out of a filter. */
const RUN_ID = /^[A-Za-z0-9][\w-]{0,255}$/;

/**
 * By `attributes.run_id IN (...)`.
 *
 * @param experimentIds - all that there are, deleted ones too: without, runs/search finds nothing
 */
export async function searchRunsById(
  client: MlflowClient,
  experimentIds: readonly string[],
  runIds: readonly string[],
  recorder: Recorder,
): Promise<StorePage<Run>> {
  const found = new Map<string, Run>();
  const rejected: Rejection[] = [];
  for (const batch of slices(runIds.filter(isRunId), IDS_PER_SEARCH)) {
    let missing: readonly string[] = batch;
    for (const experiments of slices(experimentIds, EXPERIMENTS_PER_SEARCH)) {
      if (missing.length === 0) break;
      for await (const page of readPages(client, runSearchById(experiments, missing), recorder)) {
        for (const run of page.items) found.set(run.runId, run);
        rejected.push(...page.rejected);
      }
      missing = missing.filter((id) => !found.has(id));
    }
  }
  return { items: inOrderOf(runIds, found), rejected };
}

/**
 * By runs/get.
 *
 * @param concurrency - requests at a time
 */
export async function getRunsById(
  client: MlflowClient,
  runIds: readonly string[],
  concurrency: number,
): Promise<StorePage<Run>> {
  const found = new Map<string, Run>();
  const rejected = new Map<string, Rejection>();
  await inParallel(runIds.filter(isRunId), concurrency, async (id) => {
    const outcome = await getRun(client, id);
    if (outcome?.item !== undefined) found.set(id, outcome.item);
    else if (outcome !== undefined) rejected.set(id, outcome.rejection);
  });
  return { items: inOrderOf(runIds, found), rejected: inOrderOf(runIds, rejected) };
}

type Outcome =
  | { readonly item: Run; readonly rejection?: undefined }
  | { readonly item?: undefined; readonly rejection: Rejection };

/** Undefined where there is no such run. */
async function getRun(client: MlflowClient, id: string): Promise<Outcome | undefined> {
  const call: Call = { method: 'GET', path: 'runs/get', query: { run_id: id } };
  try {
    const { run } = await client.json(call);
    if (run === undefined) throw wrongAnswer(client.describe(call), 'it has no run');
    return readItem(RUN, run);
  } catch (error) {
    if (error instanceof ResponseTooLargeError) {
      return { rejection: oversizedRejection(error, RUN, id) };
    }
    // File stores call an id that they don't know invalid.
    if (error instanceof HttpStatusError && UNKNOWN_RUN.has(error.errorCode ?? ''))
      return undefined;
    throw error;
  }
}

const UNKNOWN_RUN = new Set(['RESOURCE_DOES_NOT_EXIST', 'INVALID_PARAMETER_VALUE']);

function isRunId(id: string): boolean {
  return RUN_ID.test(id);
}

function inOrderOf<T>(ids: readonly string[], found: ReadonlyMap<string, T>): T[] {
  return ids.flatMap((id) => {
    const item = found.get(id);
    return item === undefined ? [] : [item];
  });
}
