/**
 * `buildUrns`: gives every record the URNs of what it becomes, and of what that refers to.
 */

import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { parseOptions } from '../core/options.js';
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
} from '../datahub/urn.js';
import type {
  DatasetRecord,
  ExperimentRecord,
  LoggedModelRecord,
  MlflowRecord,
  ModelVersionRecord,
  RegisteredModelRecord,
  RunRecord,
} from '../mlflow/records.js';
import { tagValue } from '../mlflow/tag-value.js';
import type { Placement } from '../mlflow/types.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import { InstanceUrns } from './build-urns/instance-urns.js';
import type {
  DatasetUrns,
  ExperimentUrns,
  IdentifiedRecord,
  LoggedModelUrns,
  ModelVersionUrns,
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
 * are percent-encoded. Those of a workspace of MLflow 3 have it in all but stages and users. What a
 * record says of where something is (`setEnv`, `setPlatformInstance`) counts before the options.
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

/** Platform instances besides that of the options. */
const REMEMBERED_INSTANCES = 50;

type Named = Placement & { readonly name: string };

type VersionName = Named & { readonly version: string };

type Warn = (identity: string, problem: string) => void;

/** Of the records of a workspace. */
class UrnBuilder {
  readonly #default: InstanceUrns;
  readonly #others: LRUCache<string, InstanceUrns>;

  /** @param workspace - absent for `default` */
  constructor(
    private readonly settings: Settings,
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
        return { ...record, urns: this.#default.platform };
      case 'experiment':
        return { ...record, urns: this.#experiment(record) };
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

  #experiment({ experiment }: ExperimentRecord): ExperimentUrns {
    this.#env(experiment);
    const instance = this.#instance(experiment);
    return { ...instance.platform, experiment: instance.experiment(experiment.name) };
  }

  #run(record: RunRecord, warn: Warn): RunUrns {
    const { run, experiment, versions } = record;
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
