/**
 * What a dataset was made from, as MLflow keeps it, to the dataset that the connector of its
 * platform makes of that in DataHub.
 */

import type { Dataset } from '../../../mlflow/types.js';
import { placeOf } from './locations.js';
import { hasTables, sparkPlatform, tableName, tableParts } from './table-names.js';

export type SourcePlace =
  | { readonly kind: 'hosted'; readonly platform: string; readonly name: string }
  /** It says none that DataHub has a platform for: a query, a web page, a file of some machine. */
  | { readonly kind: 'nowhere' }
  | { readonly kind: 'malformed' };

const NOWHERE: SourcePlace = { kind: 'nowhere' };
const PLATFORM_URN = 'urn:li:dataPlatform:';

/**
 * MLflow writes `{"uri": …}` for files, `{"url": …}` for http, `{"path": …}` or `{"table_name": …}`
 * for Spark, `{"path": …}` or `{"delta_table_name": …}` for delta tables, `{"path": …}` for Hugging
 * Face and volumes. Warehouses have no source of MLflow's own; theirs are read by the same names, and
 * `table`, with `database` or `project` and `schema` or `dataset` before it where it is short.
 *
 * @param platform - of the source type, where one is known or set: it goes before what the source says
 *
 * @example
 * sourcePlace({ sourceType: 's3', source: '{"uri": "s3://lake/sales.csv"}' });
 * // { kind: 'hosted', platform: 's3', name: 'lake/sales.csv' }
 */
export function sourcePlace(
  { sourceType, source }: Pick<Dataset, 'sourceType' | 'source'>,
  platform?: string,
): SourcePlace {
  const fields = parse(source);
  if (fields === undefined) return { kind: 'malformed' };
  const parts = tableOf(fields);
  if (parts !== undefined) {
    const where = platform ?? sparkPlatform(parts);
    const name = where === undefined ? undefined : tableName(bare(where), parts);
    return hosted(where, name);
  }
  const address = text(fields, 'uri') ?? text(fields, 'url') ?? text(fields, 'path');
  if (address === undefined) return NOWHERE;
  const place = placeOf(address, { isDelta: sourceType.toLowerCase() === 'delta_table' });
  // Where a platform has tables, what is at an address is none of them.
  const where = platform === undefined || hasTables(bare(platform)) ? place?.platform : platform;
  return hosted(where, place?.name);
}

function hosted(platform: string | undefined, name: string | undefined): SourcePlace {
  return platform === undefined || name === undefined
    ? NOWHERE
    : { kind: 'hosted', platform, name };
}

function bare(platform: string): string {
  return platform.startsWith(PLATFORM_URN) ? platform.slice(PLATFORM_URN.length) : platform;
}

function tableOf(fields: object): readonly string[] | undefined {
  const name =
    text(fields, 'delta_table_name') ?? text(fields, 'table_name') ?? text(fields, 'table');
  if (name === undefined) return undefined;
  const parts = tableParts(name) ?? [];
  if (parts.length !== 1) return parts;
  const schema = text(fields, 'schema') ?? text(fields, 'dataset');
  const database = text(fields, 'database') ?? text(fields, 'project');
  return [database, schema, ...parts].filter((part) => part !== undefined);
}

/** Undefined where it is no JSON object. */
function parse(source: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(source);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function text(fields: object, name: string): string | undefined {
  const value = Object.hasOwn(fields, name)
    ? (fields as Readonly<Record<string, unknown>>)[name]
    : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
