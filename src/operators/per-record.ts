/**
 * What the operators that look at one record at a time have in common.
 */

import type { OperatorFunction } from 'rxjs';
import { messageOf, PipelineError } from '../core/errors.js';
import type { MlflowRecord } from '../mlflow/records.js';
import { inWorkspace } from '../mlflow/workspace.js';
import type { Rejection, RunContext } from '../stream/contracts.js';
import { mapMany } from '../stream/map-many.js';

/** What a record can't be worked on for. Thrown inside an operator, it rejects that record alone. */
export class BadRecord extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'BadRecord';
  }
}

/**
 * An operator that applies `expand` to each record and emits what it gives, at once and in order.
 * A record that it throws for is rejected, with the code of a `BadRecord` or `UNMAPPABLE_RECORD`,
 * and the next one has its turn. Where nobody takes rejections (the operator is used outside a
 * pipeline), the stream errors, so that nothing is lost unseen.
 */
export function perRecord<In extends MlflowRecord, Out>(
  expand: (record: In) => readonly Out[],
  context: () => RunContext | undefined,
): OperatorFunction<In, Out> {
  return mapMany((record) => {
    try {
      return expand(record);
    } catch (error) {
      const rejection = rejectionOf(record, error);
      const run = context();
      if (run === undefined) throw asError(rejection, error);
      run.reject(rejection);
      return [];
    }
  });
}

/**
 * For the end of a `switch` over all kinds: records of custom sources are seen by no compiler.
 *
 * @throws BadRecord `UNKNOWN_RECORD_KIND`
 */
export function unknownKind(record: { readonly kind?: unknown }): never {
  const kind = typeof record.kind === 'string' ? `"${record.kind}"` : typeof record.kind;
  throw new BadRecord('UNKNOWN_RECORD_KIND', `the kind of the record is ${kind}`);
}

/** What a record is and which: `run 4f2a…`, `workspace team-a: model version churn 3`. */
export function identityOf(record: MlflowRecord): string {
  return inWorkspace(nameOf(record), workspaceOf(record));
}

/** Undefined for `default`. What a source of one's own gives may have no server. */
export function workspaceOf({ server }: Partial<MlflowRecord>): string | undefined {
  return server?.workspace;
}

function nameOf(record: MlflowRecord): string {
  switch (record.kind) {
    case 'server':
      return `server ${record.server.uri}`;
    case 'experiment':
      return `experiment ${record.experiment.experimentId}`;
    case 'run':
      return `run ${record.run.runId}`;
    case 'registeredModel':
      return `registered model ${record.model.name}`;
    case 'modelVersion':
      return `model version ${record.version.name} ${record.version.version}`;
    case 'loggedModel':
      return `logged model ${record.model.modelId}`;
    case 'dataset':
      return `dataset ${record.name}`;
  }
  return unknownKind(record);
}

function rejectionOf(record: MlflowRecord, error: unknown): Rejection {
  let identity: string;
  try {
    identity = identityOf(record);
  } catch {
    // A custom source may give anything, and it is this record that has to be named.
    identity = 'record of unknown shape';
  }
  return {
    kind: 'record',
    ...(error instanceof BadRecord
      ? { code: error.code, message: error.message }
      : { code: 'UNMAPPABLE_RECORD', message: `it can't be mapped: ${messageOf(error)}` }),
    identity,
    content: record,
  };
}

function asError(rejection: Rejection, cause: unknown): PipelineError {
  return new PipelineError(`${rejection.identity}: ${rejection.message}`, {
    code: rejection.code,
    category: 'unavailable',
    cause,
  });
}
