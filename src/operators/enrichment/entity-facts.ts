/**
 * What rules of a user's own are told of an entity.
 */

import { DESCRIBED_BY } from '../../datahub/entity-aspects.js';
import type { Aspect, Proposal } from '../../datahub/proposal.js';

/** An entity as the proposal with its properties describes it. */
export interface EntityFacts {
  /** Such as `mlModel`, `mlModelGroup`, `container`, `dataset`, `dataProcessInstance`. */
  readonly entityType: string;
  readonly entityUrn: string;
  /** The name that people see: of a version `churn_3`, of a run its name. */
  readonly name: string;
  /** Custom properties: MLflow's tags, for the most part. */
  readonly properties: Readonly<Record<string, string>>;
}

/** The types of entities that rules are told of. */
export const DESCRIBED_TYPES = Object.keys(DESCRIBED_BY) as (keyof typeof DESCRIBED_BY)[];

const DESCRIBING: ReadonlyMap<string, string> = new Map(Object.entries(DESCRIBED_BY));

/** Undefined for a proposal that does not have them: each entity comes by once. */
export function factsIn(proposal: Proposal): EntityFacts | undefined {
  const { entityType, entityUrn, aspectName, aspect, changeType } = proposal;
  if (changeType !== 'UPSERT' || DESCRIBING.get(entityType) !== aspectName) return undefined;
  if (!isAspect(aspect)) return undefined; // for DataHub to refuse
  return {
    entityType,
    entityUrn,
    name: typeof aspect['name'] === 'string' ? aspect['name'] : nameInUrn(entityUrn),
    properties: propertiesIn(aspect),
  };
}

/** What operators of users make is seen by no compiler. */
export function isAspect(aspect: unknown): aspect is Aspect {
  return typeof aspect === 'object' && aspect !== null;
}

export function propertiesIn(aspect: Aspect): Readonly<Record<string, string>> {
  const properties = aspect['customProperties'];
  return typeof properties === 'object' && properties !== null && !Array.isArray(properties)
    ? (properties as Readonly<Record<string, string>>)
    : {};
}

/** `urn:li:dataset:(urn:li:dataPlatform:s3,bucket/churn,PROD)` is `bucket/churn`. */
function nameInUrn(urn: string): string {
  return /^urn:li:\w+:\([^,]*,([^,]*),[^,]*\)$/.exec(urn)?.[1] ?? urn;
}
