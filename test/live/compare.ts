/**
 * Compares what DataHub's own connector says of a store with what this pipeline says.
 */

import {
  deliberateDifferences,
  type DeliberateDifference,
  type Difference,
  type FieldDifference,
} from './deliberate-differences.js';
import { canonical, keyOf, type FiledProposal, type Json, type JsonObject } from './proposals.js';

export interface Comparison {
  /** How many aspects of entities the peer has. */
  readonly compared: number;
  /** Differences that nobody meant, each a sentence. */
  readonly unexpected: readonly string[];
  /** Names of the deliberate differences that were met. */
  readonly met: ReadonlySet<string>;
}

/**
 * For every (URN, aspect) of the peer there must be one of ours with the same fields, and ours may
 * have no more; but for what stands in the table of deliberate differences.
 *
 * @param more - deliberate differences beside those of the table
 */
export function compare(
  peer: readonly FiledProposal[],
  ours: readonly FiledProposal[],
  more: readonly DeliberateDifference[] = [],
): Comparison {
  const met = new Set<string>();
  const unexpected: string[] = [];
  const report = (difference: Difference): void => {
    const names = [...deliberateDifferences, ...more]
      .filter(({ covers }) => covers(difference))
      .map(({ name }) => name);
    for (const name of names) met.add(name);
    if (names.length === 0) unexpected.push(sentence(difference));
  };

  const theirs = group(peer.map((proposal) => withReadableUrns(proposal, met)));
  const own = group(ours);
  for (const [key, contents] of theirs) {
    const proposal = own.get(key)?.at(-1);
    const last = contents.at(-1);
    if (last === undefined) continue;
    if (proposal === undefined) {
      report({ kind: 'missing', proposal: last });
      continue;
    }
    // Said differently in one run: any of them will do.
    const differences = contents
      .map((content) => fieldDifferences(content, proposal))
      .sort((a, b) => a.length - b.length);
    differences[0]?.forEach(report);
    if (contents.length > 1 && new Set(contents.map(textOf)).size > 1) {
      report({ kind: 'ambiguous', proposal });
    }
  }
  for (const [key, proposals] of own) {
    const proposal = proposals.at(-1);
    if (!theirs.has(key) && proposal !== undefined) report({ kind: 'extra', proposal });
  }
  return { compared: theirs.size, unexpected, met };
}

function group(proposals: readonly FiledProposal[]): Map<string, FiledProposal[]> {
  const groups = new Map<string, FiledProposal[]>();
  for (const proposal of proposals) {
    const key = keyOf(proposal);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [proposal]);
    else known.push(proposal);
  }
  return groups;
}

function fieldDifferences(peer: FiledProposal, ours: FiledProposal): readonly FieldDifference[] {
  const [a, b] = [peer.aspect.json, ours.aspect.json];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((field) => textIn(a, field) !== textIn(b, field))
    .map((field) => ({
      kind: 'field',
      proposal: ours,
      field,
      peer: own(a, field),
      ours: own(b, field),
    }));
}

function own(aspect: JsonObject, field: string): Json | undefined {
  return Object.hasOwn(aspect, field) ? aspect[field] : undefined;
}

/** Lists that come in whatever order the server had. */
const UNORDERED = new Set(['hyperParams', 'trainingMetrics', 'tags', 'inputEdges', 'outputEdges']);

function textIn(aspect: JsonObject, field: string): string | undefined {
  const value = own(aspect, field);
  if (value === undefined) return undefined;
  if (!UNORDERED.has(field) || !Array.isArray(value)) return canonical(value);
  return canonical([...new Set(value.map(canonical))].sort());
}

function textOf({ aspect }: FiledProposal): string {
  const fields = Object.keys(aspect.json).sort();
  return fields.map((field) => `${field}=${textIn(aspect.json, field) ?? ''}`).join('\n');
}

const MODEL_URN = /^(urn:li:mlModel(?:Group)?:\(urn:li:dataPlatform:mlflow,)(.*)(,[A-Z_]+\))$/s;

/**
 * The peer writes reserved characters in names of models as they are, which makes URNs that
 * DataHub's own parser refuses. They are compared as they should be.
 */
function withReadableUrns(proposal: FiledProposal, met: Set<string>): FiledProposal {
  const fix = (text: string): string =>
    text.replace(MODEL_URN, (_, start: string, name: string, end: string) => {
      const encoded = name.replace(/[,()]/g, encodeReserved).replaceAll('\u241F', '%E2%90%9F');
      if (encoded !== name) met.add('reserved-characters');
      return `${start}${encoded}${end}`;
    });
  const fixAll = (value: Json): Json => {
    if (typeof value === 'string') return fix(value);
    if (Array.isArray(value)) return value.map(fixAll);
    if (typeof value !== 'object' || value === null) return value;
    // fromEntries makes own properties, of `__proto__` too.
    return Object.fromEntries(
      Object.entries(value).map(([key, field]) => [
        key,
        key === 'customProperties' ? field : fixAll(field),
      ]),
    );
  };
  return {
    ...proposal,
    entityUrn: fix(proposal.entityUrn),
    aspect: { json: fixAll(proposal.aspect.json) as JsonObject },
  };
}

function encodeReserved(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function sentence(difference: Difference): string {
  const key = keyOf(difference.proposal);
  switch (difference.kind) {
    case 'missing':
      return `${key}: ours is missing; the peer has ${short(difference.proposal.aspect.json)}`;
    case 'extra':
      return `${key}: only ours has it: ${short(difference.proposal.aspect.json)}`;
    case 'ambiguous':
      return `${key}: the peer says different things in one run`;
    case 'field':
      return `${key}: ${difference.field}: the peer has ${short(difference.peer)}, ours ${short(difference.ours)}`;
  }
}

function short(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : canonical(value);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
