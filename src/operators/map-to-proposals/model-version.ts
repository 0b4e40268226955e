/**
 * Model version to mlModel.
 */

import type { Aspect, Proposal } from '../../datahub/proposal.js';
import { versionKey } from '../../mlflow/record-key.js';
import type { LoggedModel } from '../../mlflow/types.js';
import { ownerElement, OWNERSHIP } from '../enrichment/owner.js';
import type { IdentifiedModelVersion } from '../identified-record.js';
import { identityOf } from '../per-record.js';
import {
  browsePaths,
  DATAHUB_ACTOR,
  emptyProperties,
  hyperParams,
  platformInstance,
  properties,
  sortedByKey,
  status,
  subTypes,
  trainingMetrics,
  upsert,
} from './aspects.js';
import { featuresOf, NO_FEATURES } from './features.js';
import { loggedModelMetrics } from './logged-model.js';
import type { Mapping } from './mapping.js';
import { describedModel, describeInto } from './model-description.js';
import { sourceCode } from './source-code.js';
import { isKnownStageTag } from './stages.js';
import { mapUser } from './user.js';

const MODEL = 'mlModel';
const SUB_TYPES = subTypes('ML Model');

/** DataHub orders the versions of a set by text, so numbers are padded to one length. */
const SORT_ID_LENGTH = 10;

export function mapModelVersion(
  record: IdentifiedModelVersion,
  mapping: Mapping,
): readonly Proposal[] {
  const { version, run, loggedModel, server, urns } = record;
  const custom = emptyProperties();
  const description = describedModel(record, mapping);
  if (description !== undefined) describeInto(custom, description);
  const features =
    description !== undefined && mapping.modelFeatures
      ? featuresOf(record, description, mapping)
      : NO_FEATURES;
  const proposals = [
    upsert(
      MODEL,
      urns.model,
      'mlModelProperties',
      {
        customProperties: properties(version.tags, custom),
        ...mapping.links(server).version(version.name, version.version),
        trainingJobs: urns.run === undefined ? [] : [urns.run],
        name: urns.modelName,
        ...(version.description === undefined ? {} : { description: version.description }),
        created: {
          time: version.creationTimestamp,
          ...(urns.user === undefined ? {} : { actor: urns.user }),
        },
        lastModified: { time: version.lastUpdatedTimestamp },
        ...(run === undefined
          ? ofLoggedModel(loggedModel)
          : { hyperParams: hyperParams(run), trainingMetrics: trainingMetrics(run) }),
        ...(features.urns.length === 0 ? {} : { mlFeatures: features.urns }),
        tags: sortedByKey(version.tags).map(({ key, value }) => `${key}:${value}`),
        groups: [urns.group],
      },
      versionKey(version.name, version.version, server.workspace),
    ),
    upsert(MODEL, urns.model, 'versionProperties', {
      versionSet: urns.versionSet,
      version: {
        versionTag: version.version,
        metadataAttribution: {
          time: version.creationTimestamp,
          actor: DATAHUB_ACTOR,
          sourceDetail: {},
        },
      },
      aliases: [...version.aliases].sort().map((versionTag) => ({ versionTag })),
      sortId: version.version.padStart(SORT_ID_LENGTH, '0'),
      versioningScheme: 'LEXICOGRAPHIC_STRING',
    }),
    upsert(MODEL, urns.model, 'globalTags', { tags: [{ tag: urns.stageTag }] }),
    upsert(MODEL, urns.model, 'dataPlatformInstance', platformInstance(urns)),
    upsert(MODEL, urns.model, 'subTypes', SUB_TYPES),
    upsert(MODEL, urns.model, 'browsePathsV2', browsePaths(urns, server.workspace, urns.group)),
    status(MODEL, urns.model),
  ];
  if (!isKnownStageTag(urns.stageTag)) {
    mapping.warn(
      'UNKNOWN_STAGE',
      'a model version is in a stage that is not known here, and gets a tag without a description',
      `${identityOf(record)}: ${version.currentStage}`,
    );
    // The tag has to exist to be shown, and all that is known of it is its name.
    const name = urns.stageTag.slice('urn:li:tag:'.length);
    proposals.push(upsert('tag', urns.stageTag, 'tagKey', { name }));
  }
  proposals.push(...features.proposals);
  const code = run === undefined ? undefined : sourceCode(run);
  if (code !== undefined) proposals.push(upsert(MODEL, urns.model, 'sourceCode', code));
  if (record.owner !== undefined) {
    const owners = [ownerElement(record.owner)];
    proposals.push(upsert(MODEL, urns.model, OWNERSHIP, { owners }));
  }
  if (urns.user !== undefined && version.userId !== undefined) {
    proposals.push(...mapUser(urns.user, version.userId));
  }
  return proposals;
}

/** What a version that has no run was made with, where MLflow 3 kept it with the model itself. */
function ofLoggedModel(model: LoggedModel | undefined): Aspect {
  if (model === undefined) return {};
  return { hyperParams: hyperParams(model), trainingMetrics: loggedModelMetrics(model) };
}
