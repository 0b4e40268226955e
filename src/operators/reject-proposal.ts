/**
 * What becomes of a proposal that an operator can do nothing with.
 */

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

/** The same for one that a function of the user's own threw for: `OPERATOR_FUNCTION_FAILED`. */
export function rejectFor(
  error: unknown,
  operator: string,
  proposal: Proposal,
  context: RunContext | undefined,
): void {
  const message = `the function of ${operator} failed: ${messageOf(error)}`;
  rejectProposal(context, proposal, 'OPERATOR_FUNCTION_FAILED', message, error);
}
