/**
 * Changes the aspect with an entity's properties, and nothing else.
 */

import type { Aspect, Proposal } from '../../datahub/proposal.js';
import type { Operator, RunContext } from '../../stream/contracts.js';
import { mapMany } from '../../stream/map-many.js';
import { rejectFor } from '../reject-proposal.js';
import { factsIn, type EntityFacts } from './entity-facts.js';

/**
 * A proposal that `change` throws for is rejected with the code `OPERATOR_FUNCTION_FAILED`.
 *
 * @param change - gives the aspect as it is to be, the same one where nothing changes
 * @param signature - as in `OperatorHooks`; absent where a function of the user's own decides
 */
export function redescribe(
  label: string,
  change: (entity: EntityFacts, proposal: Proposal) => Aspect,
  signature?: string,
): Operator<Proposal, Proposal> {
  let context: RunContext | undefined;
  const operator: Operator<Proposal, Proposal> = mapMany((proposal: Proposal) => {
    const entity = factsIn(proposal);
    if (entity === undefined) return [proposal];
    try {
      const aspect = change(entity, proposal);
      return [aspect === proposal.aspect ? proposal : { ...proposal, aspect }];
    } catch (error) {
      rejectFor(error, label, proposal, context);
      return [];
    }
  });
  return Object.assign(operator, {
    label,
    ...(signature === undefined ? {} : { signature }),
    open: (run: RunContext) => {
      context = run;
    },
  });
}
