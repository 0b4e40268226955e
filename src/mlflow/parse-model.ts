/**
 * Registered models and model versions out of MLflow's JSON.
 */

import { modelDeployment, versionDeployment } from './parse-deployment-job.js';
import {
  anyText,
  compareText,
  compareVersions,
  keyValues,
  list,
  object,
  optionalInteger,
  optionalText,
  requiredText,
  versionNumber,
} from './parse-values.js';
import type { ModelAlias, ModelVersion, RegisteredModel } from './types.js';

/** @throws MalformedError */
export function readRegisteredModel(value: unknown): RegisteredModel {
  const json = object(value, 'the model');
  const description = optionalText(json['description'], 'description');
  const latestVersion = latest(json['latest_versions']);
  return {
    name: requiredText(json['name'], 'name'),
    creationTimestamp: optionalInteger(json['creation_timestamp'], 'creation_timestamp') ?? 0,
    lastUpdatedTimestamp:
      optionalInteger(json['last_updated_timestamp'], 'last_updated_timestamp') ?? 0,
    tags: keyValues(json['tags'], 'tags'),
    aliases: aliases(json['aliases']),
    ...(description === undefined ? {} : { description }),
    ...(latestVersion === undefined ? {} : { latestVersion }),
    ...modelDeployment(json),
  };
}

/** The list has one version for each stage, in no useful order. */
function latest(value: unknown): string | undefined {
  let highest: string | undefined;
  for (const item of list(value, 'latest_versions')) {
    const { version } = object(item, 'an item of latest_versions');
    const text = versionNumber(version, 'a version of latest_versions');
    if (highest === undefined || compareVersions(text, highest) > 0) highest = text;
  }
  return highest;
}

/** By alias. */
function aliases(value: unknown): readonly ModelAlias[] {
  const read = list(value, 'aliases').map((item): ModelAlias => {
    const { alias, version } = object(item, 'an item of aliases');
    return {
      alias: requiredText(alias, 'an alias'),
      version: versionNumber(version, 'the version of an alias'),
    };
  });
  return read.sort((a, b) => compareText(a.alias, b.alias));
}

/** @throws MalformedError */
export function readModelVersion(value: unknown): ModelVersion {
  const json = object(value, 'the model version');
  const description = optionalText(json['description'], 'description');
  const userId = optionalText(json['user_id'], 'user_id');
  const source = optionalText(json['source'], 'source');
  const runId = optionalText(json['run_id'], 'run_id');
  const runLink = optionalText(json['run_link'], 'run_link');
  const statusMessage = optionalText(json['status_message'], 'status_message');
  return {
    name: requiredText(json['name'], 'name'),
    version: versionNumber(json['version'], 'version'),
    currentStage: optionalText(json['current_stage'], 'current_stage') ?? 'None',
    creationTimestamp: optionalInteger(json['creation_timestamp'], 'creation_timestamp') ?? 0,
    lastUpdatedTimestamp:
      optionalInteger(json['last_updated_timestamp'], 'last_updated_timestamp') ?? 0,
    status: optionalText(json['status'], 'status') ?? 'UNKNOWN',
    tags: keyValues(json['tags'], 'tags'),
    aliases: list(json['aliases'], 'aliases')
      .map((alias) => anyText(alias, 'an alias'))
      .sort(compareText),
    ...(description === undefined ? {} : { description }),
    ...(userId === undefined ? {} : { userId }),
    ...(source === undefined ? {} : { source }),
    ...(runId === undefined ? {} : { runId }),
    ...(runLink === undefined ? {} : { runLink }),
    ...(statusMessage === undefined ? {} : { statusMessage }),
    ...versionDeployment(json),
  };
}
