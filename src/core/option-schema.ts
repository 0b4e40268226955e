/**
 * What is inside of the schemas of options.
 */

import { z } from 'zod';

export type Schema = z.core.$ZodType;
export type Path = readonly PropertyKey[];

/** The key that zod leaves out of a record without a word, since it may be what sets a prototype. */
export const LOST_KEY = '__proto__';

/** Takes off what stands around a schema: optional, default, and so on. */
export function unwrap(schema: Schema): Schema {
  let inner = schema;
  for (;;) {
    if (
      inner instanceof z.ZodOptional ||
      inner instanceof z.ZodNullable ||
      inner instanceof z.ZodDefault ||
      inner instanceof z.ZodPrefault ||
      inner instanceof z.ZodReadonly ||
      inner instanceof z.ZodNonOptional
    ) {
      inner = inner.unwrap();
    } else if (inner instanceof z.ZodPipe) inner = inner.in;
    else if (inner instanceof z.ZodLazy) inner = inner.unwrap();
    else return inner;
  }
}

/**
 * The first object among options that has a `LOST_KEY`, where its keys are the user's own to choose.
 *
 * @param options - that fit the schema
 * @returns undefined where there is none
 */
export function placeOfLostKey(schema: Schema, options: unknown): Path | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  const bare = unwrap(schema);
  if (bare instanceof z.ZodUnion) return first(bare.options, (one) => placeOfLostKey(one, options));
  if (bare instanceof z.ZodRecord && Object.hasOwn(options, LOST_KEY)) return [];
  return first(partsOf(bare, options), ([key, part, value]) => {
    const inside = placeOfLostKey(part, value);
    return inside === undefined ? undefined : [key, ...inside];
  });
}

type Part = readonly [key: PropertyKey, schema: Schema, value: unknown];

function partsOf(schema: Schema, options: object): readonly Part[] {
  if (schema instanceof z.ZodArray) {
    const { element } = schema;
    return Array.isArray(options)
      ? options.map((value: unknown, at): Part => [at, element, value])
      : [];
  }
  if (schema instanceof z.ZodRecord) {
    const { valueType } = schema;
    return Object.entries(options).map(([key, value]: [string, unknown]): Part => [
      key,
      valueType,
      value,
    ]);
  }
  if (!(schema instanceof z.ZodObject)) return [];
  const given = options as Readonly<Record<string, unknown>>;
  const shape = schema.shape as Readonly<Record<string, Schema>>;
  return Object.entries(shape).map(([key, part]): Part => [key, part, given[key]]);
}

function first<T>(items: readonly T[], find: (item: T) => Path | undefined): Path | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
