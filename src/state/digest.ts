/**
 * The content of things in a few characters, to tell whether it is still the same.
 */

import { hash } from 'node:crypto';
import { rememberedJson } from '../datahub/aspect-json.js';
import type { Proposal } from '../datahub/proposal.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { Experiment, ModelVersion, Run } from '../mlflow/types.js';

/** 96 bits: compared with one other digest only, never looked for among many. */
const DIGEST_LENGTH = 16;

/** Most aspects of most entities are the same few short texts: a status, a platform, a type. */
const SHORT = 256;
const SHORT_TEXTS = 1_000;
const digests = new Map<string, string>();

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
    return digestOfText(rememberedJson(aspect));
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
      // Last and only where it is: state files know the others by digests without it.
      ...(version.deploymentJob === undefined ? [] : [version.deploymentJob]),
    ]),
  );
}

/** What the runs of an experiment refer to it by. */
export function digestOfExperiment({ name }: Pick<Experiment, 'name'>): string {
  return digestOfText(name);
}

/**
 * Makes the function that gives a digest of all that becomes of a record depends on.
 *
 * @param signature - of the operators and of whatever else is the same for all records
 */
export function inputDigests(signature: string): (record: MlflowRecord) => string | undefined {
  const start = hashOf(signature);
  // A version is mapped with its run, which stands beside it.
  let last: { readonly run: Run; readonly text: string } | undefined;
  const textOf = (run: Run): string => {
    if (last?.run !== run) last = { run, text: JSON.stringify(run) };
    return last.text;
  };
  return (record) => {
    switch (record.kind) {
      case 'run': {
        const { experiment, versions } = record;
        const rest = JSON.stringify([experiment.experimentId, experiment.name, versions]);
        return digestOfText(`${start}${textOf(record.run)}${rest}`);
      }
      case 'modelVersion': {
        const run = record.run === undefined ? '' : textOf(record.run);
        const { loggedModel } = record;
        const logged = loggedModel === undefined ? '' : JSON.stringify(loggedModel);
        return digestOfText(`${start}${run}${JSON.stringify(record.version)}${logged}`);
      }
      case 'loggedModel':
        return digestOfText(
          `${start}${JSON.stringify(record.experiment)}${JSON.stringify(record.model)}`,
        );
      case 'experiment':
        return digestOfText(`${start}${JSON.stringify(record.experiment)}`);
      case 'registeredModel':
        return digestOfText(`${start}${JSON.stringify(record.model)}`);
      case 'server':
      case 'dataset':
        return undefined;
    }
  };
}

function digestOfText(text: string): string {
  if (text.length > SHORT) return hashOf(text);
  let digest = digests.get(text);
  if (digest === undefined) {
    // Begun anew rather than told by age which to forget, which costs more than what it saves.
    if (digests.size === SHORT_TEXTS) digests.clear();
    digest = hashOf(text);
    digests.set(text, digest);
  }
  return digest;
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64').slice(0, DIGEST_LENGTH);
}
