/**
 * Where the transformers of recipes differ on purpose from DataHub's own, beside what differs
 * without them. docs/parity.md tells the reasons.
 */

import type { DeliberateDifference, Difference } from './deliberate-differences.js';
import { canonical, type Json, type JsonObject } from './proposals.js';

/** The list of each aspect that transformers add to. */
const LISTS: Readonly<Record<string, string>> = {
  globalTags: 'tags',
  glossaryTerms: 'terms',
  ownership: 'owners',
  domains: 'domains',
};

/** Whom the peer names where it does not know. */
const NOBODY = 'urn:li:corpuser:unknown';

/** Who changed in DataHub what patches are applied to. */
export const SOMEONE = 'urn:li:corpuser:someone';

const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

export const recipeDifferences: readonly DeliberateDifference[] = [
  // It would take away what people added in DataHub.
  {
    name: 'no-rule-no-list',
    covers: ({ kind, proposal: { aspectName, aspect } }) => {
      const list = aspect.json[LISTS[aspectName] ?? ''];
      return kind === 'missing' && Array.isArray(list) && list.length === 0;
    },
  },
  // The same store gives the same bytes.
  differing(
    'terms-without-a-clock',
    'glossaryTerms',
    'auditStamp',
    (peer, ours) =>
      isObject(peer) && Number(peer['time']) > 0 && isObject(ours) && ours['time'] === 0,
  ),
  // DataHub reads the same where they are not there.
  differing(
    'owners-without-defaults',
    'ownership',
    'ownerTypes',
    (peer, ours) => isObject(peer) && Object.keys(peer).length === 0 && ours === undefined,
  ),
  differing(
    'owners-without-defaults',
    'ownership',
    'lastModified',
    (peer, ours) => isObject(peer) && peer['actor'] === NOBODY && ours === undefined,
  ),
  // Who changed the list last is DataHub's to say.
  ...['lastModified', 'auditStamp'].map((field) =>
    differing(
      'patches-leave-the-rest',
      field === 'auditStamp' ? 'glossaryTerms' : 'ownership',
      field,
      (_, ours) => isObject(ours) && ours['actor'] === SOMEONE,
    ),
  ),
  // What it sends is no URN, and DataHub refuses it.
  differing(
    'domains-by-guid',
    'domains',
    'domains',
    (peer, ours) =>
      Array.isArray(peer) &&
      canonical(ours ?? null) === canonical((peer as readonly Json[]).map(String).map(urnOfDomain)),
  ),
];

function differing(
  name: string,
  aspectName: string,
  field: string,
  accepts: (peer: Json | undefined, ours: Json | undefined) => boolean,
): DeliberateDifference {
  return {
    name,
    covers: (difference: Difference) =>
      difference.kind === 'field' &&
      difference.proposal.aspectName === aspectName &&
      difference.field === field &&
      accepts(difference.peer, difference.ours),
  };
}

function urnOfDomain(domain: string): string {
  return GUID.test(domain) ? `urn:li:domain:${domain}` : domain;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
