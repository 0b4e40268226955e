/**
 * What records become, for tests to look at.
 */

import { from } from 'rxjs';
import type { Aspect, Proposal } from '../../../src/datahub/proposal.js';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import { buildUrns, type BuildUrnsOptions } from '../../../src/operators/build-urns.js';
import {
  mapToProposals,
  type MapToProposalsOptions,
} from '../../../src/operators/map-to-proposals/index.js';
import { recordingContext } from '../operator-cases.js';

export function map(
  records: MlflowRecord | MlflowRecord[],
  options: MapToProposalsOptions = {},
  urnOptions: BuildUrnsOptions = {},
) {
  const { context, recorder, rejected } = recordingContext();
  const urns = buildUrns(urnOptions);
  const mapping = mapToProposals(options);
  urns.open?.(context);
  mapping.open?.(context);
  const proposals: Proposal[] = [];
  from(Array.isArray(records) ? records : [records])
    .pipe(urns, mapping)
    .subscribe((proposal) => proposals.push(proposal));
  const warnings = recorder.counts().warnings.map(({ code, examples }) => [code, ...examples]);
  return { proposals, rejected, warnings, skipped: recorder.counts().skipped };
}

/** The aspects of the one entity of a type, by their names. */
export function aspectsOf(
  entityType: string,
  ...args: Parameters<typeof map>
): Readonly<Record<string, Aspect>> {
  const { proposals } = map(...args);
  const mine = proposals.filter((proposal) => proposal.entityType === entityType);
  if (new Set(mine.map(({ entityUrn }) => entityUrn)).size > 1) throw new Error('not one entity');
  return Object.fromEntries(mine.map(({ aspectName, aspect }) => [aspectName, aspect]));
}

export const pairs = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).map(([key, value]) => ({ key, value }));
