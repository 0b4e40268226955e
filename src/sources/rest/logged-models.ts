/**
 * Logged models of a server of MLflow 3.
 */

import { HttpStatusError } from '../../mlflow/client/failures.js';
import type { MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { isModelId } from '../../mlflow/parse-logged-model.js';
import { LOGGED_MODEL } from '../../mlflow/parse.js';
import type { LoggedModel, ServerFacts } from '../../mlflow/types.js';
import type { Rejection } from '../../stream/contracts.js';
import type { Recorder } from '../../stream/recorder.js';
import type { LoggedModels, StorePage } from '../store.js';
import type { RestSettings } from './options.js';
import { readPages, type Search } from './read-pages.js';
import { slices } from './slices.js';

/** Ids in a request. MLflow's parser of filters takes 1,000 and refuses 5,000. */
const IDS_PER_SEARCH = 500;

/** Each is a variable of the server's SQL, and databases bound these. */
const EXPERIMENTS_PER_LOOKUP = 5_000;

export interface RestLoggedModelsOptions {
  readonly client: MlflowClient;
  readonly settings: RestSettings;
  readonly recorder: Recorder;
  /** Ids of all experiments, deleted ones too: the search finds nothing without naming them. */
  readonly everyExperiment: () => Promise<readonly string[]>;
}

/** Whether a server can have any, as far as its version tells. */
export function mayHaveLoggedModels({ version }: ServerFacts, modern: boolean): boolean {
  return version === undefined ? modern : Number.parseInt(version, 10) >= 3;
}

export class RestLoggedModels implements LoggedModels {
  constructor(private readonly options: RestLoggedModelsOptions) {}

  /** Oldest first: what is made meanwhile comes at the end and shifts nothing. */
  async *all(
    experimentIds: readonly string[],
    since?: number,
  ): AsyncGenerator<StorePage<LoggedModel>, undefined> {
    const { client, settings, recorder } = this.options;
    const filter =
      since === undefined ? undefined : `creation_timestamp >= ${Math.max(0, Math.floor(since))}`;
    try {
      for (const ids of slices(experimentIds, settings.experimentsPerSearch)) {
        yield* readPages(client, loggedModelSearch(settings.runsPageSize, ids, filter), recorder);
      }
    } catch (error) {
      if (!isWithoutLoggedModels(error)) throw error;
    }
  }

  async byId(modelIds: readonly string[]): Promise<StorePage<LoggedModel>> {
    const { client, settings, recorder, everyExperiment } = this.options;
    const items: LoggedModel[] = [];
    const rejected: Rejection[] = [];
    const ids = [...new Set(modelIds)].filter(isModelId);
    try {
      for (const some of slices(ids, IDS_PER_SEARCH)) {
        const filter = `model_id IN (${some.map((id) => `'${id}'`).join(',')})`;
        for (const experiments of slices(await everyExperiment(), EXPERIMENTS_PER_LOOKUP)) {
          const search = loggedModelSearch(settings.runsPageSize, experiments, filter);
          for await (const page of readPages(client, search, recorder)) {
            items.push(...page.items);
            rejected.push(...page.rejected);
          }
        }
      }
    } catch (error) {
      if (!isWithoutLoggedModels(error)) throw error;
    }
    return { items, rejected };
  }
}

function loggedModelSearch(
  pageSize: number,
  experimentIds: readonly string[],
  filter?: string,
): Search<LoggedModel> {
  return {
    reader: LOGGED_MODEL,
    key: 'models',
    pageSize,
    call: (maxResults, token) => ({
      method: 'POST',
      path: 'logged-models/search',
      body: {
        experiment_ids: experimentIds,
        max_results: maxResults,
        order_by: [
          { field_name: 'creation_timestamp', ascending: true },
          { field_name: 'model_id', ascending: true },
        ],
        ...(filter === undefined ? {} : { filter }),
        ...(token === undefined ? {} : { page_token: token }),
      },
    }),
  };
}

/** A server that does not tell its version may be one of before MLflow 3. */
function isWithoutLoggedModels(error: unknown): boolean {
  return (
    error instanceof HttpStatusError &&
    error.status === 404 &&
    error.errorCode !== 'RESOURCE_DOES_NOT_EXIST'
  );
}
