/**
 * Proposals for tests of operators, each with what a test says.
 */

import { DESCRIBED_BY } from '../../src/datahub/entity-aspects.js';
import type { Aspect, Proposal } from '../../src/datahub/proposal.js';

export type DescribedType = keyof typeof DESCRIBED_BY;

export function urnOf(entityType: string, name: string): string {
  return `urn:li:${entityType}:${name}`;
}

/** One aspect of an entity. */
export function said(
  entityType: string,
  name: string,
  aspectName: string,
  aspect: Aspect,
  parts: Partial<Proposal> = {},
): Proposal {
  const entityUrn = urnOf(entityType, name);
  return { entityType, entityUrn, changeType: 'UPSERT', aspectName, aspect, ...parts };
}

/** The proposal with an entity's properties. */
export function described(
  entityType: DescribedType,
  name: string,
  customProperties: Readonly<Record<string, string>> = {},
): Proposal {
  return said(entityType, name, DESCRIBED_BY[entityType], { name, customProperties });
}

export function tags(entityType: string, name: string, ...names: readonly string[]): Proposal {
  const list = names.map((tag) => ({ tag: `urn:li:tag:${tag}` }));
  return said(entityType, name, 'globalTags', { tags: list });
}

export function tagKey(name: string): Proposal {
  return said('tag', name, 'tagKey', { name });
}
