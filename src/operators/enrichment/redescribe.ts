/**
 * Changes the aspect with an entity's properties, and nothing else.
 */

import { map } from 'rxjs';
import type { Aspect, Proposal } from '../../datahub/proposal.js';
import type { Operator } from '../../stream/contracts.js';
import { factsIn, type EntityFacts } from './entity-facts.js';

/**
 * @param change - gives the aspect as it is to be, the same one where nothing changes
 * @param signature - as in `OperatorHooks`; absent where a function of the user's own decides
 */
export function redescribe(
  label: string,
  change: (entity: EntityFacts, proposal: Proposal) => Aspect,
  signature?: string,
): Operator<Proposal, Proposal> {
  const operator: Operator<Proposal, Proposal> = map((proposal: Proposal) => {
    const entity = factsIn(proposal);
    if (entity === undefined) return proposal;
    const aspect = change(entity, proposal);
    return aspect === proposal.aspect ? proposal : { ...proposal, aspect };
  });
  return Object.assign(operator, { label, ...(signature === undefined ? {} : { signature }) });
}
