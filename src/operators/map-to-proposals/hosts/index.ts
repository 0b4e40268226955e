/**
 * Where a dataset is hosted: the dataset of another platform that it is a copy of.
 */

import { dataPlatformUrn, datasetUrn, urnProblem } from '../../../datahub/urn.js';
import type { DatasetUse } from '../../../mlflow/records.js';
import type { IdentifiedDataset } from '../../identified-record.js';
import { identityOf, workspaceOf } from '../../per-record.js';
import type { Mapping } from '../mapping.js';
import { isLocal } from '../platforms.js';
import { sourcePlace } from './source-place.js';

export interface Host {
  /** URN of the platform. */
  readonly platform: string;
  readonly urn: string;
}

/** Undefined where it is nowhere but with MLflow, or nobody can say. */
export function hostOf(
  record: IdentifiedDataset,
  use: DatasetUse,
  mapping: Mapping,
): Host | undefined {
  if (isLocal(use.input.dataset.sourceType)) return undefined;
  const place =
    mapping.datasetLineage === 'name'
      ? byName(record, use, mapping)
      : bySource(record, use, mapping);
  if (place === undefined) return undefined;
  const urn = datasetUrn(place.platform, place.name);
  // Nothing is a copy of itself, as with a source type mapped to mlflow; nor is what a workspace has
  // one of what `default` has under that name.
  const isOurs = dataPlatformUrn(place.platform) === record.urns.platform;
  if (isOurs && (workspaceOf(record) !== undefined || urn === record.urns.dataset))
    return undefined;
  const problem = urnProblem(urn);
  if (problem !== undefined) {
    mapping.warn(
      'UNLINKED_DATASET',
      'DataHub would refuse the URN of a hosted dataset, which is left out',
      `${urn}: ${problem}`,
    );
    return undefined;
  }
  return { platform: dataPlatformUrn(place.platform), urn };
}

interface Named {
  readonly platform: string;
  readonly name: string;
}

/** As DataHub's own connector has it: by the name that MLflow knows the dataset by. */
function byName(record: IdentifiedDataset, use: DatasetUse, mapping: Mapping): Named | undefined {
  const { name, sourceType } = use.input.dataset;
  const platform = mapping.platformOf(sourceType);
  if (platform !== undefined) return { platform, name };
  if (mapping.materializeDatasetInputs) {
    mapping.warn(
      'UNKNOWN_DATASET_PLATFORM',
      'a dataset could not be materialized, as no platform of DataHub is known for its source type: set sourceMappingToPlatform',
      `${identityOf(record)}: ${sourceType}`,
    );
  }
  return undefined;
}

function bySource(record: IdentifiedDataset, use: DatasetUse, mapping: Mapping): Named | undefined {
  const { dataset } = use.input;
  const place = sourcePlace(dataset, mapping.platformOf(dataset.sourceType));
  switch (place.kind) {
    case 'hosted':
      return place;
    case 'malformed':
      mapping.warn(
        'MALFORMED_DATASET_SOURCE',
        'the source of a dataset is not a JSON object, and so the dataset is linked to none',
        `${identityOf(record)} of run ${use.runId}`,
      );
      return undefined;
    case 'nowhere':
      mapping.skipped(
        `link to where a dataset is: its source (${dataset.sourceType}) names no dataset of a known platform`,
      );
      return undefined;
  }
}
