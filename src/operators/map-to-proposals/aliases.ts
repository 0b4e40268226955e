/**
 * Aliases of a model version to tags.
 */

import type { Proposal } from '../../datahub/proposal.js';
import { aliasTagName, aliasTagUrn } from '../../datahub/urn.js';
import { status, upsert } from './aspects.js';

export interface AliasTags {
  readonly urns: readonly string[];
  /** The tags themselves, which are the same wherever the alias is used. */
  readonly proposals: readonly Proposal[];
}

/** @param aliases - sorted */
export function aliasTags(aliases: readonly string[]): AliasTags {
  const urns = aliases.map(aliasTagUrn);
  const proposals = aliases.flatMap((alias) => {
    const urn = aliasTagUrn(alias);
    const description = `Alias ${alias} of a model version in MLflow Model Registry`;
    return [
      upsert('tag', urn, 'tagProperties', { name: aliasTagName(alias), description }),
      status('tag', urn),
    ];
  });
  return { urns, proposals };
}
