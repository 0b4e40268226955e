/**
 * `addDomain`: a domain of DataHub for what comes from MLflow.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import type { JsonValue, Proposal } from '../datahub/proposal.js';
import type { Operator } from '../stream/contracts.js';
import { choiceOptions } from './enrichment/choice.js';
import type { EntityFacts } from './enrichment/entity-facts.js';
import { enrich, type ListAspect } from './enrichment/list-aspect.js';
import { byRule, staticRule } from './enrichment/rule.js';

const PREFIX = 'urn:li:domain:';

export const addDomainOptionsSchema = z.strictObject({
  domain: z.string().min(1).describe('Id or URN of a domain'),
  ...choiceOptions,
});

export type AddDomainOptions = z.input<typeof addDomainOptionsSchema>;

const DOMAINS: ListAspect = { aspectName: 'domains', field: 'domains', keyOf: String };

/**
 * Puts entities into a domain. The domain has to be in DataHub: none is made.
 *
 * Its place is behind `mapToProposals`. A run can be in no domain: it is counted as skipped.
 *
 * What a function throws for goes to the dead-letter file with the code `OPERATOR_FUNCTION_FAILED`, and
 * the others go on; outside a pipeline, the stream errors instead.
 *
 * @param rule - options, or a function that gives the domain or domains of an entity, undefined for none
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const model: Proposal = {
 *   entityType: 'mlModelGroup', entityUrn: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)',
 *   changeType: 'UPSERT', aspectName: 'mlModelGroupProperties', aspect: { name: 'churn' },
 * };
 * of(model)
 *   .pipe(addDomain({ domain: 'marketing', names: 'churn|uplift' }))
 *   .subscribe(({ aspectName, aspect }) => console.log(aspectName, JSON.stringify(aspect)));
 * // mlModelGroupProperties {"name":"churn"}
 * // domains {"domains":["urn:li:domain:marketing"]}
 */
export function addDomain(
  rule: AddDomainOptions | ((entity: EntityFacts) => string | readonly string[] | undefined),
): Operator<Proposal, Proposal> {
  if (typeof rule === 'function') {
    const listed = (entity: EntityFacts): readonly string[] => {
      const given = rule(entity) ?? [];
      return typeof given === 'string' ? [given] : given;
    };
    // With its signature, where it has one.
    return enrich(byRule('addDomain', DOMAINS, Object.assign(listed, rule), element));
  }
  const options = parseOptions('addDomain', addDomainOptionsSchema, rule);
  return enrich(staticRule('addDomain', DOMAINS, options, [element(options.domain)]));
}

function element(domain: string): JsonValue {
  return domain.startsWith(PREFIX) ? domain : `${PREFIX}${domain}`;
}
