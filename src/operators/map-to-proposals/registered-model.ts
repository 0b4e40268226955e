/**
 * Registered model, or prompt, to mlModelGroup.
 */

import type { Proposal } from '../../datahub/proposal.js';
import { isPrompt } from '../../mlflow/prompt.js';
import { modelKey } from '../../mlflow/record-key.js';
import { ownerElement, OWNERSHIP } from '../enrichment/owner.js';
import type { IdentifiedRegisteredModel } from '../identified-record.js';
import {
  browsePaths,
  DATAHUB_ACTOR,
  emptyProperties,
  platformInstance,
  properties,
  status,
  subTypes,
  upsert,
} from './aspects.js';
import { deploymentInto } from './deployment-job.js';
import type { Mapping } from './mapping.js';

const GROUP = 'mlModelGroup';
const SUB_TYPES = subTypes('ML Model Group');
const PROMPT = subTypes('Prompt');

export function mapRegisteredModel(
  record: IdentifiedRegisteredModel,
  mapping: Mapping,
): readonly Proposal[] {
  const { model, server, urns } = record;
  const links = mapping.links(server);
  const isOfPrompt = isPrompt(model.tags);
  const custom = emptyProperties();
  deploymentInto(custom, model.deploymentJob);
  return [
    upsert(
      GROUP,
      urns.group,
      'mlModelGroupProperties',
      {
        customProperties: properties(model.tags, custom),
        ...(isOfPrompt ? links.prompt(model.name) : links.model(model.name)),
        name: model.name,
        ...(model.description === undefined ? {} : { description: model.description }),
        created: { time: model.creationTimestamp },
        lastModified: { time: model.lastUpdatedTimestamp },
        version: {
          ...(model.latestVersion === undefined ? {} : { versionTag: model.latestVersion }),
          metadataAttribution: {
            time: model.lastUpdatedTimestamp,
            actor: DATAHUB_ACTOR,
            sourceDetail: {},
          },
        },
      },
      modelKey(model.name, server.workspace),
    ),
    upsert(GROUP, urns.group, 'dataPlatformInstance', platformInstance(urns)),
    upsert(GROUP, urns.group, 'subTypes', isOfPrompt ? PROMPT : SUB_TYPES),
    upsert(GROUP, urns.group, 'browsePathsV2', browsePaths(urns, server.workspace)),
    status(GROUP, urns.group),
    ...(record.owner === undefined
      ? []
      : [upsert(GROUP, urns.group, OWNERSHIP, { owners: [ownerElement(record.owner)] })]),
  ];
}
