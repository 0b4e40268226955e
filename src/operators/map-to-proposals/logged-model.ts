/**
 * Logged model of MLflow 3 to mlModel.
 */

import type { JsonValue, Proposal } from '../../datahub/proposal.js';
import { pythonFloat } from '../../datahub/python-float.js';
import { loggedModelKey } from '../../mlflow/record-key.js';
import type { LoggedModel, LoggedModelMetric } from '../../mlflow/types.js';
import type { IdentifiedLoggedModel } from '../identified-record.js';
import {
  browsePaths,
  emptyProperties,
  hyperParams,
  platformInstance,
  properties,
  status,
  subTypes,
  upsert,
} from './aspects.js';
import type { Mapping } from './mapping.js';

const MODEL = 'mlModel';

/** The property with the id, of versions that were made from it as well. */
export const MODEL_ID = 'mlflow.model_id';
const SUB_TYPES = subTypes('Logged Model');

export function mapLoggedModel(
  record: IdentifiedLoggedModel,
  mapping: Mapping,
): readonly Proposal[] {
  const { model, server, urns } = record;
  const urn = urns.model;

  const custom = emptyProperties();
  custom[MODEL_ID] = model.modelId;
  custom['mlflow.status'] = model.status;
  if (model.statusMessage !== undefined) custom['mlflow.status_message'] = model.statusMessage;
  if (model.artifactUri !== undefined) custom['mlflow.artifact_location'] = model.artifactUri;

  return [
    upsert(
      MODEL,
      urn,
      'mlModelProperties',
      {
        // Tags of these names go before.
        customProperties: properties(model.tags, custom),
        ...mapping.links(server).loggedModel(model.experimentId, model.modelId),
        trainingJobs: urns.run === undefined ? [] : [urns.run],
        ...(urns.evaluations.length === 0 ? {} : { downstreamJobs: urns.evaluations }),
        name: model.name,
        created: { time: model.creationTimestamp },
        lastModified: { time: model.lastUpdatedTimestamp },
        ...(model.modelType === undefined ? {} : { type: model.modelType }),
        hyperParams: hyperParams(model),
        trainingMetrics: loggedModelMetrics(model),
      },
      loggedModelKey(model.modelId, server.workspace),
    ),
    upsert(MODEL, urn, 'container', { container: urns.experiment }),
    upsert(MODEL, urn, 'dataPlatformInstance', platformInstance(urns)),
    upsert(MODEL, urn, 'subTypes', SUB_TYPES),
    upsert(MODEL, urn, 'browsePathsV2', browsePaths(urns, server.workspace, urns.experiment)),
    status(MODEL, urn),
  ];
}

/** `[{"name": "f1", "description": "on dataset sales (d1)", "value": "1.0"}, …]` */
export function loggedModelMetrics({ metrics }: LoggedModel): JsonValue {
  return metrics.map((metric) => ({
    name: metric.key,
    ...measuredOn(metric),
    value: pythonFloat(metric.value),
  }));
}

function measuredOn({ datasetName, datasetDigest }: LoggedModelMetric): {
  readonly description?: string;
} {
  if (datasetName === undefined) return {};
  const digest = datasetDigest === undefined ? '' : ` (${datasetDigest})`;
  return { description: `on dataset ${datasetName}${digest}` };
}
