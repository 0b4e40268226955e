/**
 * MLflow's searches over plain arrays, with the differences between its versions (all of them seen
 * on real servers).
 */

import type { ServerContent, WireExperiment, WireModel, WireRun, WireVersion } from './content.js';
import type { LoggedRequest, Reply } from './faults.js';
import { ifSeen, invalid, json, missing, unknown } from './replies.js';
import { runFilter } from './run-filter.js';

/** The version that the server passes for. */
export type Flavour = '1.27.0' | '1.28.0' | '2.22.5' | '3.17.2';

/** The server's answers, apart from HTTP. */
export interface Look {
  readonly flavour: Flavour;
  readonly content: ServerContent;
  /** What the user may not see; taken out after the page is cut, as MLflow's basic-auth does. */
  readonly hides: (item: object) => boolean;
}

type Answer = (look: Look, request: LoggedRequest) => Reply;

/** The endpoints of a flavour, by method and path: `POST runs/search`. */
export function endpointsOf(flavour: Flavour): ReadonlyMap<string, Answer> {
  const endpoints = new Map<string, Answer>([
    ['POST runs/search', searchRuns],
    ['GET runs/get', getRun],
    ['GET metrics/get-history', getMetricHistory],
    ['GET experiments/get', getExperiment],
    ['GET registered-models/search', searchModels],
    ['GET registered-models/get', getModel],
    ['GET model-versions/search', searchVersions],
    ['GET model-versions/get', getVersion],
  ]);
  if (flavour !== '1.27.0') {
    endpoints.set('POST experiments/search', searchExperiments);
    endpoints.set('GET experiments/search', searchExperiments);
  }
  if (!isModern(flavour)) endpoints.set('GET experiments/list', listExperiments);
  if (flavour.startsWith('3.')) endpoints.set('POST logged-models/search', searchLoggedModels);
  return endpoints;
}

export function isModern(flavour: Flavour): boolean {
  return !flavour.startsWith('1.');
}

function searchExperiments(look: Look, request: LoggedRequest): Reply {
  const { max, offset, orderBy } = paging(request, 0);
  if (max < 1 || max > 50_000) return invalid(`Invalid value ${max} for parameter 'max_results'`);
  const known = ['experiment_id', 'name', ...(isModern(look.flavour) ? ['creation_time'] : [])];
  const unordered = orderBy.find((order) => !known.includes(column(order)));
  if (unordered !== undefined) return invalid(`Invalid order by key '${unordered}'`);
  const found = look.content.experiments
    .filter((one) => isViewed(one.lifecycle_stage, parameter(request, 'view_type')))
    .sort((a, b) => Number(a.experiment_id) - Number(b.experiment_id));
  if (orderBy.length === 0) found.reverse();
  return page(look, 'experiments', found, max, offset, (one) =>
    renderExperiment(one, look.flavour),
  );
}

function renderExperiment(experiment: WireExperiment, flavour: Flavour): object {
  const { creation_time: created, last_update_time: updated, ...rest } = experiment;
  return isModern(flavour) ? { ...rest, creation_time: created, last_update_time: updated } : rest;
}

function getExperiment(look: Look, request: LoggedRequest): Reply {
  const id = parameter(request, 'experiment_id');
  if (id === '') return missing('experiment_id');
  const one = look.content.experiments.find(({ experiment_id: known }) => known === id);
  if (one === undefined) return unknown(`No Experiment with id=${id} exists`);
  return ifSeen(look, one, () => ({ experiment: renderExperiment(one, look.flavour) }));
}

function listExperiments(look: Look, request: LoggedRequest): Reply {
  const { max, offset } = paging(request, 1_000);
  const found = look.content.experiments.filter((one) =>
    isViewed(one.lifecycle_stage, 'ACTIVE_ONLY'),
  );
  return page(look, 'experiments', found, max, offset, (one) => one);
}

function searchRuns(look: Look, request: LoggedRequest): Reply {
  const { max, offset, orderBy } = paging(request, 1_000);
  const modern = isModern(look.flavour);
  if (max > 50_000 || (modern && max < 1)) {
    return invalid(`Invalid value ${max} for parameter 'max_results' supplied`);
  }
  for (const order of orderBy) {
    if (!modern && (!order.startsWith('attributes.') || column(order) === 'run_id')) {
      return invalid(`Invalid attribute key '${column(order)}' specified`);
    }
  }
  const filter = parameter(request, 'filter');
  const isFiltered = runFilter(filter, modern);
  if (isFiltered === undefined) return invalid(`Invalid clause(s) in filter string: ${filter}`);
  const experiments = request.body['experiment_ids'];
  const found = look.content.runs.filter(
    (run) =>
      Array.isArray(experiments) &&
      experiments.includes(run.info.experiment_id) &&
      isViewed(run.info.lifecycle_stage, parameter(request, 'run_view_type')) &&
      isFiltered(run),
  );
  const byStart = orderBy.some((order) => column(order) === 'start_time');
  const sign = byStart ? 1 : -1; // the default order is newest first
  found.sort((a, b) => byStartTime(a, b, sign) || byId(a, b));
  return page(look, 'runs', found, max, offset, (run) => renderRun(run, look.flavour));
}

/** Missing ones last, in either direction, as all of MLflow's stores have it. */
function byStartTime({ info: a }: WireRun, { info: b }: WireRun, sign: number): number {
  if (a.start_time === undefined || b.start_time === undefined) {
    return Number(a.start_time === undefined) - Number(b.start_time === undefined);
  }
  return sign * (a.start_time - b.start_time);
}

function getRun(look: Look, request: LoggedRequest): Reply {
  const id = parameter(request, 'run_id');
  if (id === '') return missing('run_id');
  const run = look.content.runs.find(({ info }) => info.run_id === id);
  if (run === undefined) return unknown(`Run with id=${id} not found`);
  return ifSeen(look, run, () => ({ run: renderRun(run, look.flavour) }));
}

/**
 * In the order of the rows, whatever is asked; 3.x has pages, by time, where they are asked for, and
 * alone looks whether there is such a run.
 */
function getMetricHistory(look: Look, request: LoggedRequest): Reply {
  const id = parameter(request, 'run_id');
  if (id === '') return missing('run_id');
  const name = parameter(request, 'metric_key');
  if (name === '') return missing('metric_key');
  const paged = look.flavour.startsWith('3.');
  const run = look.content.runs.find(({ info }) => info.run_id === id);
  if (run === undefined) return paged ? unknown(`Run with id=${id} not found`) : json({});
  const all = run.history ?? run.data?.metrics ?? [];
  const found = all.filter(({ key }) => key === name);
  return ifSeen(look, run, () => {
    if (!paged) return found.length === 0 ? {} : { metrics: found };
    const { max, offset } = paging(request, found.length);
    found.sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0) || (a.step ?? 0) - (b.step ?? 0));
    const more = offset + max < found.length;
    const metrics = found.slice(offset, offset + max);
    return {
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(more ? { next_page_token: offsetToken(offset + max) } : {}),
    };
  });
}

function renderRun(run: WireRun, flavour: Flavour): object {
  const { run_name: name, ...info } = run.info;
  if (!isModern(flavour)) return { info, data: run.data };
  const outputs = flavour.startsWith('3.') ? { outputs: {} } : {};
  return {
    info: { ...info, run_name: name },
    data: run.data,
    inputs: run.inputs ?? {},
    ...outputs,
  };
}

/** With the filters that are asked for: by ids, or by the time that they were made. */
function searchLoggedModels(look: Look, request: LoggedRequest): Reply {
  const { max, offset } = paging(request, 100);
  const filter = parameter(request, 'filter');
  const since = /^creation_timestamp >= (\d+)$/.exec(filter)?.[1];
  const ids = /^model_id IN \((.*)\)$/.exec(filter)?.[1]?.split(',');
  if (filter !== '' && since === undefined && ids === undefined) {
    return invalid(`Invalid filter string: ${filter}`);
  }
  const experiments = request.body['experiment_ids'];
  const found = (look.content.loggedModels ?? [])
    .filter(
      ({ info }) =>
        Array.isArray(experiments) &&
        experiments.includes(info.experiment_id) &&
        (since === undefined || (info.creation_timestamp_ms ?? 0) >= Number(since)) &&
        (ids === undefined || ids.includes(`'${info.model_id}'`)),
    )
    .sort((a, b) => compare(a.info.model_id, b.info.model_id));
  return page(look, 'models', found, max, offset, (model) => model);
}

function searchModels(look: Look, request: LoggedRequest): Reply {
  const { max, offset } = paging(request, 100);
  if (max > 1_000) return invalid(`Invalid value ${max} for parameter 'max_results' supplied`);
  const prompts = wantsPrompts(request);
  const found = look.content.registeredModels
    .filter(({ tags }) => isPrompt(tags) === prompts)
    .sort((a, b) => compare(a.name, b.name));
  return page(look, 'registered_models', found, max, offset, (model) => renderModel(look, model));
}

function renderModel({ content, flavour }: Look, model: WireModel): object {
  const { aliases, ...rest } = model;
  const versions = model.latest_versions ?? latestVersions(content, model);
  return { ...rest, latest_versions: versions, ...(isModern(flavour) ? { aliases } : {}) };
}

function getModel(look: Look, request: LoggedRequest): Reply {
  const name = parameter(request, 'name');
  if (name === '') return missing('name');
  const model = look.content.registeredModels.find((one) => one.name === name);
  if (model === undefined) return unknown(`Registered Model with name=${name} not found`);
  return ifSeen(look, model, () => ({ registered_model: renderModel(look, model) }));
}

/** A deleted version stays in the table, and is not found by that. */
function getVersion(look: Look, request: LoggedRequest): Reply {
  const [name, version] = [parameter(request, 'name'), parameter(request, 'version')];
  if (name === '' || version === '') return missing(name === '' ? 'name' : 'version');
  const found = look.content.modelVersions.find(
    (one) =>
      one.name === name && one.version === version && one.current_stage !== 'Deleted_Internal',
  );
  if (found === undefined) {
    return unknown(`Model Version (name=${name}, version=${version}) not found`);
  }
  return ifSeen(look, found, () => ({ model_version: found }));
}

function searchVersions(look: Look, request: LoggedRequest): Reply {
  const { max, offset, orderBy } = paging(request, 200_000);
  const prompts = wantsPrompts(request);
  const found = look.content.modelVersions.filter(
    (version) => version.current_stage !== 'Deleted_Internal' && isPrompt(version.tags) === prompts,
  );
  if (!isModern(look.flavour)) {
    // No paging and no order that could be asked for.
    found.sort((a, b) => (b.last_updated_timestamp ?? 0) - (a.last_updated_timestamp ?? 0));
    return json({ model_versions: found.filter((version) => !look.hides(version)) });
  }
  if (max > 200_000) return invalid(`Invalid value "${max}" for parameter 'max_results' supplied`);
  if (orderBy.length > 0) {
    found.sort((a, b) => compare(a.name, b.name) || Number(a.version) - Number(b.version));
  }
  return page(look, 'model_versions', found, max, offset, (version) => version);
}

/** One for each stage, the newest; in no useful order. */
function latestVersions(content: ServerContent, model: WireModel): WireVersion[] {
  const latest = new Map<string, WireVersion>();
  for (const version of content.modelVersions) {
    if (version.name !== model.name || version.current_stage === 'Deleted_Internal') continue;
    const stage = version.current_stage ?? 'None';
    if (Number(version.version) >= Number(latest.get(stage)?.version ?? 0)) {
      latest.set(stage, version);
    }
  }
  return [...latest.values()];
}

function page<T extends object>(
  look: Look,
  key: string,
  found: readonly T[],
  max: number,
  offset: number,
  render: (item: T) => object,
): Reply {
  const cut = found.slice(offset, offset + max);
  // 3.x knows whether there is more; the others give a token after any full page.
  const more = look.flavour.startsWith('3.') ? offset + max < found.length : cut.length === max;
  const items = cut.filter((item) => !look.hides(item)).map(render);
  return json({
    ...(items.length === 0 ? {} : { [key]: items }),
    ...(more ? { next_page_token: offsetToken(offset + max) } : {}),
  });
}

/** As MLflow writes it. */
export function offsetToken(offset: number): string {
  return Buffer.from(`{"offset": ${offset}}`).toString('base64');
}

interface Paging {
  readonly max: number;
  readonly offset: number;
  readonly orderBy: readonly string[];
}

/** @throws RangeError where the token is none of MLflow's */
function paging(request: LoggedRequest, defaultMax: number): Paging {
  const { query, body, method } = request;
  const max = method === 'GET' ? query.get('max_results') : body['max_results'];
  const orderBy = method === 'GET' ? query.getAll('order_by') : (body['order_by'] ?? []);
  const token = parameter(request, 'page_token');
  return {
    max: max === null || max === undefined ? defaultMax : Number(max),
    offset: token === '' ? 0 : offsetIn(token),
    orderBy: orderBy as string[],
  };
}

function offsetIn(token: string): number {
  try {
    return (JSON.parse(Buffer.from(token, 'base64').toString()) as { offset: number }).offset;
  } catch {
    throw new RangeError('Invalid page token');
  }
}

/** Empty where it was not sent. */
function parameter(request: LoggedRequest, name: string): string {
  const value = request.method === 'GET' ? request.query.get(name) : request.body[name];
  return typeof value === 'string' ? value : '';
}

function isViewed(stage: string | undefined, viewType: string): boolean {
  const active = (stage ?? 'active') === 'active';
  return viewType === 'ALL' || (viewType === 'DELETED_ONLY' ? !active : active);
}

/** Prompts are given where their tag is asked for, and then nothing else is. */
function wantsPrompts(request: LoggedRequest): boolean {
  return parameter(request, 'filter') === "tags.`mlflow.prompt.is_prompt` = 'true'";
}

function isPrompt(tags: readonly { key: string; value: string }[] | undefined): boolean {
  return (tags ?? []).some(
    ({ key, value }) => key === 'mlflow.prompt.is_prompt' && value === 'true',
  );
}

function column(order: string): string {
  return order.replace(/^attributes\./, '').replace(/ (ASC|DESC)$/, '');
}

function byId(a: WireRun, b: WireRun): number {
  return compare(a.info.run_id, b.info.run_id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
