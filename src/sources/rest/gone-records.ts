/**
 * Which records a server says are deleted, or does not know: asked by name, since what a search
 * leaves out may as well be hidden by a permission that was lost.
 */

import { messageOf, PipelineError } from '../../core/errors.js';
import { HttpStatusError } from '../../mlflow/client/failures.js';
import type { Call, JsonObject, MlflowClient } from '../../mlflow/client/mlflow-client.js';
import {
  experimentKey,
  loggedModelKey,
  modelKey,
  parseRecordKey,
  runKey,
  versionKey,
  type RecordKey,
} from '../../mlflow/record-key.js';
import { inWorkspace } from '../../mlflow/workspace.js';
import type { RunContext } from '../../stream/contracts.js';
import { inParallel } from './in-parallel.js';
import type { RestSettings } from './options.js';
import { readPages } from './read-pages.js';
import { searchRunsById } from './runs-by-id.js';
import { DELETED_STAGE, experimentSearch } from './searches.js';

export interface GoneRecordsOptions {
  readonly context: RunContext;
  readonly settings: RestSettings;
  readonly tracking: { readonly client: MlflowClient; readonly modern: boolean };
  readonly registry: { readonly client: MlflowClient };
  readonly searchesExperiments: boolean;
  readonly patience: Patience;
  /** That the records are in; absent for `default`. */
  readonly workspace?: string;
  /** Ids of all experiments, deleted ones too: runs/search finds nothing without naming them. */
  readonly everyExperiment: () => Promise<readonly string[]>;
}

interface RunState {
  readonly deleted: boolean;
  readonly experimentId?: string;
}

interface Version {
  readonly name: string;
  readonly version: string;
}

/** Questions in a row that found no answer, with all their retries, before no more are asked. */
const PATIENCE = 3;

/** Shared by all workspaces of a server: one that answers none in one of them is asked no more in others. */
export interface Patience {
  unanswered: number;
}

/** What is not answered for is kept. */
export class GoneRecords {
  readonly #options: GoneRecordsOptions;

  constructor(options: GoneRecordsOptions) {
    this.#options = options;
  }

  /** @throws the signal's reason once that is aborted, and nothing else */
  async find(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    const place = this.#options.workspace;
    const named = keys.map(parseRecordKey);
    const idsOf = (kind: 'experiment' | 'run' | 'loggedModel'): string[] =>
      named.flatMap((record) => (record.kind === kind ? [record.id] : []));
    const gone = new Set<RecordKey>();
    for (const id of await this.#experiments(idsOf('experiment')))
      gone.add(experimentKey(id, place));
    for (const id of await this.#runs(idsOf('run'))) gone.add(runKey(id, place));
    const models = named.flatMap((record) => (record.kind === 'model' ? [record.name] : []));
    const versions = named.filter((record) => record.kind === 'version');
    const goneModels = await this.#models(new Set([...models, ...namedTwice(versions)]));
    for (const name of models) if (goneModels.has(name)) gone.add(modelKey(name, place));
    for (const { name, version } of await this.#versions(versions, goneModels)) {
      gone.add(versionKey(name, version, place));
    }
    for (const id of await this.#loggedModels(idsOf('loggedModel'))) {
      gone.add(loggedModelKey(id, place));
    }
    return gone;
  }

  /** The server calls deleted ones unknown; those of a deleted experiment are gone with it. */
  async #loggedModels(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    const experimentOf = new Map<string, string>();
    await this.#each(ids, async (id) => {
      const call = get(`logged-models/${encodeURIComponent(id)}`, {});
      const answer = await this.#get(this.#options.tracking.client, call, `logged model ${id}`);
      const experimentId = part(part(part(answer, 'model'), 'info'), 'experiment_id');
      if (answer === UNKNOWN) gone.add(id);
      else if (typeof experimentId === 'string') experimentOf.set(id, experimentId);
    });
    const experiments = await this.#experiments([...new Set(experimentOf.values())]);
    for (const [id, experimentId] of experimentOf) if (experiments.has(experimentId)) gone.add(id);
    return gone;
  }

  async #experiments(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    const open = new Set(ids);
    if (open.size > 0 && this.#options.searchesExperiments) {
      const { context, settings, tracking } = this.#options;
      await this.#ask('deleted experiments', async () => {
        const search = experimentSearch(settings, 'DELETED_ONLY');
        for await (const { items } of readPages(tracking.client, search, context.recorder)) {
          for (const { experimentId } of items) {
            if (open.delete(experimentId)) gone.add(experimentId);
          }
          if (open.size === 0) return;
        }
      });
    }
    await this.#each(open, async (id) => {
      const call = get('experiments/get', { experiment_id: id });
      const answer = await this.#get(this.#options.tracking.client, call, `experiment ${id}`);
      if (answer === UNKNOWN || stageOf(answer, 'experiment') === 'deleted') gone.add(id);
    });
    return gone;
  }

  /** A run is gone with its experiment, too: a store of files marks but the experiment. */
  async #runs(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    const found = await this.#search(ids);
    await this.#each(
      ids.filter((id) => !found.has(id)),
      async (id) => {
        const call = get('runs/get', { run_id: id });
        const answer = await this.#get(this.#options.tracking.client, call, `run ${id}`);
        if (answer === UNKNOWN) gone.add(id);
        else if (answer !== undefined) {
          const info = part(part(answer, 'run'), 'info');
          const deleted = part(info, 'lifecycle_stage') === 'deleted';
          const experimentId = part(info, 'experiment_id');
          found.set(id, {
            deleted,
            ...(typeof experimentId === 'string' ? { experimentId } : {}),
          });
        }
      },
    );
    const experiments = await this.#experiments(
      [...found.values()].flatMap(({ deleted, experimentId }) =>
        deleted || experimentId === undefined ? [] : [experimentId],
      ),
    );
    for (const [id, { deleted, experimentId }] of found) {
      if (deleted || (experimentId !== undefined && experiments.has(experimentId))) gone.add(id);
    }
    return gone;
  }

  /** What one search tells of the runs: of those that it does not find, nothing. */
  async #search(ids: readonly string[]): Promise<Map<string, RunState>> {
    const { context, tracking, everyExperiment } = this.#options;
    const found = new Map<string, RunState>();
    if (ids.length === 0 || !tracking.modern) return found;
    await this.#ask('runs by their ids', async () => {
      const experiments = await everyExperiment();
      const { items } = await searchRunsById(tracking.client, experiments, ids, context.recorder);
      for (const { runId, lifecycleStage, experimentId } of items) {
        found.set(runId, { deleted: lifecycleStage === 'deleted', experimentId });
      }
    });
    return found;
  }

  async #models(names: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    await this.#each(names, async (name) => {
      const call = get('registered-models/get', { name });
      const what = `registered model ${name}`;
      if ((await this.#get(this.#options.registry.client, call, what)) === UNKNOWN) {
        gone.add(name);
      }
    });
    return gone;
  }

  /** @param goneModels - whose versions need not be asked for */
  async #versions(
    versions: readonly Version[],
    goneModels: ReadonlySet<string>,
  ): Promise<readonly Version[]> {
    const gone = versions.filter(({ name }) => goneModels.has(name));
    await this.#each(
      versions.filter(({ name }) => !goneModels.has(name)),
      async (one) => {
        const { name, version } = one;
        const call = get('model-versions/get', { name, version });
        const what = `model version ${name} version ${version}`;
        const answer = await this.#get(this.#options.registry.client, call, what);
        const stage = part(part(answer, 'model_version'), 'current_stage');
        if (answer === UNKNOWN || stage === DELETED_STAGE) gone.push(one);
      },
    );
    return gone;
  }

  async #each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
    await inParallel(items, this.#options.settings.concurrency, work);
  }

  /** The answer, or that there is no such thing, or undefined where neither is said. */
  async #get(
    client: MlflowClient,
    call: Call,
    what: string,
  ): Promise<JsonObject | typeof UNKNOWN | undefined> {
    return this.#ask(what, async () => {
      try {
        return await client.json(call);
      } catch (error) {
        if (isUnknown(error)) return UNKNOWN;
        throw error;
      }
    });
  }

  /** Undefined where a question finds no answer. Gives up on a server that answers none. */
  async #ask<T>(what: string, question: () => Promise<T>): Promise<T | undefined> {
    const { context, patience } = this.#options;
    if (patience.unanswered >= PATIENCE) return undefined;
    try {
      const answer = await question();
      patience.unanswered = 0;
      return answer;
    } catch (error) {
      context.signal.throwIfAborted();
      // What is refused is an answer of a kind, and the next question may be allowed.
      const failed = !(error instanceof PipelineError) || error.retryable;
      patience.unanswered = failed ? patience.unanswered + 1 : 0;
      context.recorder.warn(
        'GONE_NOT_CONFIRMED',
        'Some things were not found, and the server does not say that they are gone: they are kept',
        `${inWorkspace(what, this.#options.workspace)}: ${messageOf(error)}`,
      );
      return undefined;
    }
  }
}

/** The server's word that there is no such thing. */
const UNKNOWN = Symbol('unknown');

/**
 * A 404 alone is not enough: a proxy says that, too. Nor is an id called invalid: a proxy may have
 * lost the parameter.
 */
function isUnknown(error: unknown): boolean {
  return error instanceof HttpStatusError && error.errorCode === 'RESOURCE_DOES_NOT_EXIST';
}

function get(path: string, query: Call['query']): Call {
  return { method: 'GET', path, ...(query === undefined ? {} : { query }) };
}

function stageOf(answer: unknown, key: string): unknown {
  return part(part(answer, key), 'lifecycle_stage');
}

function part(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

/** Models of which several versions are asked for: deleting a model deletes them all. */
function namedTwice(versions: readonly Version[]): readonly string[] {
  const once = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of versions) (once.has(name) ? twice : once).add(name);
  return [...twice];
}
