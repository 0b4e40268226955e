/**
 * Proposals as they stand in a file, ours or the peer's.
 */

import { readFile } from 'node:fs/promises';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

export interface FiledProposal {
  readonly entityType: string;
  readonly entityUrn: string;
  readonly changeType: string;
  readonly aspectName: string;
  readonly aspect: { readonly json: JsonObject };
  readonly systemMetadata?: JsonObject;
}

export async function readProposals(path: string): Promise<readonly FiledProposal[]> {
  return JSON.parse(await readFile(path, 'utf8')) as readonly FiledProposal[];
}

/** Names an aspect of an entity. */
export function keyOf({ entityUrn, aspectName }: FiledProposal): string {
  return `${entityUrn} ${aspectName}`;
}

/** The JSON text with all keys in order, so that equal values have equal text. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Without what differs from run to run. */
export function withoutSystemMetadata(text: string): string {
  return text.replace(/,"systemMetadata":\{[^}]*\}/g, '');
}

/** In any order, byte for byte but for links: a database or a folder does not know where its server is. */
export function asSet(proposals: readonly FiledProposal[]): readonly string[] {
  const texts = proposals.map(({ entityUrn, aspectName, aspect }) => {
    const fields = Object.entries(aspect.json).filter(([name]) => name !== 'externalUrl');
    return `${entityUrn} ${aspectName} ${JSON.stringify(Object.fromEntries(fields))}`;
  });
  return [...new Set(texts)].sort();
}
