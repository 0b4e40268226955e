/**
 * The searches that are asked of MLflow, as each version takes them.
 */

import { EXPERIMENT, MODEL_VERSION, REGISTERED_MODEL, RUN } from '../../mlflow/parse.js';
import type { RunHint } from '../../mlflow/filter/run-hint.js';
import { isPrompt, PROMPT_TAG } from '../../mlflow/prompt.js';
import type { Experiment, ModelVersion, RegisteredModel, Run } from '../../mlflow/types.js';
import type { Registered } from '../store.js';
import type { RestSettings } from './options.js';
import type { Search } from './read-pages.js';
import type { RunLane } from './run-lanes.js';

/** MLflow's SQL registry keeps deleted versions under this stage. */
export const DELETED_STAGE = 'Deleted_Internal';

/** What makes the registry's searches give the prompts alone, which they hide otherwise. */
const PROMPTS = { filter: `tags.\`${PROMPT_TAG}\` = 'true'` };

export type ViewType = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';

/** By id: numbers as numbers, since that is what the column is. */
export function experimentSearch(settings: RestSettings, viewType: ViewType): Search<Experiment> {
  return {
    reader: EXPERIMENT,
    key: 'experiments',
    pageSize: settings.experimentsPageSize,
    call: (maxResults, token) => ({
      method: 'POST',
      path: 'experiments/search',
      body: {
        max_results: maxResults,
        view_type: viewType,
        order_by: ['experiment_id ASC'],
        ...(token === undefined ? {} : { page_token: token }),
      },
    }),
    // A server that does not know the view pays no heed to it.
    ...(viewType === 'ALL' ? {} : { keep: viewType === 'ACTIVE_ONLY' ? isActive : isDeleted }),
  };
}

/**
 * Oldest first: what is created meanwhile comes at the end and shifts nothing. Runs without a start
 * have 0 for it; no server gives one whose start is NULL.
 */
export function runSearch(
  settings: RestSettings,
  modern: boolean,
  { experimentIds, from: start = 0, until }: Pick<RunLane, 'experimentIds' | 'from' | 'until'>,
  hint: RunHint = {},
): Search<Run> {
  const from = Math.max(start, hint.startedSince ?? 0);
  // 1.x knows the column under this name only. A missing start is NULL there, and below nothing.
  const terms = [
    ...(from > 0 ? [`attributes.start_time >= ${Math.floor(from)}`] : []),
    ...(until === undefined ? [] : [`attributes.start_time < ${until}`]),
    ...hintTerms(hint),
  ];
  const filter = terms.length === 0 ? undefined : terms.join(' AND ');
  return {
    ...runsOf(settings.runsPageSize, modern, experimentIds, 'ACTIVE_ONLY', filter),
    keep: isActive,
  };
}

/** MLflow's filters have no `OR`, and 1.28 no `IN` but for ids: only where there is one text for each. */
function hintTerms({ statuses = [], tags = [] }: RunHint): string[] {
  const [status] = statuses;
  return [
    ...(statuses.length === 1 ? [`attributes.status = '${status}'`] : []),
    ...tags.flatMap(({ key, values }) =>
      values.length === 1 ? [`tags.\`${key}\` = '${values[0]}'`] : [],
    ),
  ];
}

/** Runs by id, deleted ones too. For MLflow 2 and later; ids must hold no quotes. */
export function runSearchById(
  experimentIds: readonly string[],
  runIds: readonly string[],
): Search<Run> {
  const ids = runIds.map((id) => `'${id}'`).join(',');
  return runsOf(runIds.length, true, experimentIds, 'ALL', `attributes.run_id IN (${ids})`);
}

function runsOf(
  pageSize: number,
  modern: boolean,
  experimentIds: readonly string[],
  viewType: ViewType,
  filter?: string,
): Search<Run> {
  // 1.x orders by start time alone, and only under this name.
  const orderBy = ['attributes.start_time ASC', ...(modern ? ['attributes.run_id ASC'] : [])];
  return {
    reader: RUN,
    key: 'runs',
    pageSize,
    call: (maxResults, token) => ({
      method: 'POST',
      path: 'runs/search',
      body: {
        experiment_ids: experimentIds,
        run_view_type: viewType,
        max_results: maxResults,
        order_by: orderBy,
        ...(filter === undefined ? {} : { filter }),
        ...(token === undefined ? {} : { page_token: token }),
      },
    }),
  };
}

export function modelSearch(settings: RestSettings, what?: Registered): Search<RegisteredModel> {
  return {
    reader: REGISTERED_MODEL,
    key: 'registered_models',
    pageSize: settings.modelsPageSize,
    call: (maxResults, token) => ({
      method: 'GET',
      path: 'registered-models/search',
      query: {
        max_results: maxResults,
        ...(what === 'prompts' ? PROMPTS : {}),
        order_by: ['name ASC'],
        page_token: token,
      },
    }),
    keep: ({ tags }) => isPrompt(tags) === (what === 'prompts'),
  };
}

/** 1.x pays no heed to page size, token and order, and sends all that there is. */
export function versionSearch(
  settings: RestSettings,
  modern: boolean,
  what?: Registered,
): Search<ModelVersion> {
  return {
    reader: MODEL_VERSION,
    key: 'model_versions',
    pageSize: settings.versionsPageSize,
    call: (maxResults, token) => ({
      method: 'GET',
      path: 'model-versions/search',
      query: {
        max_results: maxResults,
        ...(what === 'prompts' ? PROMPTS : {}),
        ...(modern ? { order_by: ['name ASC', 'version_number ASC'] } : {}),
        page_token: token,
      },
    }),
    keep: ({ currentStage, tags }) =>
      currentStage !== DELETED_STAGE && isPrompt(tags) === (what === 'prompts'),
    heedsPageSize: modern,
  };
}

function isActive({ lifecycleStage }: { readonly lifecycleStage: string }): boolean {
  return lifecycleStage === 'active';
}

function isDeleted({ lifecycleStage }: { readonly lifecycleStage: string }): boolean {
  return lifecycleStage === 'deleted';
}
