/**
 * What the runner does with the operators of a pipeline.
 */

import { catchError, defer, type Observable } from 'rxjs';
import { messageOf, PipelineError } from '../core/errors.js';
import { OPTIONAL_KINDS, RECORD_KINDS } from '../mlflow/records.js';
import type { ServerFacts } from '../mlflow/types.js';
import type { Proposal } from '../datahub/proposal.js';
import type { AnyOperator, ReadPlan, Source } from './contracts.js';

/**
 * The operators that have a place behind a source: all of them, or, where it gives proposals, those
 * behind the last one that takes records.
 */
export function operatorsBehind(
  source: Source<unknown>,
  operators: readonly AnyOperator[],
): readonly AnyOperator[] {
  if (source.gives !== 'proposal') return operators;
  return operators.slice(operators.findLastIndex(({ takes }) => takes === 'record') + 1);
}

/** What there is to read when every operator has said what it wants, and what it would drop anyway. */
export function narrowedPlan(operators: readonly AnyOperator[], server: ServerFacts): ReadPlan {
  const asked = new Set(operators.flatMap(({ reads = [] }) => reads));
  const kinds = RECORD_KINDS.filter((kind) => !OPTIONAL_KINDS.has(kind) || asked.has(kind));
  return operators.reduce<ReadPlan>((plan, operator) => operator.narrow?.(plan, server) ?? plan, {
    kinds: new Set(kinds),
    ...(asked.has('prompt') ? { prompts: true } : {}),
  });
}

/** Sends a page's records through the operators; an error says which of them it came from. */
export function throughOperators(
  records: Observable<unknown>,
  operators: readonly AnyOperator[],
): Observable<Proposal> {
  return operators.reduce<Observable<unknown>>(
    (stream, operator, index) =>
      defer(() => stream.pipe(operator)).pipe(
        catchError((error: unknown) => {
          throw operatorFailed(operator, index, error);
        }),
      ),
    records,
  ) as Observable<Proposal>;
}

/** The name of an operator: its own label, else its function's, else its place. */
export function operatorLabel(operator: AnyOperator, index: number): string {
  if (operator.label !== undefined) return operator.label;
  return operator.name === '' ? `operator ${index + 1}` : operator.name;
}

function operatorFailed(operator: AnyOperator, index: number, error: unknown): PipelineError {
  // It came from an operator before this one, which has been named already.
  if (error instanceof PipelineError) return error;
  return new PipelineError(
    `operator ${operatorLabel(operator, index)} (number ${index + 1}) failed: ${messageOf(error)}`,
    { code: 'OPERATOR_FAILED', category: 'usage', cause: error },
  );
}
