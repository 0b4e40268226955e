/**
 * Schemas of datasets: from MLflow's specification of columns or tensors to schemaMetadata.
 */

import type { Aspect } from '../../datahub/proposal.js';
import { signatureFields } from '../../mlflow/signature-fields.js';
import { UNKNOWN_STAMP } from './aspects.js';

/** A column by its name and MLflow's name of its type. */
export interface Column {
  readonly name: string;
  readonly type: string;
  /** As people read it, where it says more than the type: `tensor(float64, [-1, 3])`. */
  readonly native?: string;
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
  /** JSON, but no list of columns; `tensors` are those with names, where it has some. */
  | { readonly kind: 'other'; readonly tensors?: readonly Column[] }
  | { readonly kind: 'malformed' };

/**
 * Reads the JSON text `{"mlflow_colspec": [{"name": "x", "type": "long"}, …]}`, as a whole or not at
 * all: a column without a name makes it `other`. Of `{"mlflow_tensorspec": {"features": "[…]",
 * "targets": "[…]"}}`, which hold JSON texts, it reads what has a name.
 */
export function parseSchema(text: string): ParsedSchema {
  const schema = parseJson(text);
  if (schema === undefined) return { kind: 'malformed' };
  const columns = field(schema, 'mlflow_colspec');
  if (!Array.isArray(columns)) {
    const tensors = namedTensors(field(schema, 'mlflow_tensorspec'));
    return tensors.length === 0 ? { kind: 'other' } : { kind: 'other', tensors };
  }
  const read: Column[] = [];
  for (const column of columns as unknown[]) {
    const [name, type] = [field(column, 'name'), field(column, 'type')];
    if (typeof name !== 'string' || typeof type !== 'string') return { kind: 'other' };
    read.push({ name, type });
  }
  return { kind: 'columns', columns: read };
}

function namedTensors(spec: unknown): Column[] {
  return ['features', 'targets'].flatMap((part) => {
    const text = field(spec, part);
    const fields = typeof text === 'string' ? (signatureFields(text) ?? []) : [];
    const tensors = fields.filter(({ type }) => type === 'tensor');
    return tensors.map(({ name, native }) => ({ name, type: 'array', native }));
  });
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
    fields: [...byName.values()].map(({ name, type, native = type }) => ({
      fieldPath: name,
      nullable: false,
      type: { type: { [`com.linkedin.schema.${TYPES.get(type) ?? 'NullType'}`]: {} } },
      nativeDataType: native,
      recursive: false,
      isPartOfKey: false,
    })),
  };
}

/** Undefined where it is no JSON, which has no such value. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
