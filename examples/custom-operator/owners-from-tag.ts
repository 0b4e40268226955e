/**
 * An operator of one's own: who owns an experiment, from a tag of the experiment.
 */

import { encodeUrnPart, type Operator, type Proposal } from 'mlflow-datahub';
import { mergeMap } from 'rxjs';

/**
 * Makes the team that an experiment's tag names the owner of the experiment's container. What goes
 * in goes out; the owners are a further proposal behind the container's properties, where all tags
 * of the experiment are.
 *
 * @example
 * operators: [versionGate(), buildUrns(), mapToProposals(), ownersFromTag('team'), dedup()]
 */
export function ownersFromTag(tag: string): Operator<Proposal, Proposal> {
  const operator = mergeMap((proposal: Proposal) => {
    const team = proposal.aspectName === 'containerProperties' ? tagOf(proposal, tag) : undefined;
    return team === undefined ? [proposal] : [proposal, ownedBy(proposal, team)];
  });
  // The label is all that makes it more than RxJS: errors and the graph name it.
  return Object.assign(operator, { label: `ownersFromTag ${tag}` });
}

function tagOf(proposal: Proposal, tag: string): string | undefined {
  const tags = proposal.aspect['customProperties'];
  if (typeof tags !== 'object' || tags === null || !Object.hasOwn(tags, tag)) return undefined;
  const value = (tags as Readonly<Record<string, unknown>>)[tag];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function ownedBy({ entityType, entityUrn }: Proposal, team: string): Proposal {
  const owner = `urn:li:corpGroup:${encodeUrnPart(team)}`;
  return {
    entityType,
    entityUrn,
    changeType: 'UPSERT',
    aspectName: 'ownership',
    aspect: { owners: [{ owner, type: 'TECHNICAL_OWNER' }] },
  };
}
