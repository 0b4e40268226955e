/**
 * Makes pages of records out of what a store gives.
 */

import { LINKED_PROMPTS_TAG, parseLinkedPrompts } from '../../mlflow/prompt.js';
import type { DatasetUse, MlflowRecord, RecordKind, RunRecord } from '../../mlflow/records.js';
import { modelIdOfSource } from '../../mlflow/parse-logged-model.js';
import { tagValue } from '../../mlflow/tag-value.js';
import type {
  LoggedModel,
  ModelVersion,
  Run,
  ServerFacts,
  VersionName,
} from '../../mlflow/types.js';
import { inWorkspace } from '../../mlflow/workspace.js';
import type { Page, ReadPlan, Rejection, RunContext } from '../../stream/contracts.js';
import type { JoinIndex } from '../join-index.js';
import type { StorePage } from '../store.js';
import type { VersionOrigins } from './version-origins.js';

export type RecordPage = Page<MlflowRecord>;

/** For one reading of a store. */
export class RecordPages {
  /** Of all active experiments, once these have been read. */
  readonly experimentNames = new Map<string, string>();

  constructor(
    readonly server: ServerFacts,
    private readonly context: RunContext,
    private readonly plan: ReadPlan,
    private readonly index: JoinIndex,
  ) {}

  wants(...kinds: RecordKind[]): boolean {
    return kinds.some((kind) => this.plan.kinds.has(kind));
  }

  /**
   * Leaves out what was read only to be joined.
   *
   * @param from - the store's page, with what else is said of it
   */
  of(
    records: readonly MlflowRecord[],
    from: Partial<Pick<StorePage<unknown>, 'rejected' | 'leftOut'>> = {},
  ): RecordPage {
    const { rejected = [], leftOut } = from;
    const wanted = records.filter(({ kind }) => this.plan.kinds.has(kind));
    for (const { kind } of wanted) if (kind !== 'server') this.context.recorder.read(kind);
    return {
      records: wanted,
      rejected: rejected.map((each) => this.#withOrigin(each)),
      ...(leftOut === undefined ? {} : { leftOut }),
    };
  }

  /** Runs, each with its versions behind it; the datasets that they use go into the index. */
  runs(runs: readonly Run[], versions: ReadonlyMap<string, ModelVersion[]>): MlflowRecord[] {
    const { server } = this;
    const records: MlflowRecord[] = [];
    const uses: DatasetUse[] = [];
    const promptsOf = this.#promptsOf(runs);
    for (const run of runs) {
      const { runId, experimentId, startTime } = run;
      const ofRun = versions.get(runId) ?? [];
      const name = this.experimentNames.get(experimentId) ?? experimentId;
      records.push({
        kind: 'run',
        server,
        run,
        experiment: { experimentId, name },
        versions: ofRun,
        ...promptsOf(run),
      });
      for (const version of ofRun) records.push({ kind: 'modelVersion', server, version, run });
      for (const input of run.datasetInputs) uses.push({ input, runId, startTime });
    }
    if (this.wants('dataset')) this.index.addDatasetUses(uses);
    return records;
  }

  /** Versions by themselves, each with its run, and without one with the logged model. */
  versions(versions: readonly ModelVersion[], origins: VersionOrigins): MlflowRecord[] {
    const { server } = this;
    const runs = new Map([...origins.sourceRuns, ...origins.runs].map((run) => [run.runId, run]));
    const models = new Map(origins.loggedModels.map((model) => [model.modelId, model]));
    return versions.map((version) => {
      const own = version.runId === undefined ? undefined : runs.get(version.runId);
      if (own !== undefined) return { kind: 'modelVersion', server, version, run: own };
      const loggedModel = models.get(modelIdOfSource(version.source) ?? '');
      // A run that it names and that is gone is not taken for another one.
      const source = version.runId === undefined ? loggedModel?.sourceRunId : undefined;
      const run = source === undefined ? undefined : runs.get(source);
      return {
        kind: 'modelVersion',
        server,
        version,
        ...(run === undefined ? {} : { run }),
        ...(loggedModel === undefined ? {} : { loggedModel }),
      };
    });
  }

  loggedModels(models: readonly LoggedModel[]): MlflowRecord[] {
    const { server } = this;
    return models.map((model) => {
      const { experimentId } = model;
      const name = this.experimentNames.get(experimentId) ?? experimentId;
      return { kind: 'loggedModel', server, model, experiment: { experimentId, name } };
    });
  }

  /**
   * Gives what is to be spread into a run's record; nothing where it used no prompt. What is deleted,
   * left out or elsewhere is not named: there is nothing in DataHub to link to.
   */
  #promptsOf(runs: readonly Run[]): (run: Run) => Pick<RunRecord, 'prompts'> {
    if (this.plan.prompts !== true) return () => ({});
    const used = new Map(runs.map((run) => [run, this.#linkedPrompts(run)] as const));
    const all = [...used.values()].flat();
    if (all.length === 0) return () => ({});
    const unknown = new Set(this.index.unknownVersions(all));
    return (run) => {
      const prompts = (used.get(run) ?? []).filter((prompt) => !unknown.has(prompt));
      return prompts.length === 0 ? {} : { prompts };
    };
  }

  #linkedPrompts({ runId, tags }: Run): readonly VersionName[] {
    const text = tagValue(tags, LINKED_PROMPTS_TAG);
    const prompts = text === undefined ? [] : parseLinkedPrompts(text);
    if (prompts !== undefined) return prompts;
    this.context.recorder.warn(
      'MALFORMED_LINKED_PROMPTS',
      `the tag ${LINKED_PROMPTS_TAG} of a run is no JSON list of names and versions, and is not followed`,
      inWorkspace(`run ${runId}`, this.server.workspace),
    );
    return [];
  }

  /** With what a later try needs to know: the item itself does not say where it came from. */
  #withOrigin(rejection: Rejection): Rejection {
    const { server } = this;
    const experimentId = experimentIdIn(rejection.content);
    const name = experimentId === undefined ? undefined : this.experimentNames.get(experimentId);
    const experiment =
      experimentId === undefined || name === undefined
        ? {}
        : { experiment: { experimentId, name } };
    const identity = inWorkspace(rejection.identity, server.workspace);
    return { ...rejection, identity, origin: { server, ...experiment } };
  }
}

/** Of a run as the server sent it. */
function experimentIdIn(content: unknown): string | undefined {
  const { info } = (content ?? {}) as {
    readonly info?: { readonly experiment_id?: unknown } | null;
  };
  const id = info?.experiment_id;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}
