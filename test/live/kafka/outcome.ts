/**
 * Whether nothing was lost.
 */

import { expect } from 'vitest';
import type { Proposal } from '../../../src/datahub/proposal.js';
import { canonical, type FiledProposal, type Json } from '../proposals.js';

/** What was delivered: everything but the refused, each entity's in order, with repeats at most. */
export function expectDelivered(
  arrived: readonly FiledProposal[],
  expected: readonly Proposal[],
): void {
  const wanted = new Map<string, string[]>();
  for (const proposal of expected)
    push(wanted, proposal.entityUrn, print(proposal, proposal.aspect));
  const found = new Map<string, string[]>();
  for (const proposal of arrived) {
    push(found, proposal.entityUrn, print(proposal, proposal.aspect.json));
  }
  const unlike: string[] = [];
  for (const [urn, prints] of wanted) {
    if (!isOrderedWithRepeats(found.get(urn) ?? [], prints)) unlike.push(urn);
  }
  for (const urn of found.keys()) if (!wanted.has(urn)) unlike.push(urn);
  expect(unlike, 'entities that lack something, have other things, or are out of order').toEqual(
    [],
  );
}

/** A repeated batch begins again somewhere before its end, and goes on from there to the end. */
function isOrderedWithRepeats(found: readonly string[], wanted: readonly string[]): boolean {
  if (found.at(-1) !== wanted.at(-1)) return false;
  if (new Set(found).size !== new Set(wanted).size) return false;
  return found.every((each, index) => {
    const next = found[index + 1];
    return next === undefined || wanted.indexOf(next) <= wanted.indexOf(each) + 1;
  });
}

function push(map: Map<string, string[]>, urn: string, text: string): void {
  const list = map.get(urn) ?? [];
  list.push(text);
  map.set(urn, list);
}

type Head = Pick<FiledProposal, 'entityType' | 'changeType' | 'aspectName'>;

function print({ entityType, changeType, aspectName }: Head, aspect: unknown): string {
  return `${entityType} ${changeType} ${aspectName} ${canonical(aspect as Json)}`;
}
