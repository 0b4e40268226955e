/**
 * The stages of MLflow's model registry, as tags: `server` records become these.
 */

import type { Proposal } from '../../datahub/proposal.js';
import { stageTagName, stageTagUrn } from '../../datahub/urn.js';
import { status, upsert } from './aspects.js';

const STAGES = [
  ['Production', '#308613'],
  ['Staging', '#FACB66'],
  ['Archived', '#5D7283'],
  ['None', '#F2F4F5'],
] as const;

const KNOWN_TAGS: ReadonlySet<string> = new Set(STAGES.map(([name]) => stageTagUrn(name)));

/** Every registry has the same four stages, whatever is in it. */
export function mapStages(): readonly Proposal[] {
  return STAGES.flatMap(([name, colorHex]) => {
    const urn = stageTagUrn(name);
    const description = `${name} Stage for an ML model in MLflow Model Registry`;
    return [
      upsert('tag', urn, 'tagProperties', { name: stageTagName(name), description, colorHex }),
      status('tag', urn),
    ];
  });
}

/** Whether a tag is one of those four. */
export function isKnownStageTag(urn: string): boolean {
  return KNOWN_TAGS.has(urn);
}
