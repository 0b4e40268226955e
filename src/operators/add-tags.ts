/**
 * `addTags`: tags of DataHub for what comes from MLflow.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import type { JsonValue, Proposal } from '../datahub/proposal.js';
import { encodeUrnPart } from '../datahub/urn.js';
import type { Operator } from '../stream/contracts.js';
import { choiceOptions } from './enrichment/choice.js';
import type { EntityFacts } from './enrichment/entity-facts.js';
import { enrich, type ListAspect } from './enrichment/list-aspect.js';
import { byRule, staticRule } from './enrichment/rule.js';
import { upsert } from './map-to-proposals/aspects.js';

const PREFIX = 'urn:li:tag:';

export const addTagsOptionsSchema = z.strictObject({
  tags: z.array(z.string().min(1)).min(1).describe('Names or URNs of tags'),
  ...choiceOptions,
});

export type AddTagsOptions = z.input<typeof addTagsOptionsSchema>;

const TAGS: ListAspect = {
  aspectName: 'globalTags',
  field: 'tags',
  keyOf: tagOf,
  // A tag that nobody has made is not shown.
  keyProposal: (element) =>
    upsert('tag', tagOf(element), 'tagKey', { name: tagOf(element).slice(PREFIX.length) }),
};

/**
 * Adds tags to entities, beside those that they have here: a version keeps the tag of its stage. Tags
 * that people gave in DataHub are replaced, as with any list, unless `patch` stands behind it.
 *
 * Its place is behind `mapToProposals`. A run can have no tags: it is counted as skipped.
 *
 * What a function throws for goes to the dead-letter file with the code `OPERATOR_FUNCTION_FAILED`, and
 * the others go on; outside a pipeline, the stream errors instead.
 *
 * @param rule - options, or a function that gives the tags of an entity, none for no tags
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const model: Proposal = {
 *   entityType: 'mlModelGroup', entityUrn: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)',
 *   changeType: 'UPSERT', aspectName: 'mlModelGroupProperties', aspect: { name: 'churn' },
 * };
 * of(model)
 *   .pipe(addTags({ tags: ['gold'], names: 'churn.*' }))
 *   .subscribe(({ aspectName, aspect }) => console.log(aspectName, JSON.stringify(aspect)));
 * // mlModelGroupProperties {"name":"churn"}
 * // globalTags {"tags":[{"tag":"urn:li:tag:gold"}]}
 * // tagKey {"name":"gold"}
 */
export function addTags(
  rule: AddTagsOptions | ((entity: EntityFacts) => readonly string[]),
): Operator<Proposal, Proposal> {
  if (typeof rule === 'function') return enrich(byRule('addTags', TAGS, rule, element));
  const options = parseOptions('addTags', addTagsOptionsSchema, rule);
  return enrich(staticRule('addTags', TAGS, options, options.tags.map(element)));
}

function element(tag: string): JsonValue {
  return { tag: tag.startsWith(PREFIX) ? tag : `${PREFIX}${encodeUrnPart(tag)}` };
}

function tagOf(value: JsonValue): string {
  return String((value as { readonly tag?: unknown } | null)?.tag);
}
