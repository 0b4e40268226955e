/**
 * Inputs of a model to mlFeatures.
 */

import type { Aspect, Proposal } from '../../datahub/proposal.js';
import { mlFeatureUrn, urnProblem } from '../../datahub/urn.js';
import type { ModelDescription } from '../../mlflow/model-description.js';
import { versionKey } from '../../mlflow/record-key.js';
import { signatureFields } from '../../mlflow/signature-fields.js';
import type { IdentifiedModelVersion } from '../identified-record.js';
import { identityOf } from '../per-record.js';
import { platformInstance, status, upsert } from './aspects.js';
import type { Mapping } from './mapping.js';

const FEATURE = 'mlFeature';

/** As DataHub's connector for Feast has them. */
const DATA_TYPES: ReadonlyMap<string, string> = new Map([
  ['boolean', 'BINARY'],
  ['integer', 'ORDINAL'],
  ['long', 'ORDINAL'],
  ['float', 'CONTINUOUS'],
  ['double', 'CONTINUOUS'],
  ['string', 'TEXT'],
  ['binary', 'BYTE'],
  ['datetime', 'TIME'],
  ['array', 'SEQUENCE'],
  ['tensor', 'SEQUENCE'],
  ['map', 'MAP'],
  ['object', 'MAP'],
]);

export interface Features {
  /** In the order of the signature. */
  readonly urns: readonly string[];
  readonly proposals: readonly Proposal[];
}

export const NO_FEATURES: Features = { urns: [], proposals: [] };

/** Of a version its own: what another one takes is no more the same than what it gives. */
export function featuresOf(
  record: IdentifiedModelVersion,
  { signature }: ModelDescription,
  mapping: Mapping,
): Features {
  if (signature?.inputs === undefined) return NO_FEATURES;
  const fields = signatureFields(signature.inputs);
  if (fields === undefined) {
    mapping.warn(
      'MALFORMED_SIGNATURE',
      'the inputs of a model are no JSON list, and it is sent without features',
      identityOf(record),
    );
    return NO_FEATURES;
  }
  const urns: string[] = [];
  const proposals: Proposal[] = [];
  const instance = platformInstance(record.urns);
  const { version, server } = record;
  // They go with their version.
  const origin = versionKey(version.name, version.version, server.workspace);
  for (const { name, type, native, isRequired } of fields) {
    const urn = mlFeatureUrn(record.urns.model, name);
    const problem = urnProblem(urn);
    if (problem !== undefined) {
      mapping.warn(
        'UNLINKED_FEATURE',
        'DataHub would refuse the URN of an input of a model, which is left out',
        `${identityOf(record)}: ${urn}: ${problem}`,
      );
      continue;
    }
    const properties: Aspect = {
      customProperties: { type: native, required: String(isRequired) },
      dataType: DATA_TYPES.get(type) ?? 'UNKNOWN',
    };
    urns.push(urn);
    proposals.push(
      upsert(FEATURE, urn, 'mlFeatureProperties', properties, origin),
      upsert(FEATURE, urn, 'dataPlatformInstance', instance),
      status(FEATURE, urn),
    );
  }
  return { urns, proposals };
}
