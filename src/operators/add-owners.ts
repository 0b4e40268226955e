/**
 * `addOwners`: owners for what comes from MLflow.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import type { Proposal } from '../datahub/proposal.js';
import type { Operator } from '../stream/contracts.js';
import { choiceOptions } from './enrichment/choice.js';
import type { EntityFacts } from './enrichment/entity-facts.js';
import { enrich, type ListAspect } from './enrichment/list-aspect.js';
import { CUSTOM_TYPE, OWNER_TYPE, ownerElement, OWNERSHIP } from './enrichment/owner.js';
import { byRule, staticRule } from './enrichment/rule.js';

const TYPES = [
  'BUSINESS_OWNER',
  'CONSUMER',
  'DATAOWNER',
  'DATA_STEWARD',
  'DELEGATE',
  'DEVELOPER',
  'NONE',
  'PRODUCER',
  'STAKEHOLDER',
  'TECHNICAL_OWNER',
] as const;

export const addOwnersOptionsSchema = z.strictObject({
  owners: z
    .array(z.string().min(1))
    .min(1)
    .describe('Names of users of DataHub, or URNs of users and groups: `urn:li:corpGroup:team-a`'),
  type: z
    .union([z.enum(TYPES), z.string().startsWith(CUSTOM_TYPE, { abort: true })])
    .default(OWNER_TYPE)
    .describe('Of the ownership; one of your own by its URN, `urn:li:ownershipType:…`'),
  ...choiceOptions,
});

export type AddOwnersOptions = z.input<typeof addOwnersOptionsSchema>;

/** An owner that a function gives; one without a type is a technical owner. */
export type OwnerRule = (
  entity: EntityFacts,
) => readonly (string | { readonly owner: string; readonly type?: string })[];

const OWNERS: ListAspect = {
  aspectName: OWNERSHIP,
  field: 'owners',
  keyOf: (element) => {
    const { owner, type, typeUrn } = (element ?? {}) as Readonly<Record<string, unknown>>;
    return JSON.stringify([owner, type, typeUrn]);
  },
};

/**
 * Adds owners to entities, beside those that they have here. Owners that people gave in DataHub are
 * replaced, unless `patch` stands behind it.
 *
 * Its place is behind `mapToProposals`. A run can have no owner: it is counted as skipped.
 *
 * What a function throws for goes to the dead-letter file with the code `OPERATOR_FUNCTION_FAILED`, and
 * the others go on; outside a pipeline, the stream errors instead.
 *
 * @param rule - options, or a function that gives the owners of an entity, none for no owner
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const model: Proposal = {
 *   entityType: 'mlModelGroup', entityUrn: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)',
 *   changeType: 'UPSERT', aspectName: 'mlModelGroupProperties', aspect: { name: 'churn' },
 * };
 * of(model)
 *   .pipe(addOwners({ owners: ['ada', 'urn:li:corpGroup:team-a'], entityTypes: ['mlModelGroup'] }))
 *   .subscribe(({ aspectName, aspect }) => console.log(aspectName, JSON.stringify(aspect['owners'])));
 * // mlModelGroupProperties undefined
 * // ownership [{"owner":"urn:li:corpuser:ada","type":"TECHNICAL_OWNER"},{"owner":"urn:li:corpGroup:team-a","type":"TECHNICAL_OWNER"}]
 */
export function addOwners(rule: AddOwnersOptions | OwnerRule): Operator<Proposal, Proposal> {
  if (typeof rule === 'function') {
    return enrich(
      byRule('addOwners', OWNERS, rule, (given) =>
        typeof given === 'string' ? ownerElement(given) : ownerElement(given.owner, given.type),
      ),
    );
  }
  const options = parseOptions('addOwners', addOwnersOptionsSchema, rule);
  const owners = options.owners.map((owner) => ownerElement(owner, options.type));
  return enrich(staticRule('addOwners', OWNERS, options, owners));
}
