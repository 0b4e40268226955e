/**
 * MLflow's entities as this package holds them: what every store (REST, SQLite, ...) reads them into.
 *
 * The same store gives equal values whichever way it is read: lists are sorted by key, an empty
 * text that means "not set" is left out, times are milliseconds since 1970 (UTC).
 */

/** A tag or a parameter. Kept as a pair, not as an object's property: `__proto__` is a legal key. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** A value that was logged. NaN is a number here; infinities come as ±1.7976931348623157e+308. */
export interface MetricPoint {
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** The last value of a metric. */
export interface Metric extends MetricPoint {
  readonly key: string;
  /** What came before it, ascending; only of runs, where it is asked for, and only where there is any. */
  readonly history?: readonly MetricPoint[];
}

/**
 * Where something is to be in DataHub, if not where `buildUrns` puts everything. Operators may say it,
 * no source does. It stands wherever a record names the thing, so that all references agree.
 */
export interface Placement {
  /** An environment of DataHub's, such as `DEV`. Of datasets it is never looked at. */
  readonly env?: string;
  /** Name of a platform instance, such as `eu`. */
  readonly platformInstance?: string;
}

export interface Experiment extends Placement {
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation?: string;
  readonly lifecycleStage: string;
  readonly creationTime?: number;
  readonly lastUpdateTime?: number;
  readonly tags: readonly KeyValue[];
}

export interface Dataset extends Placement {
  readonly name: string;
  readonly digest: string;
  /** Such as `local`, `code`, `s3`, `delta_table`. */
  readonly sourceType: string;
  /** JSON as text, its shape given by `sourceType`. */
  readonly source: string;
  /** JSON as text: `{"mlflow_colspec": [...]}` or `{"mlflow_tensorspec": {...}}`. */
  readonly schema?: string;
  /** JSON as text. */
  readonly profile?: string;
}

export interface DatasetInput {
  readonly dataset: Dataset;
  readonly tags: readonly KeyValue[];
}

export interface Run {
  readonly runId: string;
  /** On 1.x taken from the tag `mlflow.runName`. */
  readonly runName?: string;
  readonly experimentId: string;
  readonly userId?: string;
  /** `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED`, `KILLED`; anything else stays as it is. */
  readonly status: string;
  /** 0 where the run has none. */
  readonly startTime: number;
  readonly endTime?: number;
  readonly artifactUri?: string;
  readonly lifecycleStage: string;
  readonly params: readonly KeyValue[];
  readonly metrics: readonly Metric[];
  readonly tags: readonly KeyValue[];
  readonly datasetInputs: readonly DatasetInput[];
}

/** The last value of a metric of a logged model: one for each dataset that it was measured on. */
export interface LoggedModelMetric extends Metric {
  /** The run that measured it: the one that made the model, or one that evaluated it. */
  readonly runId?: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

/** A model as MLflow 3 keeps it with its experiment, registered or not. */
export interface LoggedModel {
  /** `m-` and 32 hexadecimal digits. */
  readonly modelId: string;
  readonly experimentId: string;
  /** Many have the same. */
  readonly name: string;
  readonly artifactUri?: string;
  readonly creationTimestamp: number;
  readonly lastUpdatedTimestamp: number;
  /** Whatever the user calls it: `classifier`, `agent`. */
  readonly modelType?: string;
  /** The run that made it. */
  readonly sourceRunId?: string;
  /** `PENDING`, `READY`, `FAILED`; anything else stays as it is. */
  readonly status: string;
  readonly statusMessage?: string;
  readonly tags: readonly KeyValue[];
  readonly params: readonly KeyValue[];
  /** By key, then by dataset. */
  readonly metrics: readonly LoggedModelMetric[];
}

export interface ModelAlias {
  readonly alias: string;
  readonly version: string;
}

/** What deploys a model on Databricks, and how far it has come: what is told of it. */
export interface DeploymentJob {
  readonly id?: string;
  /** Of the job: `CONNECTED`, `NOT_FOUND`, `REQUIRED_PARAMETERS_CHANGED`; anything else as it is. */
  readonly state?: string;
  /** Of the job's last run for a version; not of a run of MLflow's. */
  readonly runId?: string;
  /** `RUNNING`, `SUCCEEDED`, `FAILED`, `PENDING`, `APPROVAL`; anything else as it is. */
  readonly runState?: string;
  /** The task that it is at. */
  readonly task?: string;
}

export interface RegisteredModel extends Placement {
  readonly name: string;
  readonly description?: string;
  readonly creationTimestamp: number;
  readonly lastUpdatedTimestamp: number;
  readonly tags: readonly KeyValue[];
  readonly aliases: readonly ModelAlias[];
  /** The highest version number, as text; absent where the model has no version. */
  readonly latestVersion?: string;
  readonly deploymentJob?: DeploymentJob;
}

/** What names a version. Its placement is that of its model. */
export interface VersionName extends Placement {
  readonly name: string;
  /** A whole number as text. */
  readonly version: string;
}

export interface ModelVersion extends VersionName {
  readonly description?: string;
  readonly userId?: string;
  /** `None`, `Staging`, `Production` or `Archived`; anything else stays as it is. */
  readonly currentStage: string;
  readonly creationTimestamp: number;
  readonly lastUpdatedTimestamp: number;
  readonly source?: string;
  readonly runId?: string;
  readonly runLink?: string;
  /** `READY`, `PENDING_REGISTRATION`, `FAILED_REGISTRATION`; anything else stays as it is. */
  readonly status: string;
  readonly statusMessage?: string;
  readonly tags: readonly KeyValue[];
  /** Sorted; filled from the registered model, where servers keep them. */
  readonly aliases: readonly string[];
  readonly deploymentJob?: DeploymentJob;
}

/** What is known about the store behind a source before anything is read from it. */
export interface ServerFacts {
  /** The tracking store's address without credentials: `http://host:5000`, `sqlite:///mlflow.db`. */
  readonly uri: string;
  /** MLflow's version, where the store tells it: 1.x servers do not. */
  readonly version?: string;
  /** What the version is where only a bound is known: `older than 1.28.0`, `1.28.0 or later 1.x`. */
  readonly versionText: string;
  /** Whether experiments can be searched, which 1.28.0 brought. */
  readonly searchesExperiments: boolean;
  /** Where MLflow's web pages are, for links back: no trailing slash. Absent for a bare database. */
  readonly webUrl?: string;
  /** The workspace of MLflow 3 that is read; absent for `default`, and where there are none. */
  readonly workspace?: string;
}
