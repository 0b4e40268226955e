/**
 * `renameBy`: other names to see in DataHub.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { pattern, patternReplace } from '../core/pattern.js';
import type { Proposal } from '../datahub/proposal.js';
import type { Operator } from '../stream/contracts.js';
import { choiceOptions, chosen } from './enrichment/choice.js';
import type { EntityFacts } from './enrichment/entity-facts.js';
import { redescribe } from './enrichment/redescribe.js';

export const renameByOptionsSchema = z.strictObject({
  from: pattern().describe('Names to change'),
  to: z.string().min(1).describe('The new name, with `$1` for what the first group matched'),
  entityTypes: choiceOptions.entityTypes,
});

export type RenameByOptions = z.input<typeof renameByOptionsSchema>;

/**
 * Changes the names that people see. URNs stay, and with them what DataHub knows of the entity.
 *
 * Its place is behind `mapToProposals`.
 *
 * What a function throws for goes to the dead-letter file with the code `OPERATOR_FUNCTION_FAILED`, and
 * the others go on; outside a pipeline, the stream errors instead.
 *
 * @param rule - options, or a function that gives the new name of an entity
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const experiment: Proposal = {
 *   entityType: 'container', entityUrn: 'urn:li:container:1', changeType: 'UPSERT',
 *   aspectName: 'containerProperties', aspect: { name: '/Users/ada/churn' },
 * };
 * of(experiment)
 *   .pipe(renameBy({ from: '/Users/([^/]+)/(.+)', to: '$2 ($1)' }))
 *   .subscribe(({ aspect }) => console.log(aspect['name'])); // churn (ada)
 */
export function renameBy(
  rule: RenameByOptions | ((entity: EntityFacts) => string),
): Operator<Proposal, Proposal> {
  if (typeof rule === 'function') return redescribe('renameBy', (...it) => rename(rule, ...it));
  const options = parseOptions('renameBy', renameByOptionsSchema, rule);
  const isChosen = chosen(options);
  const replaced = patternReplace(options.from, options.to);
  const given = (entity: EntityFacts): string =>
    isChosen(entity) ? replaced(entity.name) : entity.name;
  const signature = `renameBy ${JSON.stringify(options)}`;
  return redescribe('renameBy', (...it) => rename(given, ...it), signature);
}

function rename(
  given: (entity: EntityFacts) => string,
  entity: EntityFacts,
  { aspect }: Proposal,
): Proposal['aspect'] {
  const name = given(entity);
  return name === entity.name ? aspect : { ...aspect, name };
}
