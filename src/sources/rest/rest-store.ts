/**
 * MLflow's REST server as a store.
 */

import { PipelineError } from '../../core/errors.js';
import { parseOptions } from '../../core/options.js';
import { HttpStatusError, ResponseTooLargeError } from '../../mlflow/client/failures.js';
import { searchAnswer } from '../../mlflow/answer.js';
import { readItem } from '../../mlflow/parse.js';
import { compareText, compareVersions } from '../../mlflow/parse-values.js';
import type { RunHint } from '../../mlflow/filter/run-hint.js';
import type { RecordKey } from '../../mlflow/record-key.js';
import type {
  Experiment,
  ModelVersion,
  RegisteredModel,
  Run,
  ServerFacts,
} from '../../mlflow/types.js';
import { DEFAULT_WORKSPACE } from '../../mlflow/workspace.js';
import type { Rejection, RunContext } from '../../stream/contracts.js';
import type {
  AskedMetrics,
  FoundPoints,
  LoggedModels,
  MlflowStore,
  Registered,
  RunSelection,
  StoreCounts,
  StorePage,
  StoreWorkspaces,
} from '../store.js';
import { GoneRecords, type Patience } from './gone-records.js';
import { mayHaveLoggedModels, RestLoggedModels } from './logged-models.js';
import { readMetricPoints } from './metric-points.js';
import { restOptionsSchema, type RestOptions, type RestSettings } from './options.js';
import { withoutWorkspace } from './named-workspace.js';
import { openServers, type OpenServers, type Server, type Servers } from './open-servers.js';
import { readPages, type Search } from './read-pages.js';
import { readRuns } from './read-runs.js';
import { getRunsById, searchRunsById } from './runs-by-id.js';
import { experimentSearch, modelSearch, versionSearch } from './searches.js';
import { slices } from './slices.js';

/**
 * Opens the server that the options or MLflow's variables name: reaches it and finds out what it
 * is, with a few small requests. It is the server's own choice of a workspace, whatever the options
 * say: `readWorkspaces` chooses.
 *
 * @param wanted - the workspace that is going to be read, or `*` for all. It is chosen first, and the
 *   others asked from within: without one, a server may answer nothing else
 * @throws PipelineError `INVALID_OPTIONS`, `INVALID_URI`, `NO_TRACKING_URI`,
 *   `SERVER_CERT_UNREADABLE`, `NO_WORKSPACES`, `UNKNOWN_WORKSPACE` (usage); `WRONG_ADDRESS` and the
 *   client's `SOURCE_…` (unavailable)
 *
 * @example
 * const store = await openRestStore({ uri: 'http://127.0.0.1:5000' }, context);
 * for await (const { items } of store.experiments()) console.log(items.length);
 * await store.close();
 */
export async function openRestStore(
  options: RestOptions,
  context: RunContext,
  wanted?: string,
): Promise<MlflowStore> {
  const settings = withoutWorkspace(parseOptions('mlflowSource', restOptionsSchema, options));
  const { facts, servers, ...whole } = await openServers(settings, context, wanted);
  return new RestStore(context, settings, facts, servers, whole);
}

class RestStore implements MlflowStore {
  readonly loggedModels?: LoggedModels;
  readonly workspaces?: StoreWorkspaces;
  #allExperimentIds: Promise<readonly string[]> | undefined;
  readonly #gone: GoneRecords;

  /** @param whole - absent for a workspace of another store, with which it is closed */
  constructor(
    private readonly context: RunContext,
    private readonly settings: RestSettings,
    readonly server: ServerFacts,
    private readonly servers: Servers,
    private readonly whole?: Pick<OpenServers, 'workspaces' | 'chosen'>,
    private readonly patience: Patience = { unanswered: 0 },
  ) {
    if (whole !== undefined) {
      const { workspaces, chosen } = whole;
      this.workspaces = {
        ...(chosen.length === 0 ? {} : { chosen }),
        list: () => workspaces.list(),
        find: (name) => workspaces.find(name),
        lossOf: (name, error) => workspaces.lossOf(name, error),
        open: (name) => this.#inWorkspace(name),
      };
    }
    const { client, modern } = servers.tracking;
    if (mayHaveLoggedModels(server, modern)) {
      this.loggedModels = new RestLoggedModels({
        client,
        settings,
        recorder: context.recorder,
        everyExperiment: () => this.#everyExperiment(),
      });
    }
    this.#gone = new GoneRecords({
      context,
      settings,
      tracking: servers.tracking,
      registry: servers.registry,
      searchesExperiments: server.searchesExperiments,
      patience,
      everyExperiment: () => this.#everyExperiment(),
      ...(server.workspace === undefined ? {} : { workspace: server.workspace }),
    });
  }

  /** @throws PipelineError `MLFLOW_TOO_OLD` before 1.28.0 */
  experiments(): AsyncIterable<StorePage<Experiment>> {
    if (!this.server.searchesExperiments) {
      throw new PipelineError(
        `${this.server.uri} is MLflow ${this.server.versionText} and can't search experiments, ` +
          'which 1.28.0 brought: put versionGate() first among the operators, so that models and ' +
          'versions are read, or upgrade the server',
        { code: 'MLFLOW_TOO_OLD', category: 'unavailable' },
      );
    }
    const search = experimentSearch(this.settings, 'ACTIVE_ONLY');
    return readPages(this.servers.tracking.client, search, this.context.recorder);
  }

  runs(
    experimentIds: readonly string[],
    selection?: RunSelection,
    hint?: RunHint,
  ): AsyncIterable<StorePage<Run>> {
    const { settings } = this;
    const { recorder } = this.context;
    const reading = { ...this.servers.tracking, settings, recorder, hint };
    return readRuns(reading, experimentIds, selection);
  }

  registeredModels(what?: Registered): AsyncIterable<StorePage<RegisteredModel>> {
    const pages = this.#registered(modelSearch(this.settings, what));
    return what === 'prompts' ? this.#prompts(pages) : pages;
  }

  modelVersions(what?: Registered): AsyncIterable<StorePage<ModelVersion>> {
    const { modern } = this.servers.registry;
    const pages = this.#registered(versionSearch(this.settings, modern, what));
    if (what === 'prompts') return this.#prompts(pages);
    return modern ? pages : inStableOrder(pages, this.settings.versionsPageSize);
  }

  async runsById(runIds: readonly string[]): Promise<StorePage<Run>> {
    const { client, modern } = this.servers.tracking;
    const ids = [...new Set(runIds)];
    if (ids.length === 0) return { items: [], rejected: [] };
    if (!modern) return getRunsById(client, ids, this.settings.concurrency);
    const experimentIds = await this.#everyExperiment();
    return searchRunsById(client, experimentIds, ids, this.context.recorder);
  }

  metricPoints(asked: readonly AskedMetrics[]): Promise<readonly FoundPoints[]> {
    return readMetricPoints(this.servers.tracking.client, asked, this.settings.concurrency);
  }

  findGone(keys: readonly RecordKey[]): Promise<ReadonlySet<RecordKey>> {
    return this.#gone.find(keys);
  }

  /** Whatever fits into one page; runs don't, and cost the server most. */
  async count(): Promise<StoreCounts> {
    const { tracking, registry } = this.servers;
    const { settings } = this;
    const experiments = this.server.searchesExperiments
      ? await countOf(tracking, experimentSearch(settings, 'ACTIVE_ONLY'))
      : undefined;
    const registeredModels = await countOf(registry, modelSearch(settings));
    const modelVersions = await countOf(registry, versionSearch(settings, registry.modern));
    return {
      ...(experiments === undefined ? {} : { experiments }),
      ...(registeredModels === undefined ? {} : { registeredModels }),
      ...(modelVersions === undefined ? {} : { modelVersions }),
    };
  }

  async close(): Promise<void> {
    if (this.whole === undefined) return;
    const { tracking, registry } = this.servers;
    await Promise.all([...new Set([tracking.client, registry.client])].map((one) => one.close()));
  }

  #inWorkspace(name: string): MlflowStore {
    const inIt = ({ client, modern }: Server): Server => ({
      client: client.inWorkspace(name),
      modern,
    });
    const { tracking, registry } = this.servers;
    const inTracking = inIt(tracking);
    const servers = {
      tracking: inTracking,
      registry: registry.client === tracking.client ? inTracking : inIt(registry),
    };
    const facts =
      name === DEFAULT_WORKSPACE ? { ...this.server } : { ...this.server, workspace: name };
    return new RestStore(this.context, this.settings, facts, servers, undefined, this.patience);
  }

  /** Every experiment, deleted ones too: runs/search finds nothing without naming them. */
  async #everyExperiment(): Promise<readonly string[]> {
    const sweep = async (): Promise<readonly string[]> => {
      const ids: string[] = [];
      const search = experimentSearch(this.settings, 'ALL');
      const { client } = this.servers.tracking;
      for await (const { items } of readPages(client, search, this.context.recorder)) {
        for (const { experimentId } of items) ids.push(experimentId);
      }
      return ids;
    };
    this.#allExperimentIds ??= sweep();
    try {
      return await this.#allExperimentIds;
    } catch (error) {
      this.#allExperimentIds = undefined;
      throw error;
    }
  }

  /** 1.x has none, and knows no tags of versions; nor do the first of 2.x, whatever stands before them. */
  async *#prompts<T>(pages: AsyncIterable<StorePage<T>>): AsyncGenerator<StorePage<T>, undefined> {
    const { modern, client } = this.servers.registry;
    if (!modern) return;
    try {
      yield* pages;
    } catch (error) {
      if (!(error instanceof HttpStatusError) || error.status !== 400) throw error;
      this.context.recorder.warn(
        'PROMPTS_NOT_READ',
        'The server refuses to search for prompts, which MLflow 2.21 brought: none are read',
        client.address.shown,
      );
    }
  }

  async *#registered<T>(search: Search<T>): AsyncGenerator<StorePage<T>, undefined> {
    try {
      yield* readPages(this.servers.registry.client, search, this.context.recorder);
    } catch (error) {
      if (!isWithoutRegistry(error)) throw error;
      this.context.recorder.warn(
        'NO_MODEL_REGISTRY',
        'The server has no model registry (before MLflow 2 a file store has none): no models and versions are read',
        this.servers.registry.client.address.shown,
      );
    }
  }
}

/** 1.x answers so where its store is a folder. */
function isWithoutRegistry(error: unknown): boolean {
  return (
    error instanceof HttpStatusError &&
    (error.serverMessage ?? '').includes('Model registry functionality is unavailable')
  );
}

/** Undefined where one page does not hold them all. */
async function countOf<T>({ client }: Server, search: Search<T>): Promise<number | undefined> {
  const call = search.call(search.pageSize, undefined);
  try {
    const answer = searchAnswer(await client.json(call), search.key, client.describe(call));
    if (answer.token !== undefined) return undefined;
    return answer.items.filter((json) => {
      const { item } = readItem(search.reader, json);
      return item !== undefined && (search.keep?.(item) ?? true);
    }).length;
  } catch (error) {
    if (error instanceof ResponseTooLargeError || isWithoutRegistry(error)) return undefined;
    throw error;
  }
}

/** All of them, sorted by name and version, in pages as they were asked for. */
async function* inStableOrder(
  pages: AsyncIterable<StorePage<ModelVersion>>,
  pageSize: number,
): AsyncGenerator<StorePage<ModelVersion>, undefined> {
  const all: ModelVersion[] = [];
  const rejected: Rejection[] = [];
  for await (const page of pages) {
    for (const version of page.items) all.push(version);
    for (const rejection of page.rejected) rejected.push(rejection);
  }
  all.sort((a, b) => compareText(a.name, b.name) || compareVersions(a.version, b.version));
  if (rejected.length > 0) yield { items: [], rejected };
  for (const items of slices(all, pageSize)) yield { items, rejected: [] };
}
