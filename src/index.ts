/**
 * The library: everything that a `pipeline.config.ts` imports, and the parts for those who build
 * their own.
 */

// Wiring and running
export { definePipeline, type PipelineOptions } from './config/define-pipeline.js';
export {
  runPipeline,
  type PipelineDefinition,
  type RunOptions,
  type RunReport,
  type RunResult,
} from './stream/run-pipeline.js';
export type { StaleReport, StateOptions, StateReport, StateSettings } from './state/options.js';
export { PipelineError, type ErrorCategory, type PipelineErrorOptions } from './core/errors.js';
export { pull, type PullOptions } from './stream/pull.js';

// Sources
export { mlflowSource, type MlflowSourceOptions } from './sources/mlflow-source.js';
export { restSource } from './sources/rest-source.js';
export { type RestOptions } from './sources/rest/options.js';
export { sqliteSource } from './sources/sqlite-source.js';
export { type SqliteStoreOptions } from './sources/sqlite/options.js';
export { postgresqlSource } from './sources/postgresql-source.js';
export { type PostgresqlOptions } from './sources/postgresql/options.js';
export { mysqlSource } from './sources/mysql-source.js';
export { type MysqlOptions } from './sources/mysql/options.js';
export { fileStoreSource } from './sources/file-store-source.js';
export { type FileStoreOptions } from './sources/file-store/options.js';
export {
  proposalFileSource,
  type ProposalFileSourceOptions,
} from './sources/proposal-file/proposal-file-source.js';

// Operators
export { versionGate, type VersionGateOptions } from './operators/version-gate.js';
export { filter, type FilterOptions } from './operators/filter.js';
export { buildUrns, type BuildUrnsOptions } from './operators/build-urns.js';
export { mapToProposals, type MapToProposalsOptions } from './operators/map-to-proposals/index.js';
export { dedup, type DedupOptions } from './operators/dedup.js';
export { redact, type RedactOptions } from './operators/redact.js';
export { mapUser, type MapUserOptions } from './operators/map-user.js';
export { setEnv, type SetEnvOptions } from './operators/set-env.js';
export {
  setPlatformInstance,
  type SetPlatformInstanceOptions,
} from './operators/set-platform-instance.js';
export type { NamedThing, PlacedKind } from './operators/placement/place-records.js';
export { addTags, type AddTagsOptions } from './operators/add-tags.js';
export { addTerms, type AddTermsOptions } from './operators/add-terms.js';
export { addOwners, type AddOwnersOptions, type OwnerRule } from './operators/add-owners.js';
export { addDomain, type AddDomainOptions } from './operators/add-domain.js';
export { addProperties, type AddPropertiesOptions } from './operators/add-properties.js';
export { renameBy, type RenameByOptions } from './operators/rename-by.js';
export { byUrn, type ByUrnRule } from './operators/enrichment/by-urn.js';
export { patch, type PatchOptions } from './operators/patch.js';
export { validate, type ValidateOptions } from './operators/validate.js';
export type { EntityFacts } from './operators/enrichment/entity-facts.js';
export type * from './operators/identified-record.js';

// Sinks
export { fileSink, type FileSinkOptions } from './sinks/file/file-sink.js';
export {
  dataHubRestSink,
  type DataHubRestSinkOptions,
} from './sinks/datahub-rest/datahub-rest-sink.js';
export { stdoutSink, type StdoutSinkOptions } from './sinks/stdout-sink.js';
export { kafkaSink, type KafkaSinkOptions } from './sinks/kafka/index.js';

// For components of one's own
export { parseOptions } from './core/options.js';

// The domain
export * from './datahub/urn.js';
export { requiredFields, takesAspect } from './datahub/entity-aspects.js';
export { datahubGuid } from './datahub/guid.js';
export { pythonFloat } from './datahub/python-float.js';
export type * from './datahub/proposal.js';
export type * from './mlflow/types.js';
export type * from './mlflow/records.js';
export type * from './mlflow/filter/rules.js';
export type { MetricHistoryChoice } from './mlflow/metric-points.js';
export { recordFilter, type RecordFilter } from './mlflow/filter/record-filter.js';
export type * from './stream/contracts.js';
export { Recorder, type RunCounts, type WarningGroup } from './stream/recorder.js';
