/**
 * Proposals as `ingestProposalBatch` takes them.
 */

import { aspectJson } from '../../datahub/aspect-json.js';
import { CONTENT_TYPE, type Proposal, type SystemMetadata } from '../../datahub/proposal.js';

/**
 * Makes the function that turns proposals of one run into the JSON that stands in a request's list
 * of proposals. What has no JSON (a cycle, a BigInt, an aspect that is no object) makes it throw.
 */
export function proposalEncoder({
  lastObserved,
  runId,
}: SystemMetadata): (proposal: Proposal) => string {
  const tail = `,"systemMetadata":${JSON.stringify({ lastObserved, runId })}`;
  return ({ entityType, entityUrn, changeType, aspectName, aspect, headers }) => {
    const value = aspectJson(aspect);
    const head = {
      entityType,
      entityUrn,
      changeType,
      aspectName,
      // Its bytes are text inside the proposal, and their kind is said beside them.
      aspect: { contentType: CONTENT_TYPE[changeType], value },
    };
    const end = headers === undefined ? '}' : `,"headers":${JSON.stringify(headers)}}`;
    return JSON.stringify(head).slice(0, -1) + tail + end;
  };
}

/** The body of a request. `async` is a text in DataHub's model. */
export function batchBody(proposals: readonly string[], async: boolean): Buffer {
  return Buffer.from(`${BODY_START}${proposals.join(',')}${bodyEnd(async)}`);
}

/** The same for a request of one. */
export function singleBody(proposal: string, async: boolean): Buffer {
  return Buffer.from(`{"proposal":${proposal},"async":"${String(async)}"}`);
}

const BODY_START = '{"proposals":[';

function bodyEnd(async: boolean): string {
  return `],"async":"${String(async)}"}`;
}

/** What a body takes beside its proposals, of which each takes a comma more than its own bytes. */
export const BODY_OVERHEAD_BYTES = BODY_START.length + bodyEnd(false).length;
