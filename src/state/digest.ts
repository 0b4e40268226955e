/**
 * The content of things in a few characters, to tell whether it is still the same.
 */

import { hash } from 'node:crypto';
import type { Proposal } from '../datahub/proposal.js';
import type { Experiment, ModelVersion } from '../mlflow/types.js';

/** 96 bits: compared with one other digest only, never looked for among many. */
const DIGEST_LENGTH = 16;

/** Between the name of a time series' aspect and the time of an event. */
const AT = '@';

/**
 * What a proposal is about, within its entity: the aspect, or one event of a time series, which
 * takes no other's place.
 */
export function slotOf({ aspectName, aspect }: Proposal): string {
  // All of DataHub's time series have this field, and nothing else has.
  const time = (aspect as Proposal['aspect'] | undefined)?.['timestampMillis'];
  return typeof time === 'number' ? `${aspectName}${AT}${time}` : aspectName;
}

/** The aspect of an event's slot; undefined for any other slot. */
export function seriesOf(slot: string): string | undefined {
  const at = slot.lastIndexOf(AT);
  return at < 0 ? undefined : slot.slice(0, at);
}

/**
 * Undefined for what has no content to compare: a patch, and what has no form in JSON, which the
 * sink is to say.
 */
export function digestOf({ changeType, aspect }: Proposal): string | undefined {
  if (changeType !== 'UPSERT') return undefined;
  try {
    return digestOfText(JSON.stringify(aspect));
  } catch {
    return undefined;
  }
}

/** All of a version that its mapping and that of its run look at. */
export function digestOfVersion(version: ModelVersion): string {
  return digestOfText(
    JSON.stringify([
      version.description,
      version.userId,
      version.currentStage,
      version.creationTimestamp,
      version.lastUpdatedTimestamp,
      version.source,
      version.runId,
      version.runLink,
      version.status,
      version.statusMessage,
      version.tags.map(({ key, value }) => [key, value]),
      version.aliases,
    ]),
  );
}

/** What the runs of an experiment refer to it by. */
export function digestOfExperiment({ name }: Pick<Experiment, 'name'>): string {
  return digestOfText(name);
}

function digestOfText(text: string): string {
  return hash('md5', text, 'base64').slice(0, DIGEST_LENGTH);
}
