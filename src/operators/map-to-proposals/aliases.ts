/**
 * Aliases of a model version to tags.
 */

import type { Proposal } from '../../datahub/proposal.js';
import { aliasTagName, aliasTagUrn, urnProblem } from '../../datahub/urn.js';
import type { ModelVersionRecord } from '../../mlflow/records.js';
import { identityOf } from '../per-record.js';
import { status, upsert } from './aspects.js';
import type { Mapping } from './mapping.js';

export interface AliasTags {
  readonly urns: readonly string[];
  /** The tags themselves, which are the same wherever the alias is used. */
  readonly proposals: readonly Proposal[];
}

/** @param aliases - of the version, sorted */
export function aliasTags(
  aliases: readonly string[],
  version: ModelVersionRecord,
  mapping: Pick<Mapping, 'warn'>,
): AliasTags {
  const urns: string[] = [];
  const proposals: Proposal[] = [];
  for (const alias of aliases) {
    const urn = aliasTagUrn(alias);
    const problem = urnProblem(urn);
    if (problem !== undefined) {
      mapping.warn(
        'UNLINKED_TAG',
        'DataHub would refuse the URN of the tag of an alias, which is left out',
        `${identityOf(version)}: ${urn}: ${problem}`,
      );
      continue;
    }
    const description = `Alias ${alias} of a model version in MLflow Model Registry`;
    urns.push(urn);
    proposals.push(
      upsert('tag', urn, 'tagProperties', { name: aliasTagName(alias), description }),
      status('tag', urn),
    );
  }
  return { urns, proposals };
}
