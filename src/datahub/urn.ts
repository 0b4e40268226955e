/**
 * URNs, equal to those that DataHub's Python library (acryl-datahub) makes: people who switch from
 * its connector must not get every entity twice.
 *
 * Names keep every character as it is but the four reserved ones: `,` `(` `)` and U+241F, which
 * are percent-encoded. `%` itself is not, so `a,b` and `a%2Cb` are one name to DataHub.
 */

import { datahubGuid } from './guid.js';

/** DataHub's environments; part of the URNs of models, groups and datasets. */
export const FABRIC_TYPES = [
  'PROD',
  'DEV',
  'TEST',
  'QA',
  'UAT',
  'EI',
  'PRE',
  'STG',
  'NON_PROD',
  'CORP',
  'RVW',
  'PRD',
  'TST',
  'SIT',
  'SBX',
  'SANDBOX',
  'CERT',
] as const;

export type FabricType = (typeof FABRIC_TYPES)[number];

const KNOWN_FABRIC_TYPES: ReadonlySet<string> = new Set(FABRIC_TYPES);

export function isFabricType(text: string): text is FabricType {
  return KNOWN_FABRIC_TYPES.has(text);
}

export const MLFLOW_PLATFORM = 'mlflow';

export const MLFLOW_PLATFORM_URN = 'urn:li:dataPlatform:mlflow';

const RESERVED = /[,()\u241F]/;
const ALL_RESERVED = /[,()\u241F]/g;
const ENCODED: Readonly<Record<string, string>> = {
  ',': '%2C',
  '(': '%28',
  ')': '%29',
  '\u241F': '%E2%90%9F',
};

/**
 * A name as it stands inside a URN.
 *
 * @example
 * encodeUrnPart('churn (v2), 50%'); // 'churn %28v2%29%2C 50%'
 */
export function encodeUrnPart(name: string): string {
  if (!RESERVED.test(name)) return name;
  return name.replace(ALL_RESERVED, (character) => ENCODED[character] ?? character);
}

/** A name of DataHub's (`s3`), or the platform's URN, which is taken as it is. */
export function dataPlatformUrn(platform: string): string {
  if (platform.startsWith('urn:li:dataPlatform:')) return platform;
  return `urn:li:dataPlatform:${encodeUrnPart(platform)}`;
}

export function dataPlatformInstanceUrn(platform: string, instance: string): string {
  return `urn:li:dataPlatformInstance:(${dataPlatformUrn(platform)},${encodeUrnPart(instance)})`;
}

/** What only a name of a workspace begins with. */
const QUALIFIED = /^@[a-z0-9][-a-z0-9]*\//;

/**
 * A name of a model, a version or a dataset of MLflow's as its URN has it, for names are unique
 * within a workspace only. No two of different workspaces are the same, whatever the names hold:
 * those of `default` are left as they are, but for the few that would look as if they were of another
 * workspace.
 *
 * @param workspace - absent for `default`
 *
 * @example
 * nameInWorkspace('churn'); // 'churn'
 * nameInWorkspace('churn', 'team-a'); // '@team-a/churn'
 * nameInWorkspace('@team-a/churn'); // '@default/@team-a/churn'
 */
export function nameInWorkspace(name: string, workspace?: string): string {
  // A name that is missing must not be hidden by what stands before it: see `urnProblem`.
  if (name === '') return '';
  if (workspace !== undefined) return `@${workspace}/${name}`;
  return QUALIFIED.test(name) ? `@default/${name}` : name;
}

/** DataHub's convention where a platform has several instances: the instance stands before the name. */
function qualified(name: string, instance: string | undefined): string {
  return encodeUrnPart(instance === undefined ? name : `${instance}.${name}`);
}

/** `name` is the registered model's name, the separator and the version, see `nameInWorkspace`: `churn_3`. */
export function mlModelUrn(name: string, env: FabricType = 'PROD', instance?: string): string {
  return `urn:li:mlModel:(${MLFLOW_PLATFORM_URN},${qualified(name, instance)},${env})`;
}

/**
 * An input of a model, which is of that version and environment alone. Features of other tools are in
 * namespaces without the platform in front.
 *
 * @param modelUrn - as `mlModelUrn` makes it
 *
 * @example
 * mlFeatureUrn(mlModelUrn('churn_3'), 'age'); // 'urn:li:mlFeature:(mlflow.PROD.churn_3,age)'
 */
export function mlFeatureUrn(modelUrn: string, feature: string): string {
  const [, name = '', env = ''] = modelUrn.slice('urn:li:mlModel:('.length, -1).split(',');
  return `urn:li:mlFeature:(${MLFLOW_PLATFORM}.${env}.${name},${encodeUrnPart(feature)})`;
}

/** `name` is the registered model's name, see `nameInWorkspace`. */
export function mlModelGroupUrn(name: string, env: FabricType = 'PROD', instance?: string): string {
  return `urn:li:mlModelGroup:(${MLFLOW_PLATFORM_URN},${qualified(name, instance)},${env})`;
}

/** `platform` is a name of DataHub's (`s3`) or a platform's URN. */
export function datasetUrn(
  platform: string,
  name: string,
  env: FabricType = 'PROD',
  instance?: string,
): string {
  return `urn:li:dataset:(${dataPlatformUrn(platform)},${qualified(name, instance)},${env})`;
}

/**
 * An experiment, told by its name.
 *
 * @param workspace - absent for `default`, here and in what follows
 */
export function experimentUrn(name: string, instance?: string, workspace?: string): string {
  return `urn:li:container:${datahubGuid({
    platform: MLFLOW_PLATFORM_URN,
    id: name,
    ...(instance === undefined ? {} : { instance }),
    ...(workspace === undefined ? {} : { workspace }),
  })}`;
}

/** A run, told by its id and no platform instance: ids are unique among all servers. */
export function runUrn(runId: string, workspace?: string): string {
  return `urn:li:dataProcessInstance:${datahubGuid({
    orchestrator: MLFLOW_PLATFORM,
    id: runId,
    ...(workspace === undefined ? {} : { workspace }),
  })}`;
}

/** Who started a run or registered a version: MLflow's user names are no users of DataHub. */
export function userUrn(user: string, instance?: string): string {
  return `urn:li:platformResource:${datahubGuid({
    platform: MLFLOW_PLATFORM,
    user,
    ...(instance === undefined ? {} : { instance }),
  })}`;
}

/** The set that all versions of a registered model are in. */
export function versionSetUrn(modelName: string, instance?: string, workspace?: string): string {
  return `urn:li:versionSet:(${datahubGuid({
    platform: MLFLOW_PLATFORM,
    name: modelName,
    ...(instance === undefined ? {} : { instance }),
    ...(workspace === undefined ? {} : { workspace }),
  })},mlModel)`;
}

/** A stage of the registry: `Production` is `urn:li:tag:mlflow_production`. */
export function stageTagUrn(stage: string): string {
  return `urn:li:tag:${encodeUrnPart(stageTagName(stage))}`;
}

export function stageTagName(stage: string): string {
  return `${MLFLOW_PLATFORM}_${stage.toLowerCase()}`;
}

/** An alias of a version: `champion` is `urn:li:tag:mlflow_alias_champion`, whatever stages there are. */
export function aliasTagUrn(alias: string): string {
  return `urn:li:tag:${encodeUrnPart(aliasTagName(alias))}`;
}

export function aliasTagName(alias: string): string {
  return `${MLFLOW_PLATFORM}_alias_${alias}`;
}

/** DataHub refuses a URN that is longer than this when it is URL-encoded. */
export const MAX_ENCODED_URN_BYTES = 512;

/**
 * Why DataHub would refuse a URN made here, or undefined. Its server wants at most 512 URL-encoded
 * bytes and nothing blank around it; its libraries want no empty part.
 *
 * @example
 * urnProblem('urn:li:tag:mlflow_none'); // undefined
 * urnProblem('urn:li:tag:mlflow_none '); // 'it starts or ends with a blank'
 */
export function urnProblem(urn: string): string | undefined {
  const length = encodedLength(urn);
  if (length === undefined) return 'it holds half of a surrogate pair, which UTF-8 has no form for';
  if (length > MAX_ENCODED_URN_BYTES) {
    return `it takes ${length} bytes URL-encoded, and DataHub allows ${MAX_ENCODED_URN_BYTES}`;
  }
  if (isBlank(urn, 0) || isBlank(urn, urn.length - 1)) return 'it starts or ends with a blank';
  if (urn.endsWith(':') || urn.includes(',,')) return 'the name in it is empty';
  return undefined;
}

/** What Java's `trim` takes off. */
function isBlank(text: string, index: number): boolean {
  return text.charCodeAt(index) <= 0x20;
}

/**
 * Bytes of the form-encoded text, as Java's URLEncoder makes it, which DataHub's server measures;
 * undefined where a surrogate stands alone.
 */
function encodedLength(text: string): number | undefined {
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) length += UNENCODED[unit] === 1 ? 1 : 3;
    else if (unit < 0x800) length += 6;
    else if (unit < 0xd800 || unit > 0xdfff) length += 9;
    else {
      const next = text.charCodeAt(index + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return undefined;
      length += 12;
      index += 1;
    }
  }
  return length;
}

const UNENCODED = new Uint8Array(0x80);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-*_ ') {
  UNENCODED[character.charCodeAt(0)] = 1;
}
