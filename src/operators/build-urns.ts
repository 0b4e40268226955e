/**
 * `buildUrns`: gives every record the URNs of what it becomes, and of what that refers to.
 */

import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import {
  dataPlatformInstanceUrn,
  datasetUrn,
  experimentUrn,
  FABRIC_TYPES,
  mlModelGroupUrn,
  mlModelUrn,
  nameInWorkspace,
  MLFLOW_PLATFORM,
  MLFLOW_PLATFORM_URN,
  runUrn,
  stageTagUrn,
  urnProblem,
  userUrn,
  versionSetUrn,
} from '../datahub/urn.js';
import type {
  DatasetRecord,
  LoggedModelRecord,
  MlflowRecord,
  ModelVersionRecord,
  RegisteredModelRecord,
  RunRecord,
} from '../mlflow/records.js';
import { tagValue } from '../mlflow/tag-value.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import type {
  DatasetUrns,
  IdentifiedRecord,
  LoggedModelUrns,
  ModelVersionUrns,
  PlatformUrns,
  RegisteredModelUrns,
  RunUrns,
} from './identified-record.js';
import { BadRecord, identityOf, perRecord, unknownKind, workspaceOf } from './per-record.js';

export const buildUrnsOptionsSchema = z.strictObject({
  modelNameSeparator: z
    .string()
    .min(1)
    .default('_')
    .describe('What stands between model and version in the name of an mlModel: churn_3'),
  env: z
    .enum(FABRIC_TYPES)
    .default('PROD')
    .describe('DataHub environment of models and model groups (datasets are always in PROD)'),
  platformInstance: z
    .string()
    .min(1)
    .optional()
    .describe('Name of this MLflow among several; goes into the URNs, so set it before first use'),
});

export type BuildUrnsOptions = z.input<typeof buildUrnsOptionsSchema>;

type Settings = z.output<typeof buildUrnsOptionsSchema>;

/** Where MLflow keeps which run another one is nested in. */
const PARENT_TAG = 'mlflow.parentRunId';

/** What a run without a user is said to be started by, as in DataHub's own connector. */
const UNKNOWN_USER = 'mlflow';

/**
 * Adds `urns` to each record. With the defaults they are byte for byte those of DataHub's own
 * connector; names with `,` `(` `)`, for which the connector makes URNs that DataHub can't read,
 * are percent-encoded. Those of a workspace of MLflow 3 have it in all but stages and users.
 *
 * A record that DataHub would refuse for its URN (longer than 512 bytes URL-encoded, blank at an
 * end, without a name) is rejected with the code `BAD_URN`; runs refer to such versions and
 * datasets no more, with a warning. Outside a pipeline, the stream errors instead.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const experiment = { experimentId: '1', name: 'churn', lifecycleStage: 'active', tags: [] };
 * from<MlflowRecord[]>([{ kind: 'experiment', server, experiment }])
 *   .pipe(buildUrns({ env: 'DEV' }))
 *   .subscribe(({ urns }) => console.log(urns));
 * // { platform: 'urn:li:dataPlatform:mlflow', experiment: 'urn:li:container:…' }
 */
export function buildUrns(
  options: BuildUrnsOptions = {},
): Operator<MlflowRecord, IdentifiedRecord> {
  const settings = parseOptions('buildUrns', buildUrnsOptionsSchema, options);
  let builder = new UrnBuilder(settings, undefined);
  let context: RunContext | undefined;
  const warn = (identity: string, problem: string): void => {
    context?.recorder.warn(
      'UNLINKED_URN',
      'a run refers to an entity that DataHub would refuse, and is sent without that link',
      `${identity}: ${problem}`,
    );
  };
  const operator: Operator<MlflowRecord, IdentifiedRecord> = perRecord(
    (record) => {
      const workspace = workspaceOf(record);
      // Workspaces are read one after the other.
      if (workspace !== builder.workspace) builder = new UrnBuilder(settings, workspace);
      return [builder.identify(record, warn)];
    },
    () => context,
  );
  return Object.assign(operator, {
    label: 'buildUrns',
    signature: `buildUrns ${JSON.stringify(settings)}`,
    takes: 'record' as const,
    open: (run: RunContext) => {
      context = run;
    },
  });
}

/** Of each kind. */
const REMEMBERED_URNS = 1_000;

type Warn = (identity: string, problem: string) => void;

/** Of the records of a workspace. */
class UrnBuilder {
  readonly #platform: PlatformUrns;
  /** Thousands of runs are in one experiment and by one user, and a digest takes its time. */
  readonly #experiments: LRUCache<string, string>;
  readonly #users: LRUCache<string, string>;

  /** @param workspace - absent for `default` */
  constructor(
    private readonly settings: Settings,
    readonly workspace: string | undefined,
  ) {
    const { platformInstance: name } = settings;
    const remembered = (make: (key: string) => string): LRUCache<string, string> =>
      new LRUCache({ max: REMEMBERED_URNS, memoMethod: (key) => make(key) });
    this.#experiments = remembered((experiment) => experimentUrn(experiment, name, workspace));
    this.#users = remembered((user) => userUrn(user, name));
    this.#platform =
      name === undefined
        ? { platform: MLFLOW_PLATFORM_URN }
        : {
            platform: MLFLOW_PLATFORM_URN,
            instance: { name, urn: dataPlatformInstanceUrn(MLFLOW_PLATFORM, name) },
          };
  }

  identify(record: MlflowRecord, warn: Warn): IdentifiedRecord {
    switch (record.kind) {
      case 'server':
        return { ...record, urns: this.#platform };
      case 'experiment': {
        const experiment = this.#experiment(record.experiment.name);
        return { ...record, urns: { ...this.#platform, experiment } };
      }
      case 'run':
        return { ...record, urns: this.#run(record, warn) };
      case 'registeredModel':
        return { ...record, urns: this.#registeredModel(record) };
      case 'modelVersion':
        return { ...record, urns: this.#modelVersion(record) };
      case 'loggedModel':
        return { ...record, urns: this.#loggedModel(record) };
      case 'dataset':
        return { ...record, urns: this.#dataset(record) };
    }
    return unknownKind(record);
  }

  #experiment(name: string): string {
    return this.#experiments.memo(name);
  }

  #user(name: string): string {
    return this.#users.memo(name);
  }

  #run(record: RunRecord, warn: Warn): RunUrns {
    const { run, experiment, versions } = record;
    const userName = run.userId === undefined || run.userId === '' ? UNKNOWN_USER : run.userId;
    const sound = (urn: string): boolean => {
      const problem = urnProblem(urn);
      if (problem !== undefined) warn(identityOf(record), `${urn}: ${problem}`);
      return problem === undefined;
    };
    const models = versions.map(({ name, version }) => this.#model(this.#modelName(name, version)));
    // A run may read a dataset in more than one version; to DataHub it is one.
    const datasets = run.datasetInputs.map(({ dataset }) => this.#mlflowDataset(dataset.name));
    const urns: RunUrns = {
      run: runUrn(run.runId, this.workspace),
      experiment: this.#experiment(experiment.name),
      user: this.#user(userName),
      userName,
      versions: models.filter(sound),
      datasets: datasets.length === 0 ? datasets : [...new Set(datasets)].filter(sound),
      // Last: V8 takes fifty times as long where an object begins with another one.
      ...this.#platform,
    };
    const parent = tagValue(run.tags, PARENT_TAG);
    return parent === undefined ? urns : { parent: runUrn(parent, this.workspace), ...urns };
  }

  #registeredModel({ model }: RegisteredModelRecord): RegisteredModelUrns {
    return { ...this.#platform, group: usable(this.#group(model.name)) };
  }

  #modelVersion({ version, run }: ModelVersionRecord): ModelVersionUrns {
    const { platformInstance } = this.settings;
    const modelName = this.#modelName(version.name, version.version);
    return {
      model: usable(this.#model(modelName)),
      modelName,
      group: usable(this.#group(version.name)),
      versionSet: versionSetUrn(version.name, platformInstance, this.workspace),
      // Unity Catalog knows no stages, and so a version is in none.
      stageTag: usable(stageTagUrn(version.currentStage === '' ? 'None' : version.currentStage)),
      ...(run === undefined ? {} : { run: runUrn(run.runId, this.workspace) }),
      ...(version.userId === undefined || version.userId === ''
        ? {}
        : { user: this.#user(version.userId) }),
      ...this.#platform,
    };
  }

  #loggedModel({ model, experiment }: LoggedModelRecord): LoggedModelUrns {
    const { modelId, sourceRunId, metrics } = model;
    const others = metrics.flatMap(({ runId }) =>
      runId === undefined || runId === sourceRunId ? [] : [runId],
    );
    return {
      model: usable(this.#model(this.#loggedModelName(modelId))),
      experiment: this.#experiment(experiment.name),
      evaluations: [...new Set(others)].sort().map((id) => runUrn(id, this.workspace)),
      ...(sourceRunId === undefined ? {} : { run: runUrn(sourceRunId, this.workspace) }),
      ...this.#platform,
    };
  }

  /** A version's name ends with the separator and digits: what could be one gets another end. */
  #loggedModelName(modelId: string): string {
    const { modelNameSeparator: separator } = this.settings;
    const digits = /\d*$/.exec(modelId)?.[0].length ?? 0;
    for (let length = 1; length <= digits; length += 1) {
      const front = modelId.slice(0, -length);
      if (front.length > separator.length && front.endsWith(separator)) return `${modelId}/`;
    }
    return modelId;
  }

  #dataset({ name }: DatasetRecord): DatasetUrns {
    return { ...this.#platform, dataset: usable(this.#mlflowDataset(name)) };
  }

  #modelName(name: string, version: string): string {
    return `${name}${this.settings.modelNameSeparator}${version}`;
  }

  #model(modelName: string): string {
    const { env, platformInstance } = this.settings;
    return mlModelUrn(this.#name(modelName), env, platformInstance);
  }

  #group(name: string): string {
    return mlModelGroupUrn(this.#name(name), this.settings.env, this.#instanceFor(name));
  }

  /** In PROD always, as with DataHub's own connector, or the dataset of a switcher would be lost. */
  #mlflowDataset(name: string): string {
    return datasetUrn(MLFLOW_PLATFORM, this.#name(name), 'PROD', this.#instanceFor(name));
  }

  /** Before nothing it would stand for a name of `default`. */
  #instanceFor(name: string): string | undefined {
    const isNameless = name === '' && this.workspace !== undefined;
    return isNameless ? undefined : this.settings.platformInstance;
  }

  #name(name: string): string {
    return nameInWorkspace(name, this.workspace);
  }
}

/** @throws BadRecord `BAD_URN` */
function usable(urn: string): string {
  const problem = urnProblem(urn);
  if (problem !== undefined) throw new BadRecord('BAD_URN', `${urn}: ${problem}`);
  return urn;
}
