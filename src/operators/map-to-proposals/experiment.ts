/**
 * Experiment to container.
 */

import type { Proposal } from '../../datahub/proposal.js';
import { experimentKey } from '../../mlflow/record-key.js';
import type { IdentifiedExperiment } from '../identified-record.js';
import {
  browsePaths,
  emptyProperties,
  platformInstance,
  properties,
  status,
  subTypes,
  upsert,
} from './aspects.js';
import type { Mapping } from './mapping.js';

const NOTE = 'mlflow.note.content';
const SUB_TYPES = subTypes('ML Experiment');

export function mapExperiment(record: IdentifiedExperiment, mapping: Mapping): readonly Proposal[] {
  const { experiment, server, urns } = record;
  const urn = urns.experiment;

  // In this order, so that of one key the last one counts, as in DataHub's own connector.
  const custom = emptyProperties();
  custom['platform'] = urns.platform;
  if (urns.instance !== undefined) custom['instance'] = urns.instance.name;
  if (server.workspace !== undefined) custom['workspace'] = server.workspace;
  custom['id'] = experiment.name;
  properties(experiment.tags, custom);
  if (experiment.artifactLocation !== undefined) {
    custom['artifacts_location'] = experiment.artifactLocation;
  }
  const note = custom[NOTE];
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a tag, and not a field
  delete custom[NOTE];

  return [
    upsert(
      'container',
      urn,
      'containerProperties',
      {
        customProperties: custom,
        ...mapping.links(server).experiment(experiment.experimentId),
        name: experiment.name,
        ...(note === undefined ? {} : { description: note }),
        ...(experiment.env === undefined ? {} : { env: experiment.env }),
        ...(experiment.creationTime === undefined
          ? {}
          : { created: { time: experiment.creationTime } }),
        ...(experiment.lastUpdateTime === undefined
          ? {}
          : { lastModified: { time: experiment.lastUpdateTime } }),
      },
      experimentKey(experiment.experimentId, server.workspace),
    ),
    upsert('container', urn, 'dataPlatformInstance', platformInstance(urns)),
    upsert('container', urn, 'subTypes', SUB_TYPES),
    upsert('container', urn, 'browsePathsV2', browsePaths(urns, server.workspace)),
    status('container', urn),
  ];
}
