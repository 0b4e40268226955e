/**
 * `validate`: finds what DataHub would refuse, before it is sent.
 */

import { filter } from 'rxjs';
import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { takesAspect, requiredFields } from '../datahub/entity-aspects.js';
import { jsonSizeBound } from '../datahub/json-size.js';
import type { Proposal } from '../datahub/proposal.js';
import { urnProblem } from '../datahub/urn.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import { isAspect } from './enrichment/entity-facts.js';
import { rejectProposal } from './reject-proposal.js';

const MEBIBYTE = 1024 * 1024;

export const validateOptionsSchema = z.strictObject({
  maxAspectBytes: z
    .int()
    .min(1)
    .default(15 * MEBIBYTE)
    .describe(
      "JSON of an aspect, at most; DataHub takes requests of 16 MB, and Kafka's brokers messages " +
        'of 5 MiB as DataHub ships them',
    ),
});

export type ValidateOptions = z.input<typeof validateOptionsSchema>;

/** What is wrong with a proposal: the rule, and why. */
interface Breach {
  readonly rule: string;
  readonly message: string;
}

type Rule = (proposal: Proposal) => string | undefined;

/** Of the entity, in this order; the first that is broken is told. */
const ENTITY_RULES = Object.entries<Rule>({
  URN_INVALID: ({ entityUrn }) => {
    const problem = urnProblem(entityUrn);
    return problem === undefined ? undefined : `its URN can't be: ${problem}`;
  },
  URN_OF_OTHER_TYPE: ({ entityType, entityUrn }) =>
    entityUrn.startsWith(`urn:li:${entityType}:`)
      ? undefined
      : `its URN is none of a ${entityType}`,
});

/** Of the aspect, then. */
const ASPECT_RULES = Object.entries<Rule>({
  ASPECT_NOT_ALLOWED: ({ entityType, aspectName }) =>
    takesAspect(entityType, aspectName) === false
      ? `DataHub takes no ${aspectName} for a ${entityType}`
      : undefined,
  FIELD_MISSING: ({ changeType, aspectName, aspect }) => {
    if (changeType === 'PATCH') return undefined;
    const missing = requiredFields(aspectName).filter((field) => !isSet(aspect[field]));
    return missing.length === 0 ? undefined : `${aspectName} lacks ${missing.join(', ')}`;
  },
});

/**
 * Takes out proposals that break a rule of DataHub's: URNs that are too long, blank at their ends or
 * of another type, aspects that the entity can't have, required fields that are missing, aspects that
 * are too large. They go to the dead-letter file with the name of the rule as their code, and the
 * others go on; outside a pipeline, the stream errors instead.
 *
 * | rule | what breaks it |
 * |---|---|
 * | `URN_INVALID` | more than 512 bytes URL-encoded, blanks around it, an empty name |
 * | `URN_OF_OTHER_TYPE` | a URN that is none of the proposal's entity type |
 * | `ASPECT_NOT_ALLOWED` | an aspect that DataHub's model does not have for such an entity |
 * | `FIELD_MISSING` | a field without which the aspect can't be; of a patch nobody knows |
 * | `ASPECT_TOO_LARGE` | more than `maxAspectBytes` of JSON |
 * | `NO_JSON` | what has no form in JSON, or is no object there |
 *
 * Its place is last. Entity types that MLflow does not become are not looked at but for the URN.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const tags: Proposal = {
 *   entityType: 'dataProcessInstance', entityUrn: 'urn:li:dataProcessInstance:1',
 *   changeType: 'UPSERT', aspectName: 'globalTags', aspect: { tags: [] },
 * };
 * of(tags)
 *   .pipe(validate())
 *   .subscribe({ error: ({ message }) => console.log(message) });
 * // urn:li:dataProcessInstance:1 globalTags: DataHub takes no globalTags for a dataProcessInstance
 */
export function validate(options: ValidateOptions = {}): Operator<Proposal, Proposal> {
  const { maxAspectBytes } = parseOptions('validate', validateOptionsSchema, options);
  let context: RunContext | undefined;
  const entities = new Entities();
  const operator: Operator<Proposal, Proposal> = filter((proposal) => {
    const breach = entities.breachOf(proposal) ?? breachOf(proposal, maxAspectBytes);
    if (breach === undefined) return true;
    rejectProposal(context, proposal, breach.rule, breach.message);
    return false;
  });
  return Object.assign(operator, {
    label: 'validate',
    signature: `validate ${maxAspectBytes}`,
    open: (run: RunContext) => {
      context = run;
    },
  });
}

function breachOf(proposal: Proposal, maxAspectBytes: number): Breach | undefined {
  const { aspect } = proposal;
  if (!isAspect(aspect)) return { rule: 'NO_JSON', message: 'its aspect is no object' };
  // Making the JSON of each aspect only to measure it would be half of the time that this takes.
  const isSmall = jsonSizeBound(aspect) <= maxAspectBytes;
  let bytes = 0;
  try {
    if (!isSmall) bytes = Buffer.byteLength(JSON.stringify(aspect));
  } catch (error) {
    return { rule: 'NO_JSON', message: `its aspect has no form in JSON: ${String(error)}` };
  }
  return (
    broken(ASPECT_RULES, proposal) ??
    (bytes <= maxAspectBytes
      ? undefined
      : {
          rule: 'ASPECT_TOO_LARGE',
          message: `its aspect is ${bytes} bytes of JSON, and ${maxAspectBytes} are allowed`,
        })
  );
}

/** What is said of an entity stands together: it is looked at once. */
class Entities {
  #sound: Pick<Proposal, 'entityType' | 'entityUrn'> | undefined;

  breachOf(proposal: Proposal): Breach | undefined {
    const { entityType, entityUrn } = proposal;
    if (this.#sound?.entityUrn === entityUrn && this.#sound.entityType === entityType) {
      return undefined;
    }
    const breach = broken(ENTITY_RULES, proposal);
    if (breach === undefined) this.#sound = { entityType, entityUrn };
    return breach;
  }
}

function broken(
  rules: readonly (readonly [string, Rule])[],
  proposal: Proposal,
): Breach | undefined {
  for (const [rule, look] of rules) {
    const message = look(proposal);
    if (message !== undefined) return { rule, message };
  }
  return undefined;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
