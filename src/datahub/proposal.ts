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
  readonly aspect: Aspect;
  /**
   * The record of MLflow that the entity stands for (`run 4f2a…`), where it stands for one. Not
   * sent: it tells what is gone from DataHub when the record is gone from MLflow.
   */
  readonly origin?: string;
}

/** Says which run of the pipeline sent a proposal, and when. */
export interface SystemMetadata {
  /** Milliseconds since 1970; the start of the pipeline's run, so that a run is told by one time. */
  readonly lastObserved: number;
  readonly runId: string;
}
