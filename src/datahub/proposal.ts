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
}

/** Says which run of the pipeline sent a proposal, and when. */
export interface SystemMetadata {
  /** Milliseconds since 1970; the start of the pipeline's run, so that a run is told by one time. */
  readonly lastObserved: number;
  readonly runId: string;
}
