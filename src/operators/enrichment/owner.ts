/**
 * An element of the aspect `ownership`.
 */

import type { Aspect } from '../../datahub/proposal.js';
import { encodeUrnPart } from '../../datahub/urn.js';

const USER = 'urn:li:corpuser:';

/** The URNs of types of ownership that people have made for themselves. */
export const CUSTOM_TYPE = 'urn:li:ownershipType:';

export const OWNERSHIP = 'ownership';

/** What an owner is where nobody says. */
export const OWNER_TYPE = 'TECHNICAL_OWNER';

/** @param owner - name of a user of DataHub, or the URN of a user or a group */
export function ownerElement(owner: string, type = OWNER_TYPE): Aspect {
  const urn = owner.startsWith('urn:li:') ? owner : `${USER}${encodeUrnPart(owner)}`;
  return type.startsWith(CUSTOM_TYPE)
    ? { owner: urn, type: 'CUSTOM', typeUrn: type }
    : { owner: urn, type };
}
