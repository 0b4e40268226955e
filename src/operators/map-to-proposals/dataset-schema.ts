/**
 * Schemas of datasets: from MLflow's column specification to schemaMetadata.
 */

import type { Aspect } from '../../datahub/proposal.js';
import { UNKNOWN_STAMP } from './aspects.js';

/** A column by its name and MLflow's name of its type. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/** The types that MLflow's columns have, by DataHub's; `object` is none of them to DataHub. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['boolean', 'BooleanType'],
  ['integer', 'NumberType'],
  ['long', 'NumberType'],
  ['float', 'NumberType'],
  ['double', 'NumberType'],
  ['string', 'StringType'],
  ['binary', 'BytesType'],
  ['datetime', 'TimeType'],
  ['array', 'ArrayType'],
  ['map', 'MapType'],
]);

/** What became of a dataset's schema. */
export type ParsedSchema =
  | { readonly kind: 'columns'; readonly columns: readonly Column[] }
  /** JSON, but no columns with names, such as those of a tensor. */
  | { readonly kind: 'other' }
  | { readonly kind: 'malformed' };

/**
 * Reads the JSON text `{"mlflow_colspec": [{"name": "x", "type": "long"}, …]}`. It is read as a
 * whole or not at all: a column without a name makes it `other`.
 */
export function parseSchema(text: string): ParsedSchema {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    return { kind: 'malformed' };
  }
  const columns = field(schema, 'mlflow_colspec');
  if (!Array.isArray(columns)) return { kind: 'other' };
  const read: Column[] = [];
  for (const column of columns as unknown[]) {
    const [name, type] = [field(column, 'name'), field(column, 'type')];
    if (typeof name !== 'string' || typeof type !== 'string') return { kind: 'other' };
    read.push({ name, type });
  }
  return { kind: 'columns', columns: read };
}

/** Columns without a name are left out, and of columns with one name all but the first. */
export function schemaMetadata(columns: readonly Column[], platform: string): Aspect {
  const byName = new Map<string, Column>();
  for (const column of columns) {
    if (column.name !== '' && !byName.has(column.name)) byName.set(column.name, column);
  }
  return {
    schemaName: '',
    platform,
    version: 0,
    created: UNKNOWN_STAMP,
    lastModified: UNKNOWN_STAMP,
    hash: '',
    platformSchema: { 'com.linkedin.schema.Schemaless': {} },
    fields: [...byName.values()].map(({ name, type }) => ({
      fieldPath: name,
      nullable: false,
      type: { type: { [`com.linkedin.schema.${TYPES.get(type) ?? 'NullType'}`]: {} } },
      nativeDataType: type,
      recursive: false,
      isPartOfKey: false,
    })),
  };
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
