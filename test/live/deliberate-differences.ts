/**
 * Where this pipeline differs from DataHub's own connector on purpose.
 *
 * docs/parity.md tells the reason of each. The live tests fail for a difference that is not here,
 * and for one here that no store shows any more.
 */

import { createHash } from 'node:crypto';
import { canonical, type FiledProposal, type Json, type JsonObject } from './proposals.js';

export interface FieldDifference {
  readonly kind: 'field';
  /** Ours. */
  readonly proposal: FiledProposal;
  readonly field: string;
  readonly peer: Json | undefined;
  readonly ours: Json | undefined;
}

export type Difference =
  | FieldDifference
  /** The peer has an aspect that ours has not. */
  | { readonly kind: 'missing'; readonly proposal: FiledProposal }
  /** Ours has an aspect that the peer has not. */
  | { readonly kind: 'extra'; readonly proposal: FiledProposal }
  /** The peer gives several contents of one aspect in one run. */
  | { readonly kind: 'ambiguous'; readonly proposal: FiledProposal };

export interface DeliberateDifference {
  readonly name: string;
  readonly covers: (difference: Difference) => boolean;
}

type FieldCheck = (
  peer: Json | undefined,
  ours: Json | undefined,
  difference: FieldDifference,
) => boolean;

/** A field of an aspect that differs in the way that `accepts` tells. */
function field(
  name: string,
  aspectName: string,
  fieldName: string,
  accepts: FieldCheck,
): DeliberateDifference {
  return {
    name,
    covers: (difference) =>
      difference.kind === 'field' &&
      difference.proposal.aspectName === aspectName &&
      difference.field === fieldName &&
      accepts(difference.peer, difference.ours, difference),
  };
}

/** Aspects that only ours has. */
function extra(name: string, accepts: (proposal: FiledProposal) => boolean): DeliberateDifference {
  return {
    name,
    covers: (difference) => difference.kind === 'extra' && accepts(difference.proposal),
  };
}

/** Who made the one version whose maker is known, and nothing else. */
export const CREATOR = 'grace';

/** Made as DataHub's Python library makes it, and not with this package's functions. */
const CREATOR_URN = `urn:li:platformResource:${createHash('md5')
  .update(`{"platform":"mlflow","user":"${CREATOR}"}`)
  .digest('hex')}`;

/** What the peer has no platform for, whatever the test maps. */
const UNMAPPED = /^urn:li:dataset:\(urn:li:dataPlatform:mlflow,(?:spark|delta_table) data,PROD\)$/;

/** What is told of a version that is not READY. */
const UNREADY: JsonObject = {
  'mlflow.status': 'FAILED_REGISTRATION',
  'mlflow.status_message': 'No such artifact.',
};

/** What is told of a model as its run has it. */
const DESCRIPTIONS =
  /^mlflow\.(?:flavors|mlflow_version|python_version|signature\.(?:inputs|outputs|params))$/;

export const deliberateDifferences: readonly DeliberateDifference[] = [
  // The peer's URNs are put right before the comparison, where this one is noticed.
  { name: 'reserved-characters', covers: () => false },

  field(
    'run-tags',
    'dataProcessInstanceProperties',
    'customProperties',
    (peer, ours) => equal(peer, {}) && isObject(ours) && Object.values(ours).every(isText),
  ),

  extra(
    'nested-runs',
    ({ aspectName, aspect }) =>
      aspectName === 'dataProcessInstanceRelationships' && isText(aspect.json['parentInstance']),
  ),

  extra(
    'source-code',
    ({ entityType, aspectName }) => entityType === 'mlModel' && aspectName === 'sourceCode',
  ),

  field(
    'model-descriptions',
    'mlModelProperties',
    'customProperties',
    (peer, ours) =>
      isObject(peer) &&
      isObject(ours) &&
      Object.entries(ours).every(
        ([key, value]) => isText(value) && (peer[key] === value || DESCRIPTIONS.test(key)),
      ) &&
      Object.keys(peer).every((key) => ours[key] === peer[key]),
  ),

  field(
    'status-of-versions',
    'mlModelProperties',
    'customProperties',
    (peer, ours) => isObject(peer) && equal({ ...peer, ...UNREADY }, ours),
  ),

  field(
    'all-versions-of-a-run',
    'dataProcessInstanceOutput',
    'outputEdges',
    (peer, ours) =>
      isList(peer) && isList(ours) && peer.length === 1 && ours.length > 1 && holdsAll(ours, peer),
  ),

  field(
    'aliases',
    'versionProperties',
    'aliases',
    (peer, ours) =>
      equal(peer, []) &&
      isList(ours) &&
      ours.length > 0 &&
      ours.every((alias) => isObject(alias) && isText(alias['versionTag'])),
  ),

  field(
    'highest-version',
    'mlModelGroupProperties',
    'version',
    (peer, ours) =>
      isObject(peer) &&
      isObject(ours) &&
      equal({ ...peer, versionTag: null }, { ...ours, versionTag: null }) &&
      Number(ours['versionTag']) > Number(peer['versionTag']),
  ),

  field(
    'creator',
    'mlModelProperties',
    'created',
    (peer, ours) =>
      isObject(peer) &&
      isObject(ours) &&
      peer['time'] === ours['time'] &&
      peer['actor'] === `urn:li:platformResource:${CREATOR}` &&
      ours['actor'] === CREATOR_URN,
  ),

  ...['mlModelProperties', 'dataProcessInstanceProperties'].map((aspectName) =>
    field(
      'escaped-links',
      aspectName,
      'externalUrl',
      (peer, ours) => isText(peer) && isText(ours) && peer === decoded(ours),
    ),
  ),
  field(
    'base-url-of-runs',
    'dataProcessInstanceProperties',
    'externalUrl',
    (peer, ours) =>
      isText(peer) && isText(ours) && peer !== ours && afterHash(peer) === afterHash(ours),
  ),
  field('links-of-experiments', 'containerProperties', 'externalUrl', isAdded),
  field('links-of-models', 'mlModelGroupProperties', 'externalUrl', isAdded),

  extra(
    'running',
    ({ aspectName, aspect }) =>
      aspectName === 'dataProcessInstanceRunEvent' && aspect.json['status'] === 'STARTED',
  ),

  field('times-of-experiments', 'containerProperties', 'created', isAddedTime),
  field('times-of-experiments', 'containerProperties', 'lastModified', isAddedTime),

  field('names-of-models', 'mlModelGroupProperties', 'name', isAdded),
  field('names-of-models', 'mlModelProperties', 'name', isAdded),

  extra(
    'aspects-of-models',
    ({ entityType, aspectName }) =>
      ['mlModel', 'mlModelGroup'].includes(entityType) &&
      ['dataPlatformInstance', 'subTypes', 'browsePathsV2'].includes(aspectName),
  ),

  // The peer gives neither to a version that has no run.
  ...['hyperParams', 'trainingMetrics'].map((name) =>
    field(
      'versions-of-logged-models',
      'mlModelProperties',
      name,
      (peer, ours) => peer === undefined && isList(ours) && ours.length > 0,
    ),
  ),

  // The creator of a version need not have started a run.
  extra('creator', ({ entityUrn }) => entityUrn === CREATOR_URN),

  // It takes the present time, and the time since 1970 for the duration.
  field(
    'no-start-time',
    'dataProcessInstanceProperties',
    'created',
    (peer, ours) =>
      isObject(peer) &&
      isObject(ours) &&
      ours['time'] === 0 &&
      Number(peer['time']) > 0 &&
      peer['actor'] === ours['actor'],
  ),
  field(
    'no-start-time',
    'dataProcessInstanceRunEvent',
    'durationMillis',
    (peer, ours, { proposal }) =>
      ours === undefined && peer === proposal.aspect.json['timestampMillis'],
  ),

  // MLflow 1.x has the name in a tag alone, and the peer takes the run's id instead.
  field(
    'run-names-of-1.x',
    'dataProcessInstanceProperties',
    'name',
    (peer, ours) => isText(peer) && /^[0-9a-f]{32}$/.test(peer) && isText(ours) && ours !== '',
  ),

  // "" over REST, nothing from a database: what is not there is left out, either way.
  ...['mlModelGroupProperties', 'mlModelProperties'].map((aspectName) =>
    field(
      'no-description',
      aspectName,
      'description',
      (peer, ours) => peer === '' && ours === undefined,
    ),
  ),

  {
    name: 'one-winner-of-datasets',
    covers: ({ kind, proposal }) => kind === 'ambiguous' && proposal.entityType === 'dataset',
  },

  extra(
    'named-tensors',
    ({ entityType, aspectName, aspect }) =>
      entityType === 'dataset' &&
      aspectName === 'schemaMetadata' &&
      isList(aspect.json['fields']) &&
      aspect.json['fields'].every(
        (column) =>
          isObject(column) &&
          isText(column['nativeDataType']) &&
          column['nativeDataType'].startsWith('tensor('),
      ),
  ),

  // Where there is no platform to materialize on, the peer forgets that the run read it at all.
  extra(
    'inputs-without-platform',
    ({ entityUrn, aspectName, aspect }) =>
      UNMAPPED.test(entityUrn) ||
      (aspectName === 'dataProcessInstanceInput' &&
        isList(aspect.json['inputEdges']) &&
        aspect.json['inputEdges'].every(
          (edge) =>
            isObject(edge) &&
            isText(edge['destinationUrn']) &&
            UNMAPPED.test(edge['destinationUrn']),
        )),
  ),

  // A server hides its prompts from the registry's search; reading the database, the peer does not.
  {
    name: 'prompts-are-no-models',
    covers: ({ kind, proposal }) =>
      kind === 'missing' && /,a-prompt(_1)?,/.test(proposal.entityUrn),
  },
];

function equal(a: Json | undefined, b: Json | undefined): boolean {
  return a !== undefined && b !== undefined && canonical(a) === canonical(b);
}

function isAdded(peer: Json | undefined, ours: Json | undefined): boolean {
  return peer === undefined && isText(ours) && ours !== '';
}

function isAddedTime(peer: Json | undefined, ours: Json | undefined): boolean {
  return (
    peer === undefined && isObject(ours) && typeof ours['time'] === 'number' && ours['time'] > 0
  );
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function holdsAll(list: readonly Json[], items: readonly Json[]): boolean {
  const texts = new Set(list.map(canonical));
  return items.every((item) => texts.has(canonical(item)));
}

function decoded(url: string): string | undefined {
  try {
    return decodeURIComponent(url);
  } catch {
    return undefined;
  }
}

function afterHash(url: string): string {
  return url.slice(url.indexOf('#'));
}
