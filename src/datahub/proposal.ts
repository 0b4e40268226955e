/**
 * A metadata change proposal: one aspect of one entity, as DataHub takes it.
 */

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** An aspect's fields, named as in DataHub's model. Absent optional fields are left out. */
export type Aspect = Readonly<Record<string, JsonValue>>;

export interface Proposal {
  /** Such as `mlModel`, `dataProcessInstance`. */
  readonly entityType: string;
  readonly entityUrn: string;
  readonly changeType: 'UPSERT' | 'PATCH';
  /** Such as `mlModelProperties`. */
  readonly aspectName: string;
  /**
   * What the aspect is to be; of a PATCH what is to be done to it: DataHub's object of `patch` and
   * `arrayPrimaryKeys`, or a bare list of operations (RFC 6902).
   */
  readonly aspect: Aspect;
  /** Conditions and the like that DataHub takes with a proposal; what is made here has none. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The record of MLflow that the entity stands for (`run 4f2a…`), where it stands for one. Not
   * sent: it tells what is gone from DataHub when the record is gone from MLflow.
   */
  readonly origin?: string;
}

/** How DataHub is told what the bytes of an aspect are. */
export const CONTENT_TYPE = {
  UPSERT: 'application/json',
  PATCH: 'application/json-patch+json',
} as const;

/** Says which run of the pipeline sent a proposal, and when. */
export interface SystemMetadata {
  /** Milliseconds since 1970; the start of the pipeline's run, so that a run is told by one time. */
  readonly lastObserved: number;
  readonly runId: string;
}
