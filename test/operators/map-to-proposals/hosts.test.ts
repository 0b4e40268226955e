import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datasetUrn } from '../../../src/datahub/urn.js';
import { placeOf } from '../../../src/operators/map-to-proposals/hosts/locations.js';
import { sourcePlace } from '../../../src/operators/map-to-proposals/hosts/source-place.js';
import {
  tableName,
  tableParts,
} from '../../../src/operators/map-to-proposals/hosts/table-names.js';
import type { MapToProposalsOptions } from '../../../src/operators/map-to-proposals/index.js';
import { datasetRecord, use } from '../records.js';
import { map } from './mapped.js';

/** Made by make-vectors.py with acryl-datahub 1.7.0.17. */
const vectors = JSON.parse(
  readFileSync(new URL('../../datahub/vectors.json', import.meta.url), 'utf8'),
) as {
  locations: [string, string][];
  tables: { split: [string, string[]][]; bigquery: [string, string][] };
};

describe('what DataHub’s connectors call', () => {
  it.each(vectors.locations)('what is at %s', (address, urn) => {
    const { platform = '', name = '' } = placeOf(address) ?? {};
    expect(datasetUrn(platform, name)).toBe(urn);
  });

  it.each(vectors.tables.split)('the parts of the table %s', (name, parts) => {
    expect(tableParts(name)).toEqual(parts);
  });

  it.each(vectors.tables.bigquery)('the table %s of BigQuery', (table, name) => {
    expect(tableName('bigquery', ['p', 'd', table])).toBe(name);
  });
});

describe('where something is', () => {
  it.each([
    ['jdbc:postgresql://ada:s3cret@db/x', 'db/x'],
    ['odd://ada:s3cret@db/x', 'db/x'],
    // Nobody knows what of these is a password.
    ['ada:s3cret@host/path', undefined],
    ['a:s3cret@host/path', undefined],
    ['https://u:p/s3cret@host/x', undefined],
    ['C:\\data\\a@b', 'C:\\data\\a@b'],
  ])('is told without passwords: %s', (address, name) => {
    expect(placeOf(address)?.name).toBe(name);
  });
});

describe('the source of a dataset', () => {
  const place = (sourceType: string, source: object, platform?: string) => {
    const found = sourcePlace({ sourceType, source: JSON.stringify(source) }, platform);
    return found.kind === 'hosted' ? `${found.platform} ${found.name}` : found.kind;
  };

  // As MLflow's DatasetSource classes write them.
  it.each([
    ['s3', { uri: 's3://lake/sales.csv' }, 's3 lake/sales.csv'],
    ['s3', { uri: 's3://AKIA:s3cret@lake/sales' }, 's3 lake/sales'],
    ['gs', { uri: 'gs://lake/a/' }, 'gcs lake/a'],
    ['abfss', { uri: 'abfss://lake@acme.dfs.core.windows.net/raw' }, 'abs lake/raw'],
    ['wasbs', { uri: 'wasbs://lake@acme.blob.core.windows.net/raw/' }, 'abs lake/raw'],
    ['http', { url: 'https://acme.blob.core.windows.net/lake/a.csv?sig=s3cret' }, 'abs lake/a.csv'],
    ['hdfs', { uri: 'hdfs://name:8020/raw' }, 'hdfs name:8020/raw'],
    ['hdfs', { uri: 'hdfs://ada:s3cret@name:8020/raw' }, 'hdfs name:8020/raw'],
    ['delta_table', { path: 's3a://lake/sales' }, 'delta-lake lake/sales'],
    ['delta_table', { path: 'abfss://lake@acme.dfs.core.windows.net/s' }, 'delta-lake lake/s'],
    // The connector for delta tables does not read there, others do.
    ['delta_table', { path: 'gs://lake/sales' }, 'gcs lake/sales'],
    ['delta_table', { path: 'dbfs:/user/sales', delta_table_version: 3 }, 'dbfs /user/sales'],
    ['delta_table', { path: '/dbfs/user/sales' }, 'dbfs /user/sales'],
    [
      'delta_table',
      { delta_table_name: 'Main.Sales.Orders', is_databricks_uc_table: true },
      'databricks main.sales.orders',
    ],
    ['delta_table', { delta_table_name: 'hive_metastore.a.b' }, 'databricks hive_metastore.a.b'],
    ['delta_table', { delta_table_name: 'spark_catalog.a.b' }, 'hive a.b'],
    // MLflow says of this that it is one of Unity Catalog, since it looks at the first part alone.
    ['delta_table', { delta_table_name: 'a.b', is_databricks_uc_table: true }, 'hive a.b'],
    ['delta_table', { delta_table_name: 'main.`a.b`.c' }, 'databricks main.a.b.c'],
    ['spark', { table_name: 'sales.orders' }, 'hive sales.orders'],
    ['spark', { path: 's3a://lake/sales.parquet' }, 's3 lake/sales.parquet'],
    // Of which schema, which machine, which columns of which tables?
    ['spark', { table_name: 'orders' }, 'nowhere'],
    ['spark', { table_name: 'a.b.c.d' }, 'nowhere'],
    ['spark', { table_name: '`a.b' }, 'nowhere'],
    ['spark', { path: '/data/sales' }, 'nowhere'],
    ['spark', { path: 'C:\\data' }, 'nowhere'],
    ['spark', { path: 'file:///data' }, 'nowhere'],
    ['spark', { sql: 'SELECT 1' }, 'nowhere'],
    ['http', { url: 'https://acme.com/a.csv' }, 'nowhere'],
    ['hugging_face', { path: 'acme/dolly', config_name: null }, 'nowhere'],
    ['uc_volume', { path: '/Volumes/main/a/b.csv' }, 'nowhere'],
    ['mlflow_evaluation_dataset', { dataset_id: 'd-1' }, 'nowhere'],
    ['s3', { uri: '' }, 'nowhere'],
    ['s3', { uri: 5 }, 'nowhere'],
    ['s3', [], 'nowhere'],
  ])('%s %j is of %s', (sourceType, source, wanted) => {
    expect(place(sourceType, source)).toBe(wanted);
  });

  // With a platform that has tables, what is at an address is none of them.
  it.each([
    ['delta_table', { path: 's3://lake/sales' }, 'databricks', 'delta-lake lake/sales'],
    ['spark', { path: 'dbfs:/x' }, 'databricks', 'dbfs /x'],
    ['snowflake', { uri: 'snowflake://acct/db' }, 'snowflake', 'nowhere'],
    ['delta_table', { delta_table_name: 'a.b' }, 'databricks', 'databricks hive_metastore.a.b'],
  ])('%s %j on %s is %s', (sourceType, source, platform, wanted) => {
    expect(place(sourceType, source, platform)).toBe(wanted);
  });

  it.each([
    ['s3', { uri: 's3://lake/a' }, 'minio', 'minio lake/a'],
    ['delta_table', { delta_table_name: 'a.b' }, 'databricks', 'databricks hive_metastore.a.b'],
    [
      'delta_table',
      { delta_table_name: 'spark_catalog.a.b' },
      'urn:li:dataPlatform:databricks',
      'urn:li:dataPlatform:databricks hive_metastore.a.b',
    ],
    ['delta_table', { delta_table_name: 'hive_metastore.a.b' }, 'hive', 'hive a.b'],
    ['delta_table', { path: '/data/sales/' }, 'delta-lake', 'delta-lake data/sales'],
    ['delta_table', { path: 'file:///data/sales' }, 'delta-lake', 'delta-lake data/sales'],
    ['spark', { table_name: 'lake.a.B' }, 'iceberg', 'iceberg lake.a.B'],
    ['spark', { path: 'file:///data/a' }, 'file', 'file /data/a'],
    ['http', { url: 'https://ada:s3cret@acme.com/a.csv?t=s3cret' }, 'http', 'http acme.com/a.csv'],
    ['hugging_face', { path: 'acme/dolly' }, 'huggingface', 'huggingface acme/dolly'],
    ['snowflake', { table: 'DB.PUBLIC.ORDERS' }, 'snowflake', 'snowflake db.public.orders'],
    [
      'snowflake',
      { database: 'DB', schema: 'PUBLIC', table: 'ORDERS' },
      'snowflake',
      'snowflake db.public.orders',
    ],
    ['snowflake', { table: '"Db"."A"."B.c"' }, 'snowflake', 'snowflake db.a.b.c'],
    ['snowflake', { table: 'ORDERS' }, 'snowflake', 'nowhere'],
    ['bigquery', { table: 'acme.web.events_20240229' }, 'bigquery', 'bigquery acme.web.events'],
    ['bigquery', { table: 'acme:web.events' }, 'bigquery', 'bigquery acme.web.events'],
    [
      'bigquery',
      { project: 'acme', dataset: 'web', table: 'events' },
      'bigquery',
      'bigquery acme.web.events',
    ],
    ['postgres', { table: 'shop.Public.orders' }, 'postgres', 'postgres shop.Public.orders'],
    ['postgres', { table: 'orders' }, 'postgres', 'nowhere'],
    ['mine', { query: 'x' }, 'postgres', 'nowhere'],
  ])('%s %j on a platform that is known or set, %s, is of %s', (type, source, platform, wanted) => {
    expect(place(type, source, platform)).toBe(wanted);
  });

  it.each(['', 'null', '"s3://lake/a"', '{"uri'])(
    'that is no object is malformed: %s',
    (source) => {
      expect(sourcePlace({ sourceType: 's3', source })).toEqual({ kind: 'malformed' });
    },
  );

  it('may be anything', () => {
    const field = fc.constantFrom('uri', 'url', 'path', 'table_name', 'delta_table_name', 'table');
    const value = fc.oneof(fc.string(), fc.constantFrom('s3://', 'gs:', 'abfss://@', '`', 'a.'));
    fc.assert(
      fc.property(fc.dictionary(field, value), fc.constantFrom('spark', 'delta_table'), (s, t) => {
        const found = sourcePlace({ sourceType: t, source: JSON.stringify(s) });
        expect(found.kind === 'hosted' ? found.name : 'x').not.toBe('');
      }),
    );
  });
});

describe('with datasetLineage: source, a dataset', () => {
  const linked = (sourceType: string, source: string, options: MapToProposalsOptions = {}) => {
    const record = datasetRecord(use({ sourceType, source }));
    const { proposals, ...rest } = map(record, { datasetLineage: 'source', ...options });
    const upstream = proposals.find(({ aspectName }) => aspectName === 'upstreamLineage')
      ?.aspect as { upstreams: { dataset: string }[] } | undefined;
    const entities = [...new Set(proposals.map(({ entityUrn }) => entityUrn))];
    return { dataset: upstream?.upstreams[0]?.dataset, entities, ...rest };
  };
  const ORDERS = 'urn:li:dataset:(urn:li:dataPlatform:databricks,main.sales.orders,PROD)';
  const table = '{"delta_table_name": "main.sales.orders"}';

  it('is a copy of what it was read from, which is materialized if asked for', () => {
    expect(linked('delta_table', table)).toMatchObject({ dataset: ORDERS, warnings: [] });
    const { entities } = linked('delta_table', table, { materializeDatasetInputs: true });
    expect(entities).toEqual(['urn:li:dataset:(urn:li:dataPlatform:mlflow,data,PROD)', ORDERS]);
  });

  it('is linked to nothing where its source says nothing, which is counted', () => {
    const found = linked('spark', '{"sql": "SELECT 1"}');
    expect(found.dataset).toBeUndefined();
    expect(found.skipped).toEqual({
      'link to where a dataset is: its source (spark) names no dataset of a known platform': 1,
    });
  });

  it('is linked to nothing where its source is malformed, with a warning', () => {
    const { dataset, warnings } = linked('s3', 's3://lake/a');
    expect(dataset).toBeUndefined();
    expect(warnings).toEqual([['MALFORMED_DATASET_SOURCE', 'dataset data of run aa11']]);
  });

  it('that is local is nowhere else, whatever its source says', () => {
    expect(linked('local', '{"uri": "s3://lake/a"}')).toMatchObject({ warnings: [], skipped: {} });
    expect(linked('local', '{"uri": "s3://lake/a"}').dataset).toBeUndefined();
    expect(linked('code', 'x').dataset).toBeUndefined();
  });
});
