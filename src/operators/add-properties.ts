/**
 * `addProperties`: custom properties for what comes from MLflow.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import type { Proposal } from '../datahub/proposal.js';
import type { Operator } from '../stream/contracts.js';
import { choiceOptions, chosen } from './enrichment/choice.js';
import { propertiesIn, type EntityFacts } from './enrichment/entity-facts.js';
import { redescribe } from './enrichment/redescribe.js';
import { emptyProperties } from './map-to-proposals/aspects.js';

export const addPropertiesOptionsSchema = z.strictObject({
  properties: z.record(z.string().min(1), z.string()).describe('Values by name'),
  ...choiceOptions,
});

export type AddPropertiesOptions = z.input<typeof addPropertiesOptionsSchema>;

/**
 * Adds custom properties to entities, behind MLflow's tags; of one name, the one that is added counts.
 *
 * Its place is behind `mapToProposals`. Every entity that has properties can take them, runs too.
 *
 * What a function throws for goes to the dead-letter file with the code `OPERATOR_FUNCTION_FAILED`, and
 * the others go on; outside a pipeline, the stream errors instead.
 *
 * @param rule - options, or a function that gives the properties to add to an entity
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const run: Proposal = {
 *   entityType: 'dataProcessInstance', entityUrn: 'urn:li:dataProcessInstance:1', changeType: 'UPSERT',
 *   aspectName: 'dataProcessInstanceProperties',
 *   aspect: { name: 'a run', customProperties: { team: 'core' } },
 * };
 * of(run)
 *   .pipe(addProperties({ properties: { cluster: 'eu-1' } }))
 *   .subscribe(({ aspect }) => console.log(JSON.stringify(aspect['customProperties'])));
 * // {"team":"core","cluster":"eu-1"}
 */
export function addProperties(
  rule: AddPropertiesOptions | ((entity: EntityFacts) => Readonly<Record<string, string>>),
): Operator<Proposal, Proposal> {
  if (typeof rule === 'function') return redescribe('addProperties', (...it) => add(rule, ...it));
  const options = parseOptions('addProperties', addPropertiesOptionsSchema, rule);
  const isChosen = chosen(options);
  const given = (entity: EntityFacts): Readonly<Record<string, string>> =>
    isChosen(entity) ? options.properties : {};
  const signature = `addProperties ${JSON.stringify(options)}`;
  return redescribe('addProperties', (...it) => add(given, ...it), signature);
}

function add(
  given: (entity: EntityFacts) => Readonly<Record<string, string>>,
  entity: EntityFacts,
  { aspect }: Proposal,
): Proposal['aspect'] {
  const added = given(entity);
  if (Object.keys(added).length === 0) return aspect;
  const customProperties = Object.assign(emptyProperties(), propertiesIn(aspect), added);
  return { ...aspect, customProperties };
}
