/**
 * Makes the URNs of records, and of all that a record refers to.
 */

import { LRUCache } from 'lru-cache';
import { withField } from '../../core/with-field.js';
import {
  datasetUrn,
  FABRIC_TYPES,
  isFabricType,
  mlModelGroupUrn,
  mlModelUrn,
  nameInWorkspace,
  MLFLOW_PLATFORM,
  runUrn,
  stageTagUrn,
  urnProblem,
  versionSetUrn,
  type FabricType,
} from '../../datahub/urn.js';
import type {
  DatasetRecord,
  ExperimentRecord,
  LoggedModelRecord,
  MlflowRecord,
  ModelVersionRecord,
  RegisteredModelRecord,
  RunRecord,
} from '../../mlflow/records.js';
import { runsOfPrompt } from '../../mlflow/prompt.js';
import { tagValue } from '../../mlflow/tag-value.js';
import type { Placement, VersionName } from '../../mlflow/types.js';
import type {
  DatasetUrns,
  ExperimentUrns,
  IdentifiedRecord,
  LoggedModelUrns,
  ModelVersionUrns,
  RegisteredModelUrns,
  RunUrns,
} from '../identified-record.js';
import { BadRecord, identityOf, unknownKind } from '../per-record.js';
import { InstanceUrns } from './instance-urns.js';

/** The options of `buildUrns`, checked. */
export interface UrnSettings {
  readonly modelNameSeparator: string;
  readonly env: FabricType;
  readonly platformInstance?: string | undefined;
}

/** Where MLflow keeps which run another one is nested in. */
export const PARENT_TAG = 'mlflow.parentRunId';

/** What a run without a user is said to be started by, as in DataHub's own connector. */
const UNKNOWN_USER = 'mlflow';

const NONE: readonly never[] = [];

/** Platform instances besides that of the options. */
const REMEMBERED_INSTANCES = 50;

type Named = Placement & { readonly name: string };

/** Told of each link that is left out: of which record, and why. */
type Warn = (identity: string, problem: string) => void;

/** Of the records of a workspace. */
export class UrnBuilder {
  readonly #default: InstanceUrns;
  readonly #others: LRUCache<string, InstanceUrns>;

  /** @param workspace - absent for `default` */
  constructor(
    private readonly settings: UrnSettings,
    readonly workspace: string | undefined,
  ) {
    this.#default = new InstanceUrns(settings.platformInstance, workspace);
    this.#others = new LRUCache({
      max: REMEMBERED_INSTANCES,
      memoMethod: (name) => new InstanceUrns(name, workspace),
    });
  }

  identify(record: MlflowRecord, warn: Warn): IdentifiedRecord {
    switch (record.kind) {
      case 'server':
        return withField(record, 'urns', this.#default.platform);
      case 'experiment':
        return withField(record, 'urns', this.#experiment(record));
      case 'run':
        return withField(record, 'urns', this.#run(record, warn));
      case 'registeredModel':
        return withField(record, 'urns', this.#registeredModel(record));
      case 'modelVersion':
        return withField(record, 'urns', this.#modelVersion(record));
      case 'loggedModel':
        return withField(record, 'urns', this.#loggedModel(record));
      case 'dataset':
        return withField(record, 'urns', this.#dataset(record));
    }
    return unknownKind(record);
  }

  #experiment({ experiment }: ExperimentRecord): ExperimentUrns {
    this.#env(experiment);
    const instance = this.#instance(experiment);
    return { ...instance.platform, experiment: instance.experiment(experiment.name) };
  }

  #run(record: RunRecord, warn: Warn): RunUrns {
    const { run, experiment, versions, prompts } = record;
    const instance = this.#instance(experiment);
    const userName = run.userId === undefined || run.userId === '' ? UNKNOWN_USER : run.userId;
    const sound = (urn: string): boolean => {
      const problem = urnProblem(urn);
      if (problem !== undefined) warn(identityOf(record), `${urn}: ${problem}`);
      return problem === undefined;
    };
    const models = versions.map((version) => this.#model(version));
    // A run may read a dataset in more than one version; to DataHub it is one.
    const datasets = run.datasetInputs.map(({ dataset }) => this.#mlflowDataset(dataset));
    const urns: RunUrns = {
      run: runUrn(run.runId, this.workspace),
      experiment: instance.experiment(experiment.name),
      user: instance.user(userName),
      userName,
      versions: models.filter(sound),
      datasets: datasets.length === 0 ? datasets : [...new Set(datasets)].filter(sound),
      prompts: prompts?.map((prompt) => this.#model(prompt)).filter(sound) ?? NONE,
      // Last: V8 takes fifty times as long where an object begins with another one.
      ...instance.platform,
    };
    const parent = tagValue(run.tags, PARENT_TAG);
    return parent === undefined ? urns : { parent: runUrn(parent, this.workspace), ...urns };
  }

  #registeredModel({ model }: RegisteredModelRecord): RegisteredModelUrns {
    return { ...this.#instance(model).platform, group: usable(this.#group(model)) };
  }

  #modelVersion({ version, run }: ModelVersionRecord): ModelVersionUrns {
    const instance = this.#instance(version);
    const users = runsOfPrompt(version.tags);
    return {
      model: usable(this.#model(version)),
      modelName: this.#modelName(version),
      group: usable(this.#group(version)),
      versionSet: versionSetUrn(version.name, instance.name, this.workspace),
      // Unity Catalog knows no stages, and so a version is in none.
      stageTag: usable(stageTagUrn(version.currentStage === '' ? 'None' : version.currentStage)),
      ...(run === undefined ? {} : { run: runUrn(run.runId, this.workspace) }),
      ...(version.userId === undefined || version.userId === ''
        ? {}
        : { user: instance.user(version.userId) }),
      ...(users.length === 0 ? {} : { users: users.map((id) => runUrn(id, this.workspace)) }),
      ...instance.platform,
    };
  }

  /** It is where its experiment is. */
  #loggedModel({ model, experiment }: LoggedModelRecord): LoggedModelUrns {
    const { modelId, sourceRunId, metrics } = model;
    const others = metrics.flatMap(({ runId }) =>
      runId === undefined || runId === sourceRunId ? [] : [runId],
    );
    const instance = this.#instance(experiment);
    const name = this.#name(this.#loggedModelName(modelId));
    return {
      model: usable(mlModelUrn(name, this.#env(experiment), instance.name)),
      experiment: instance.experiment(experiment.name),
      evaluations: [...new Set(others)].sort().map((id) => runUrn(id, this.workspace)),
      ...(sourceRunId === undefined ? {} : { run: runUrn(sourceRunId, this.workspace) }),
      ...instance.platform,
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

  #dataset(record: DatasetRecord): DatasetUrns {
    const dataset = usable(this.#mlflowDataset(record));
    return { ...this.#instance(record).platform, dataset };
  }

  #modelName({ name, version }: VersionName): string {
    return `${name}${this.settings.modelNameSeparator}${version}`;
  }

  #model(version: VersionName): string {
    const name = this.#name(this.#modelName(version));
    return mlModelUrn(name, this.#env(version), this.#instance(version).name);
  }

  #group(model: Named): string {
    const { name } = model;
    return mlModelGroupUrn(this.#name(name), this.#env(model), this.#instanceFor(model));
  }

  /** In PROD always, as with DataHub's own connector, or the dataset of a switcher would be lost. */
  #mlflowDataset(dataset: Named): string {
    const { name } = dataset;
    return datasetUrn(MLFLOW_PLATFORM, this.#name(name), 'PROD', this.#instanceFor(dataset));
  }

  /** Before nothing it would stand for a name of `default`. */
  #instanceFor(thing: Named): string | undefined {
    const isNameless = thing.name === '' && this.workspace !== undefined;
    return isNameless ? undefined : this.#instance(thing).name;
  }

  #name(name: string): string {
    return nameInWorkspace(name, this.workspace);
  }

  /** @throws BadRecord `BAD_PLATFORM_INSTANCE` */
  #instance({ platformInstance }: Placement): InstanceUrns {
    if (platformInstance === undefined) return this.#default;
    if (platformInstance !== '') return this.#others.memo(platformInstance);
    throw new BadRecord('BAD_PLATFORM_INSTANCE', 'the name of its platform instance is empty');
  }

  /** @throws BadRecord `BAD_ENV` */
  #env({ env }: Placement): FabricType {
    if (env === undefined) return this.settings.env;
    if (isFabricType(env)) return env;
    const allowed = FABRIC_TYPES.join(', ');
    throw new BadRecord('BAD_ENV', `DataHub has no environment "${env}". There are: ${allowed}`);
  }
}

/** @throws BadRecord `BAD_URN` */
function usable(urn: string): string {
  const problem = urnProblem(urn);
  if (problem !== undefined) throw new BadRecord('BAD_URN', `${urn}: ${problem}`);
  return urn;
}
