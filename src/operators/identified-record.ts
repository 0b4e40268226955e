/**
 * Records with the URNs of everything that is said about them: what `buildUrns` gives and
 * `mapToProposals` takes.
 */

import type {
  DatasetRecord,
  ExperimentRecord,
  LoggedModelRecord,
  ModelVersionRecord,
  RegisteredModelRecord,
  RunRecord,
  ServerRecord,
} from '../mlflow/records.js';

/** Which MLflow it is, among those that DataHub knows. */
export interface PlatformUrns {
  /** `urn:li:dataPlatform:mlflow` */
  readonly platform: string;
  /** Name and URN of the platform instance; absent where there is but one MLflow. */
  readonly instance?: { readonly name: string; readonly urn: string };
}

export interface ExperimentUrns extends PlatformUrns {
  /** Its container. */
  readonly experiment: string;
}

export interface RunUrns extends PlatformUrns {
  /** Its dataProcessInstance. */
  readonly run: string;
  /** The container of its experiment. */
  readonly experiment: string;
  /** The dataProcessInstance of the run that it is nested in; absent where it is in none. */
  readonly parent?: string;
  /** The platformResource of who started it, by the name in `userName`. */
  readonly user: string;
  /** `mlflow` where the run has no user. */
  readonly userName: string;
  /** The mlModels that came from it, in the order of the record's versions. */
  readonly versions: readonly string[];
  /** Its input datasets, each once, in the order of the run's inputs. */
  readonly datasets: readonly string[];
  /** The mlModels of the versions of prompts that it used, in the order of the record's. */
  readonly prompts: readonly string[];
}

export interface RegisteredModelUrns extends PlatformUrns {
  /** Its mlModelGroup. */
  readonly group: string;
}

export interface ModelVersionUrns extends PlatformUrns {
  /** Its mlModel. */
  readonly model: string;
  /** The mlModel's name: registered model's name, separator, version. */
  readonly modelName: string;
  readonly group: string;
  readonly versionSet: string;
  /** The tag of its stage. */
  readonly stageTag: string;
  /** The dataProcessInstance that it came from; absent where it came from none, or that is gone. */
  readonly run?: string;
  /** The platformResource of who registered it; absent where that is not known. */
  readonly user?: string;
  /** Of a prompt's version the dataProcessInstances of the runs that it says used it. */
  readonly users?: readonly string[];
}

export interface LoggedModelUrns extends PlatformUrns {
  /** Its mlModel, by its id. */
  readonly model: string;
  /** The container of its experiment. */
  readonly experiment: string;
  /** The dataProcessInstance that made it; absent where it names none. */
  readonly run?: string;
  /** The dataProcessInstances of other runs that measured it, each once, in the order of their ids. */
  readonly evaluations: readonly string[];
}

export interface DatasetUrns extends PlatformUrns {
  /** The dataset as MLflow knows it. Where it is hosted is up to the mapping. */
  readonly dataset: string;
}

export type IdentifiedServer = ServerRecord & { readonly urns: PlatformUrns };
export type IdentifiedExperiment = ExperimentRecord & { readonly urns: ExperimentUrns };
export type IdentifiedRun = RunRecord & { readonly urns: RunUrns };
export type IdentifiedRegisteredModel = RegisteredModelRecord & {
  readonly urns: RegisteredModelUrns;
};
export type IdentifiedModelVersion = ModelVersionRecord & { readonly urns: ModelVersionUrns };
export type IdentifiedLoggedModel = LoggedModelRecord & { readonly urns: LoggedModelUrns };
export type IdentifiedDataset = DatasetRecord & { readonly urns: DatasetUrns };

/** A record and its URNs, told apart by `kind`. */
export type IdentifiedRecord =
  | IdentifiedServer
  | IdentifiedExperiment
  | IdentifiedRun
  | IdentifiedRegisteredModel
  | IdentifiedModelVersion
  | IdentifiedLoggedModel
  | IdentifiedDataset;
