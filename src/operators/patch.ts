/**
 * `patch`: adds to what people did in DataHub, instead of replacing it.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import type { JsonValue, Proposal } from '../datahub/proposal.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import { mapMany } from '../stream/map-many.js';
import { DESCRIBED_TYPES, isAspect } from './enrichment/entity-facts.js';

/** What tells the elements of a list apart, as DataHub's own library names it in patches. */
const LISTS: Readonly<
  Record<string, { readonly field: string; readonly keys: readonly string[] }>
> = {
  globalTags: { field: 'tags', keys: ['attribution␟source', 'tag'] },
  glossaryTerms: { field: 'terms', keys: ['urn', 'attribution␟source'] },
  ownership: { field: 'owners', keys: ['owner', 'type', 'typeUrn', 'attribution␟source'] },
};

const ASPECTS = ['globalTags', 'glossaryTerms', 'ownership'] as const;

export const patchOptionsSchema = z.strictObject({
  aspects: z
    .array(z.enum(ASPECTS))
    .min(1)
    .default([...ASPECTS])
    .describe('The lists that are added to instead of being replaced'),
  entityTypes: z
    .array(z.enum(DESCRIBED_TYPES))
    .min(1)
    .optional()
    .describe('Types of entities whose lists they are; all unless set'),
});

export type PatchOptions = z.input<typeof patchOptionsSchema>;

/**
 * Makes patches of the proposals for tags, terms and owners: DataHub adds what is in them to what it
 * has, so that what people did in its pages stays. What is no longer said here stays as well.
 *
 * Its place is behind everything that adds tags, terms or owners. A list without elements has
 * nothing to add, and is left out. With state, patches are sent again with each record that changed.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const tags: Proposal = {
 *   entityType: 'mlModel', entityUrn: 'urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_3,PROD)',
 *   changeType: 'UPSERT', aspectName: 'globalTags', aspect: { tags: [{ tag: 'urn:li:tag:gold' }] },
 * };
 * of(tags)
 *   .pipe(patch())
 *   .subscribe(({ changeType, aspect }) => console.log(changeType, JSON.stringify(aspect['patch'])));
 * // PATCH [{"op":"add","path":"/tags//urn:li:tag:gold","value":{"tag":"urn:li:tag:gold"}}]
 */
export function patch(options: PatchOptions = {}): Operator<Proposal, Proposal> {
  const settings = parseOptions('patch', patchOptionsSchema, options);
  const patched = new Set<string>(settings.aspects);
  const types =
    settings.entityTypes === undefined ? undefined : new Set<string>(settings.entityTypes);
  let context: RunContext | undefined;
  const operator: Operator<Proposal, Proposal> = mapMany((proposal: Proposal) => {
    if (proposal.changeType !== 'UPSERT' || !patched.has(proposal.aspectName)) return [proposal];
    if (types?.has(proposal.entityType) === false) return [proposal];
    const made = patchOf(proposal);
    if (made.length === 0) context?.recorder.skipped('patch: nothing to add');
    return made;
  });
  return Object.assign(operator, {
    label: 'patch',
    signature: `patch ${JSON.stringify(settings)}`,
    open: (run: RunContext) => {
      context = run;
    },
  });
}

function patchOf(proposal: Proposal): readonly Proposal[] {
  const list = LISTS[proposal.aspectName];
  const elements =
    list === undefined || !isAspect(proposal.aspect) ? undefined : proposal.aspect[list.field];
  // What is no list is for DataHub to refuse.
  if (list === undefined || !Array.isArray(elements)) return [proposal];
  if (elements.length === 0) return [];
  const operations = (elements as readonly JsonValue[]).map((value) => ({
    op: 'add',
    path: pointer(list.field, ...list.keys.map((key) => valueAt(value, key))),
    value,
  }));
  return [
    {
      ...proposal,
      changeType: 'PATCH',
      aspect: { arrayPrimaryKeys: { [list.field]: list.keys }, patch: operations },
    },
  ];
}

/** The empty text where there is none, as DataHub has it. */
function valueAt(element: JsonValue, path: string): string {
  let value: unknown = element;
  for (const name of path.split('␟')) {
    value =
      typeof value === 'object' && value !== null
        ? (value as Readonly<Record<string, unknown>>)[name]
        : undefined;
  }
  return typeof value === 'string' ? value : '';
}

/** A JSON pointer (RFC 6901). */
function pointer(...parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
