/**
 * Tables: from the names that queries call them by to those that DataHub's connectors give them.
 */

/** What Spark calls the metastore that Databricks calls `hive_metastore`. */
const SPARK_CATALOG = 'spark_catalog';
const HIVE_METASTORE = 'hive_metastore';

/** `events_20240229`, one table for each day: [1] is what stands before the day. */
const SHARD = /^(?:(.*\D))?\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/s;
const WILDCARD = /(?:_\d*)?\*$/;
const SNAPSHOT = /^(.+)@-?\d{1,13}(?:-(?:-?\d{1,13})?)?$/s;

/**
 * Splits a name at its dots, but for those in quotes; undefined where it is not one.
 *
 * @example
 * tableParts('main.`sales.eu`.orders'); // ['main', 'sales.eu', 'orders']
 */
export function tableParts(name: string): readonly string[] | undefined {
  const parts: string[] = [];
  const PART = /\s*(?:`((?:[^`]|``)*)`|"([^"]*)"|([^.`"]+?))\s*(\.|$)/y;
  while (PART.lastIndex < name.length) {
    const [, ticked, quoted, bare, end] = PART.exec(name) ?? [];
    const part = ticked?.replaceAll('``', '`') ?? quoted ?? bare;
    if (part === undefined || part === '') return undefined;
    parts.push(part);
    if (end === '') return parts;
  }
  return undefined;
}

/**
 * The platform of a table that Spark calls so. With three parts it is one of Unity Catalog or of
 * Databricks' own metastore; with two it is one of the metastore that Spark has by default.
 *
 * @example
 * sparkPlatform(['main', 'sales', 'orders']); // 'databricks'
 * sparkPlatform(['sales', 'orders']); // 'hive'
 */
export function sparkPlatform(parts: readonly string[]): string | undefined {
  if (parts.length === 2) return 'hive';
  if (parts.length !== 3) return undefined;
  return parts[0]?.toLowerCase() === SPARK_CATALOG ? 'hive' : 'databricks';
}

const TABLE_PLATFORMS: ReadonlySet<string> = new Set([
  'bigquery',
  'databricks',
  'hive',
  'snowflake',
]);

/** Whether its datasets are tables, named by their schemas. */
export function hasTables(platform: string): boolean {
  return TABLE_PLATFORMS.has(platform);
}

/**
 * The name that the connector of a platform, with its default options, gives a table; undefined
 * where the parts don't say which table it is.
 *
 * @example
 * tableName('databricks', ['sales', 'orders']); // 'hive_metastore.sales.orders'
 * tableName('snowflake', ['DB', 'PUBLIC', 'ORDERS']); // 'db.public.orders'
 * tableName('bigquery', ['acme', 'web', 'events_20240229']); // 'acme.web.events'
 */
export function tableName(platform: string, parts: readonly string[]): string | undefined {
  const [first = '', ...others] = parts;
  const isDefault = [SPARK_CATALOG, HIVE_METASTORE].includes(first.toLowerCase());
  switch (platform) {
    case 'databricks':
      if (parts.length === 2) return joined(3, [HIVE_METASTORE, ...parts])?.toLowerCase();
      return joined(3, isDefault ? [HIVE_METASTORE, ...others] : parts)?.toLowerCase();
    case 'hive':
      return joined(2, isDefault && parts.length === 3 ? others : parts)?.toLowerCase();
    case 'snowflake':
      return joined(3, parts)?.toLowerCase();
    case 'bigquery': {
      // As it was called once: project:dataset.table
      const legacy = parts.length === 2 ? [...first.split(':'), ...others] : parts;
      const [project = '', dataset = '', table = ''] = legacy;
      return joined(3, [project, dataset, bigQueryTable(dataset, table), ...legacy.slice(3)]);
    }
  }
  return parts.length < 2 ? undefined : parts.join('.');
}

function joined(length: number, parts: readonly string[]): string | undefined {
  return parts.length === length && !parts.includes('') ? parts.join('.') : undefined;
}

/** Without what chooses a part of it: a day, a partition, a point in time. */
function bigQueryTable(dataset: string, table: string): string {
  const whole = table.replace(WILDCARD, '');
  const [name = ''] = (SNAPSHOT.exec(whole)?.[1] ?? whole).split('$');
  const shard = SHARD.exec(name);
  const base = shard === null ? name : (shard[1] ?? '').replace(/_+$/, '');
  // The days themselves are the tables of some datasets.
  return base === '' && table !== '' ? dataset : base;
}
