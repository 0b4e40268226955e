/**
 * `addTerms`: terms of DataHub's glossary for what comes from MLflow.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import type { JsonValue, Proposal } from '../datahub/proposal.js';
import type { Operator } from '../stream/contracts.js';
import { choiceOptions } from './enrichment/choice.js';
import type { EntityFacts } from './enrichment/entity-facts.js';
import { enrich, type ListAspect } from './enrichment/list-aspect.js';
import { byRule, staticRule } from './enrichment/rule.js';
import { DATAHUB_ACTOR } from './map-to-proposals/aspects.js';

const PREFIX = 'urn:li:glossaryTerm:';

export const addTermsOptionsSchema = z.strictObject({
  terms: z.array(z.string().min(1)).min(1).describe('Ids or URNs of glossary terms'),
  ...choiceOptions,
});

export type AddTermsOptions = z.input<typeof addTermsOptionsSchema>;

const TERMS: ListAspect = {
  aspectName: 'glossaryTerms',
  field: 'terms',
  keyOf: (element) => String((element as { readonly urn?: unknown } | null)?.urn),
  // The field is required. A clock would make each run's aspect another one.
  fields: { auditStamp: { time: 0, actor: DATAHUB_ACTOR } },
};

/**
 * Adds glossary terms to entities, beside those that they have here. The terms have to be in DataHub:
 * none is made. Terms that people gave in DataHub are replaced, unless `patch` stands behind it.
 *
 * Its place is behind `mapToProposals`. A run can have no terms: it is counted as skipped.
 *
 * What a function throws for goes to the dead-letter file with the code `OPERATOR_FUNCTION_FAILED`, and
 * the others go on; outside a pipeline, the stream errors instead.
 *
 * @param rule - options, or a function that gives the terms of an entity, none for no terms
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const model: Proposal = {
 *   entityType: 'mlModelGroup', entityUrn: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)',
 *   changeType: 'UPSERT', aspectName: 'mlModelGroupProperties',
 *   aspect: { name: 'churn', customProperties: { pii: 'yes' } },
 * };
 * of(model)
 *   .pipe(addTerms(({ properties }) => (properties['pii'] === 'yes' ? ['Classification.Personal'] : [])))
 *   .subscribe(({ aspectName, aspect }) => console.log(aspectName, JSON.stringify(aspect['terms'])));
 * // mlModelGroupProperties undefined
 * // glossaryTerms [{"urn":"urn:li:glossaryTerm:Classification.Personal"}]
 */
export function addTerms(
  rule: AddTermsOptions | ((entity: EntityFacts) => readonly string[]),
): Operator<Proposal, Proposal> {
  if (typeof rule === 'function') return enrich(byRule('addTerms', TERMS, rule, element));
  const options = parseOptions('addTerms', addTermsOptionsSchema, rule);
  return enrich(staticRule('addTerms', TERMS, options, options.terms.map(element)));
}

function element(term: string): JsonValue {
  return { urn: term.startsWith(PREFIX) ? term : `${PREFIX}${term}` };
}
