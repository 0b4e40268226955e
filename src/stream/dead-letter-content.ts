/**
 * What a dead-letter file's entry is about, as it can be tried again.
 */

import type { Proposal } from '../datahub/proposal.js';
import { readProposal } from '../datahub/read-proposal.js';
import type { MlflowRecord } from '../mlflow/records.js';
import { readRawItem, reviveRecord } from '../mlflow/revive-record.js';
import type { DeadLetterEntry } from './dead-letter-entry.js';

/** Of a refused proposal, and of a line of a file of proposals that is one by now. */
export function proposalIn({ kind, code, content }: DeadLetterEntry): Proposal | undefined {
  if (kind === 'record' && !code.endsWith('_PROPOSAL')) return undefined;
  try {
    return kind === 'proposal' ? readProposal(asInFile(content)) : readProposal(content);
  } catch {
    return undefined;
  }
}

/** In a file the aspect stands a level deeper. */
function asInFile(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || !('aspect' in content)) return content;
  return { ...content, aspect: { json: content.aspect } };
}

/** Of a record that could not be mapped, or could not even be read. */
export function recordIn({
  kind,
  code,
  content,
  origin,
}: DeadLetterEntry): MlflowRecord | undefined {
  if (kind !== 'record') return undefined;
  const record = reviveRecord(content);
  if (record !== undefined || origin === undefined) return record;
  const { server, experiment } = origin;
  return readRawItem({ code, content, server, experiment });
}
