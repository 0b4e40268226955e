/**
 * Version of a model, or of a prompt, to mlModel.
 */

import type { Aspect, Proposal } from '../../datahub/proposal.js';
import { modelIdOfSource } from '../../mlflow/parse-logged-model.js';
import { isInternalPromptTag, isPrompt } from '../../mlflow/prompt.js';
import { versionKey } from '../../mlflow/record-key.js';
import type { KeyValue, LoggedModel, ModelVersion } from '../../mlflow/types.js';
import { ownerElement, OWNERSHIP } from '../enrichment/owner.js';
import type { IdentifiedModelVersion } from '../identified-record.js';
import { identityOf } from '../per-record.js';
import { aliasTags, type AliasTags } from './aliases.js';
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
  type Properties,
} from './aspects.js';
import { deploymentInto } from './deployment-job.js';
import { featuresOf, NO_FEATURES } from './features.js';
import { loggedModelMetrics, MODEL_ID } from './logged-model.js';
import type { Mapping } from './mapping.js';
import { describedModel, describeInto } from './model-description.js';
import { sourceCode } from './source-code.js';
import { isKnownStageTag } from './stages.js';
import { mapUser } from './user.js';

const MODEL = 'mlModel';
const NO_TAGS: AliasTags = { urns: [], proposals: [] };
const SUB_TYPES = subTypes('ML Model');
const PROMPT_VERSION = subTypes('Prompt Version');

/** DataHub orders the versions of a set by text, so numbers are padded to one length. */
const SORT_ID_LENGTH = 10;

export function mapModelVersion(
  record: IdentifiedModelVersion,
  mapping: Mapping,
): readonly Proposal[] {
  const { version, run, loggedModel, server, urns } = record;
  const links = mapping.links(server);
  const isOfPrompt = isPrompt(version.tags);
  const custom = emptyProperties();
  const description = describedModel(record, mapping);
  if (description !== undefined) describeInto(custom, description);
  const modelId = mapping.loggedModels ? modelIdOfSource(version.source) : undefined;
  if (modelId !== undefined) custom[MODEL_ID] = modelId;
  unreadyInto(custom, version);
  deploymentInto(custom, version.deploymentJob);
  const features =
    description !== undefined && mapping.modelFeatures
      ? featuresOf(record, description, mapping)
      : NO_FEATURES;
  const aliases = [...version.aliases].sort();
  const tags = mapping.aliasTags ? aliasTags(aliases, record, mapping) : NO_TAGS;
  // A prompt is in no stage, whatever its row says.
  const stageTags = isOfPrompt ? [] : [urns.stageTag];
  const proposals = [
    upsert(
      MODEL,
      urns.model,
      'mlModelProperties',
      {
        customProperties: properties(version.tags, custom),
        ...(isOfPrompt
          ? links.promptVersion(version.name, version.version)
          : links.version(version.name, version.version)),
        trainingJobs: urns.run === undefined ? [] : [urns.run],
        ...(urns.users === undefined ? {} : { downstreamJobs: urns.users }),
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
        tags: labels(isOfPrompt ? withoutText(version.tags) : version.tags),
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
      aliases: aliases.map((versionTag) => ({ versionTag })),
      sortId: version.version.padStart(SORT_ID_LENGTH, '0'),
      versioningScheme: 'LEXICOGRAPHIC_STRING',
    }),
    upsert(MODEL, urns.model, 'globalTags', {
      tags: [...stageTags, ...tags.urns].map((tag) => ({ tag })),
    }),
    upsert(MODEL, urns.model, 'dataPlatformInstance', platformInstance(urns)),
    upsert(MODEL, urns.model, 'subTypes', isOfPrompt ? PROMPT_VERSION : SUB_TYPES),
    upsert(MODEL, urns.model, 'browsePathsV2', browsePaths(urns, server.workspace, urns.group)),
    status(MODEL, urns.model),
  ];
  // Last, for operators expect that what is said of an entity stands together.
  const others: Proposal[] = [];
  if (!isOfPrompt && !isKnownStageTag(urns.stageTag)) {
    mapping.warn(
      'UNKNOWN_STAGE',
      'a model version is in a stage that is not known here, and gets a tag without a description',
      `${identityOf(record)}: ${version.currentStage}`,
    );
    // The tag has to exist to be shown, and all that is known of it is its name.
    const name = urns.stageTag.slice('urn:li:tag:'.length);
    others.push(upsert('tag', urns.stageTag, 'tagKey', { name }));
  }
  others.push(...tags.proposals, ...features.proposals);
  const code = run === undefined ? undefined : sourceCode(run);
  if (code !== undefined) proposals.push(upsert(MODEL, urns.model, 'sourceCode', code));
  if (record.owner !== undefined) {
    const owners = [ownerElement(record.owner)];
    proposals.push(upsert(MODEL, urns.model, OWNERSHIP, { owners }));
  }
  if (urns.user !== undefined && version.userId !== undefined) {
    others.push(...mapUser(urns.user, version.userId));
  }
  return [...proposals, ...others];
}

function labels(tags: readonly KeyValue[]): string[] {
  return sortedByKey(tags).map(({ key, value }) => `${key}:${value}`);
}

/** Without the text of a prompt and what else MLflow keeps in tags: it is among the properties. */
function withoutText(tags: readonly KeyValue[]): readonly KeyValue[] {
  return tags.filter(({ key }) => !isInternalPromptTag(key));
}

/** What a version that has no run was made with, where MLflow 3 kept it with the model itself. */
function ofLoggedModel(model: LoggedModel | undefined): Aspect {
  if (model === undefined) return {};
  return { hyperParams: hyperParams(model), trainingMetrics: loggedModelMetrics(model) };
}

/** A version that can't be served, or not yet, looks like any other where nothing is said. */
function unreadyInto(custom: Properties, { status: state, statusMessage }: ModelVersion): void {
  // UNKNOWN stands for a server that says nothing.
  if (['', 'READY', 'UNKNOWN'].includes(state)) return;
  custom['mlflow.status'] = state;
  if (statusMessage !== undefined) custom['mlflow.status_message'] = statusMessage;
}
