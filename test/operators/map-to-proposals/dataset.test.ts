import { describe, expect, it } from 'vitest';
import type { MapToProposalsOptions } from '../../../src/operators/map-to-proposals/index.js';
import { datasetRecord, use } from '../records.js';
import { map } from './mapped.js';

const PLATFORM = 'urn:li:dataPlatform:mlflow';
const urnOf = (platform: string, name = 'data') =>
  `urn:li:dataset:(urn:li:dataPlatform:${platform},${name},PROD)`;
const colspec = (...columns: unknown[]) => JSON.stringify({ mlflow_colspec: columns });
const TENSOR = '{"mlflow_tensorspec": {"features": []}}';

/** Aspects by URN and name. */
function aspects(uses: ReturnType<typeof use>[], options: MapToProposalsOptions = {}) {
  const { proposals, warnings, rejected } = map(datasetRecord(...uses), options);
  expect(rejected).toEqual([]);
  const byUrn: Record<string, Record<string, unknown>> = {};
  for (const { entityType, entityUrn, aspectName, aspect } of proposals) {
    expect(entityType).toBe('dataset');
    byUrn[entityUrn] = { ...byUrn[entityUrn], [aspectName]: aspect };
  }
  return { byUrn, warnings };
}

const field = (name: string, type: string, nativeDataType: string) => ({
  fieldPath: name,
  nullable: false,
  type: { type: { [`com.linkedin.schema.${type}`]: {} } },
  nativeDataType,
  recursive: false,
  isPartOfKey: false,
});

describe('a dataset', () => {
  it('that is local becomes a dataset of MLflow', () => {
    const schema = colspec({ name: 'id', type: 'long', required: true });
    const { byUrn, warnings } = aspects([use({ schema }, { 'mlflow.data.context': 'training' })]);
    expect(byUrn).toEqual({
      [urnOf('mlflow')]: {
        dataPlatformInstance: { platform: PLATFORM },
        schemaMetadata: {
          schemaName: '',
          platform: PLATFORM,
          version: 0,
          created: { time: 0, actor: 'urn:li:corpuser:unknown' },
          lastModified: { time: 0, actor: 'urn:li:corpuser:unknown' },
          hash: '',
          platformSchema: { 'com.linkedin.schema.Schemaless': {} },
          fields: [field('id', 'NumberType', 'long')],
        },
        datasetProperties: { customProperties: { 'mlflow.data.context': 'training' }, tags: [] },
        status: { removed: false },
      },
    });
    expect(warnings).toEqual([]);
  });

  it('of an instance is a copy of what goes by its name without one, unless it is in a workspace', () => {
    const options = { sourceMappingToPlatform: { s3: 'mlflow' }, materializeDatasetInputs: true };
    const record = datasetRecord(use({ sourceType: 's3' }));
    const urns = (given: typeof record) => [
      ...new Set(
        map(given, options, { platformInstance: 'eu' }).proposals.map(({ entityUrn }) => entityUrn),
      ),
    ];
    expect(urns(record)).toEqual([urnOf('mlflow', 'eu.data'), urnOf('mlflow')]);
    expect(urns({ ...record, server: { ...record.server, workspace: 'team-a' } })).toEqual([
      urnOf('mlflow', 'eu.@team-a/data'),
    ]);
  });

  it('that is hosted by a platform of DataHub is a copy of it', () => {
    const { byUrn } = aspects([use({ sourceType: 'S3' })]);
    expect(Object.keys(byUrn)).toEqual([urnOf('mlflow')]);
    expect(byUrn[urnOf('mlflow')]?.['upstreamLineage']).toEqual({
      upstreams: [
        {
          auditStamp: { time: 0, actor: 'urn:li:corpuser:unknown' },
          dataset: urnOf('s3'),
          type: 'COPY',
        },
      ],
    });
  });

  it.each([
    ['gs', 'gcs'],
    ['snowflake', 'snowflake'],
    ['delta-lake', 'delta-lake'],
    ['Hugging_Face', 'huggingface'],
    ['s3', 'minio'],
    ['urn', 'iceberg'],
    ['http', undefined],
    ['delta_table', undefined],
    ['local', undefined],
    ['code', undefined],
    // Local is only what is spelled so.
    ['Local', undefined],
    ['mine', undefined],
    ['constructor', undefined],
  ])('with the source type %s is hosted by %s', (sourceType, platform) => {
    const sourceMappingToPlatform = {
      HUGGING_FACE: 'huggingface',
      s3: 'minio',
      urn: 'urn:li:dataPlatform:iceberg',
      // Nothing is a copy of itself.
      mine: 'mlflow',
    };
    const { byUrn } = aspects([use({ sourceType })], { sourceMappingToPlatform });
    const lineage = byUrn[urnOf('mlflow')]?.['upstreamLineage'] as
      { upstreams: { dataset: string }[] } | undefined;
    expect(lineage?.upstreams.map(({ dataset }) => dataset)).toEqual(
      platform === undefined ? undefined : [urnOf(platform)],
    );
  });

  it('is described by the last of its uses alone', () => {
    const { byUrn } = aspects([
      use({ sourceType: 's3', schema: colspec({ name: 'a', type: 'long' }) }, { note: 'first' }),
      use({ sourceType: 'local', schema: TENSOR }, { context: 'last' }),
    ]);
    expect(byUrn).toEqual({
      [urnOf('mlflow')]: {
        dataPlatformInstance: { platform: PLATFORM },
        datasetProperties: { customProperties: { context: 'last', schema: TENSOR }, tags: [] },
        status: { removed: false },
      },
    });
  });

  it('is materialized where it is hosted, as the last use there describes it', () => {
    const schema = colspec({ name: 'a', type: 'string' });
    const { byUrn, warnings } = aspects(
      [
        use({ sourceType: 'gs' }, { note: 'older' }),
        use({ sourceType: 's3', schema: TENSOR }, { note: 's3' }),
        use({ sourceType: 'gcs', schema }, { note: 'newer' }),
        use({ sourceType: 'local' }),
      ],
      { materializeDatasetInputs: true },
    );
    expect(Object.keys(byUrn)).toEqual([urnOf('mlflow'), urnOf('gcs'), urnOf('s3')]);
    expect(byUrn[urnOf('gcs')]).toEqual({
      dataPlatformInstance: { platform: 'urn:li:dataPlatform:gcs' },
      schemaMetadata: expect.objectContaining({
        platform: 'urn:li:dataPlatform:gcs',
        fields: [field('a', 'StringType', 'string')],
      }) as unknown,
      datasetProperties: { customProperties: { note: 'newer' }, tags: [] },
      status: { removed: false },
    });
    expect(byUrn[urnOf('s3')]).toEqual({
      dataPlatformInstance: { platform: 'urn:li:dataPlatform:s3' },
      datasetProperties: { customProperties: { note: 's3', schema: TENSOR }, tags: [] },
      status: { removed: false },
    });
    expect(warnings).toEqual([]);
  });

  it('is described by one of the datasets that are there, the same one each time', () => {
    const source = '{"uri": "s3://lake/sales.csv"}';
    const named = (name: string, startTime: number) => ({
      ...datasetRecord({ ...use({ name, sourceType: 's3', source }, { note: name }), startTime }),
      name,
    });
    const { proposals, skipped } = map([named('eval', 2000), named('train', 1000)], {
      datasetLineage: 'source',
      materializeDatasetInputs: true,
    });
    const hosted = proposals.filter(({ entityUrn }) => entityUrn === urnOf('s3', 'lake/sales.csv'));
    expect(hosted.map(({ aspectName }) => aspectName)).toEqual([
      'dataPlatformInstance',
      'datasetProperties',
      'status',
    ]);
    expect(hosted[1]?.aspect).toMatchObject({ customProperties: { note: 'eval' } });
    expect(skipped).toEqual({ 'hosted dataset: described by another one before': 1 });
  });

  it('whose platform is not known is kept, with a warning where it was to be materialized', () => {
    const uses = [use({ sourceType: 'http' })];
    const kept = aspects(uses);
    expect(kept.warnings).toEqual([]);
    expect(aspects(uses, { materializeDatasetInputs: true })).toEqual({
      byUrn: kept.byUrn,
      warnings: [['UNKNOWN_DATASET_PLATFORM', 'dataset data: http']],
    });
  });

  it('loses the link to a host whose URN DataHub would refuse', () => {
    const platform = 'x'.repeat(500);
    const { byUrn, warnings } = aspects([use({ sourceType: 's3' })], {
      sourceMappingToPlatform: { s3: platform },
      materializeDatasetInputs: true,
    });
    expect(Object.keys(byUrn)).toEqual([urnOf('mlflow')]);
    expect(byUrn[urnOf('mlflow')]).not.toHaveProperty('upstreamLineage');
    expect(warnings).toEqual([['UNLINKED_DATASET', expect.stringMatching(/5\d\d bytes/)]]);
  });

  it('without uses becomes nothing', () => {
    expect(aspects([]).byUrn).toEqual({});
  });

  it('is in PROD and carries the platform instance, its host does not', () => {
    const { proposals } = map(
      datasetRecord(use({ sourceType: 's3' })),
      { materializeDatasetInputs: true },
      { env: 'DEV', platformInstance: 'eu' },
    );
    const instances = proposals.filter(({ aspectName }) => aspectName === 'dataPlatformInstance');
    expect(instances.map(({ entityUrn, aspect }) => [entityUrn, aspect])).toEqual([
      [
        urnOf('mlflow', 'eu.data'),
        { platform: PLATFORM, instance: `urn:li:dataPlatformInstance:(${PLATFORM},eu)` },
      ],
      [urnOf('s3'), { platform: 'urn:li:dataPlatform:s3' }],
    ]);
  });
});

describe('the schema of a dataset', () => {
  const schemaOf = (schema: string) => {
    const { byUrn, warnings } = aspects([use({ schema })]);
    const { schemaMetadata, datasetProperties } = byUrn[urnOf('mlflow')] ?? {};
    return {
      fields: (schemaMetadata as { fields: unknown[] } | undefined)?.fields,
      properties: (datasetProperties as { customProperties: object }).customProperties,
      warnings,
    };
  };

  // What acryl-datahub's resolve_sql_type gives for the types that MLflow's columns have.
  it.each([
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
    ['object', 'NullType'],
    ['sparkml_vector', 'NullType'],
    ['constructor', 'NullType'],
  ])('has columns of the type %s as %s', (type, wanted) => {
    expect(schemaOf(colspec({ name: 'x', type })).fields).toEqual([field('x', wanted, type)]);
  });

  it('keeps the first of columns with one name, and none without', () => {
    const schema = colspec(
      { name: 'a', type: 'long' },
      { name: '', type: 'long' },
      { name: 'a', type: 'string' },
      { name: '__proto__', type: 'string' },
    );
    expect(schemaOf(schema)).toEqual({
      fields: [field('a', 'NumberType', 'long'), field('__proto__', 'StringType', 'string')],
      properties: {},
      warnings: [],
    });
    expect(schemaOf(colspec()).fields).toEqual([]);
  });

  it.each([
    TENSOR,
    'null',
    '5',
    '[]',
    '"text"',
    colspec({ type: 'long' }),
    colspec({ name: 'a' }),
    colspec({ name: 'a', type: { type: 'array' } }),
    colspec(null),
    '{"mlflow_colspec": {"name": "a"}}',
    '{"__proto__": {"mlflow_colspec": []}}',
  ])('that is no list of named columns is a property: %s', (schema) => {
    expect(schemaOf(schema)).toEqual({ fields: undefined, properties: { schema }, warnings: [] });
  });

  it('has tensors with names as columns, beside the property', () => {
    const tensor = (dtype: unknown, shape: unknown, name?: unknown) => ({
      type: 'tensor',
      'tensor-spec': { dtype, shape },
      name,
    });
    const spec = (features: unknown, targets?: unknown) =>
      JSON.stringify({
        mlflow_tensorspec: {
          features: typeof features === 'string' ? features : JSON.stringify(features),
          targets: targets === undefined ? null : JSON.stringify(targets),
        },
      });
    const schema = spec(
      [tensor('float64', [-1, 3], 'pixels'), tensor('int64', [-1]), tensor(5, [1], 'no type')],
      [tensor('str', 'none', 'label')],
    );
    expect(schemaOf(schema)).toEqual({
      fields: [
        field('pixels', 'ArrayType', 'tensor(float64, [-1, 3])'),
        field('no type', 'ArrayType', 'tensor'),
        field('label', 'ArrayType', 'tensor(str)'),
      ],
      properties: { schema },
      warnings: [],
    });
    for (const none of [spec('{'), spec('5'), spec([null, 5]), spec([tensor('int8', [1])])]) {
      expect(schemaOf(none).fields, none).toBeUndefined();
    }
  });

  it('that is not JSON is a property, with a warning', () => {
    expect(schemaOf('{"mlflow')).toEqual({
      fields: undefined,
      properties: { schema: '{"mlflow' },
      warnings: [['MALFORMED_DATASET_SCHEMA', 'dataset data of run aa11']],
    });
  });
});
