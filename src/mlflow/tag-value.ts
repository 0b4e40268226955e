import type { KeyValue } from './types.js';

/** The value of a tag; undefined where there is none, or it is empty. */
export function tagValue(tags: readonly KeyValue[], wanted: string): string | undefined {
  for (const { key, value } of tags) if (key === wanted) return value === '' ? undefined : value;
  return undefined;
}
