/**
 * The Avro schema of DataHub's MetadataChangeProposal, as a list of its fields.
 *
 * Names and types are what DataHub's consumer resolves by; documentation and annotations play no
 * part in that and are left out. The live tests compare the canonical form with the schema that
 * `acryl-datahub` ships.
 */

/** An Avro schema: the name of a type, a union of schemas, or a type with its parts. */
export type AvroSchema = string | readonly AvroSchema[] | AvroType;

export type AvroType =
  | AvroRecord
  | { readonly type: 'map'; readonly values: AvroSchema }
  | { readonly type: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly type: 'fixed'; readonly name: string; readonly size: number };

export interface AvroRecord {
  readonly type: 'record';
  /** With its namespace. */
  readonly name: string;
  readonly fields: readonly AvroField[];
}

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  /** What a reader takes where a writer had no such field. */
  readonly default?: unknown;
}

const field = (name: string, type: AvroSchema): AvroField => ({ name, type });

/** A field that may be null, which it is unless it is given. */
const optional = (name: string, type: AvroSchema): AvroField => ({
  name,
  type: ['null', type],
  default: null,
});

/** A field that may be null but is this unless it is given: the first of a union is its default's. */
const withDefault = (name: string, type: AvroSchema, value: unknown): AvroField => ({
  name,
  type: [type, 'null'],
  default: value,
});

const record = (name: string, fields: readonly AvroField[]): AvroRecord => ({
  type: 'record',
  name,
  fields,
});

const textMap: AvroSchema = { type: 'map', values: 'string' };

const kafkaAuditHeader = record('com.linkedin.events.KafkaAuditHeader', [
  field('time', 'long'),
  field('server', 'string'),
  optional('instance', 'string'),
  field('appName', 'string'),
  field('messageId', { type: 'fixed', name: 'com.linkedin.events.UUID', size: 16 }),
  optional('auditVersion', 'int'),
  optional('fabricUrn', 'string'),
  optional('clusterConnectionString', 'string'),
]);

const genericAspect = record('com.linkedin.pegasus2avro.mxe.GenericAspect', [
  field('value', 'bytes'),
  field('contentType', 'string'),
]);

const changeType: AvroSchema = {
  type: 'enum',
  name: 'com.linkedin.pegasus2avro.events.metadata.ChangeType',
  symbols: ['UPSERT', 'CREATE', 'UPDATE', 'DELETE', 'PATCH', 'RESTATE', 'CREATE_ENTITY'],
};

const auditStamp = record('com.linkedin.pegasus2avro.common.AuditStamp', [
  field('time', 'long'),
  field('actor', 'string'),
  optional('impersonator', 'string'),
  optional('message', 'string'),
]);

const systemMetadata = record('com.linkedin.pegasus2avro.mxe.SystemMetadata', [
  withDefault('lastObserved', 'long', 0),
  withDefault('runId', 'string', 'no-run-id-provided'),
  withDefault('lastRunId', 'string', 'no-run-id-provided'),
  optional('pipelineName', 'string'),
  optional('registryName', 'string'),
  optional('registryVersion', 'string'),
  optional('properties', textMap),
  optional('version', 'string'),
  optional('schemaVersion', 'long'),
  optional('aspectCreated', auditStamp),
  optional('aspectModified', auditStamp.name),
]);

/** What a registry is given where it has no schema for the topic yet. */
export const metadataChangeProposal = record(
  'com.linkedin.pegasus2avro.mxe.MetadataChangeProposal',
  [
    optional('auditHeader', kafkaAuditHeader),
    field('entityType', 'string'),
    optional('entityUrn', 'string'),
    optional('entityKeyAspect', genericAspect),
    field('changeType', changeType),
    optional('aspectName', 'string'),
    optional('aspect', genericAspect.name),
    optional('systemMetadata', systemMetadata),
    optional('headers', textMap),
  ],
);
