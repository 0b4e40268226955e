/**
 * A user of MLflow, which is told by nothing but a name, to platformResource.
 */

import type { Proposal } from '../../datahub/proposal.js';
import { status, upsert } from './aspects.js';

export function mapUser(urn: string, name: string): readonly Proposal[] {
  return [
    upsert('platformResource', urn, 'platformResourceInfo', {
      resourceType: 'user',
      primaryKey: name,
    }),
    status('platformResource', urn),
  ];
}
