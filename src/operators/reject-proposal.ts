/**
 * What becomes of a proposal that an operator can do nothing with.
 */

import { LRUCache } from 'lru-cache';
import { messageOf, PipelineError } from '../core/errors.js';
import type { Proposal } from '../datahub/proposal.js';
import type { RunContext } from '../stream/contracts.js';

/**
 * Sets it aside for the dead-letter file.
 *
 * @param context - undefined outside of a pipeline, where nobody takes rejections
 * @throws PipelineError with that code (usage) outside of a pipeline, so that nothing is lost unseen
 */
export function rejectProposal(
  context: RunContext | undefined,
  proposal: Proposal,
  code: string,
  message: string,
  cause?: unknown,
): void {
  const identity = `${proposal.entityUrn} ${proposal.aspectName}`;
  if (context === undefined) {
    throw new PipelineError(`${identity}: ${message}`, { code, category: 'usage', cause });
  }
  context.reject({ kind: 'proposal', code, message, identity, content: proposal });
}

/** Entities that are remembered: what is said of one stands together. */
const REMEMBERED = 10_000;

/** What functions threw, by run and by the entity's URN. */
const failures = new WeakMap<RunContext, LRUCache<string, Failure>>();

interface Failure {
  readonly error: unknown;
  readonly operator: string;
}

/** The same for one that a function of the user's own threw for: `OPERATOR_FUNCTION_FAILED`. */
export function rejectFor(
  error: unknown,
  operator: string,
  proposal: Proposal,
  context: RunContext | undefined,
): void {
  if (context !== undefined) {
    const ofRun = failures.get(context) ?? new LRUCache({ max: REMEMBERED });
    failures.set(context, ofRun);
    ofRun.set(proposal.entityUrn, { error, operator });
  }
  const message = `the function of ${operator} failed: ${messageOf(error)}`;
  rejectProposal(context, proposal, 'OPERATOR_FUNCTION_FAILED', message, error);
}

/**
 * What a function threw for an entity, in whichever operator: those behind it are not told of the
 * entity any more, and must not send a list of its that lacks what they would have added.
 */
export function failureOf(context: RunContext | undefined, entityUrn: string): Failure | undefined {
  return context === undefined ? undefined : failures.get(context)?.get(entityUrn);
}
