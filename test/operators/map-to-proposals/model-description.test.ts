import { describe, expect, it } from 'vitest';
import type { MapToProposalsOptions } from '../../../src/operators/map-to-proposals/index.js';
import type { Run } from '../../../src/mlflow/types.js';
import { run, versionRecord } from '../records.js';
import { aspectsOf, map, pairs } from './mapped.js';

const INPUTS =
  '[{"name": "age", "type": "long", "required": true}, {"name": "a,b", "type": "odd"}]';
const logged = (path: string, parts: object = {}) => ({
  artifact_path: path,
  flavors: { sklearn: {}, python_function: { python_version: '3.11.7' } },
  ...parts,
});
const runWith = (...models: object[]): Run =>
  run({ tags: pairs({ 'mlflow.log-model.history': JSON.stringify(models) }) });

const propertiesOf = (source: string | undefined, of: Run, tags = {}) => {
  const version = { tags: pairs(tags), ...(source === undefined ? {} : { source }) };
  const { customProperties } = aspectsOf('mlModel', versionRecord(version, of))[
    'mlModelProperties'
  ] as { customProperties: Record<string, string> };
  return customProperties;
};

describe('a version of a model that was logged in its run', () => {
  const full = runWith(
    logged('model', { flavors: { onnx: {} } }),
    logged('model', {
      mlflow_version: '1.28.0',
      signature: { inputs: INPUTS, outputs: '[]', params: '[{"name": "k"}]' },
    }),
    logged('sub/model', { flavors: { spark: {} } }),
  );

  it('tells what was noted of it, when it was logged last', () => {
    expect(propertiesOf('s3://bucket/7/aa11/artifacts/model', full)).toEqual({
      'mlflow.flavors': 'python_function, sklearn',
      'mlflow.mlflow_version': '1.28.0',
      'mlflow.python_version': '3.11.7',
      'mlflow.signature.inputs': INPUTS,
      'mlflow.signature.outputs': '[]',
      'mlflow.signature.params': '[{"name": "k"}]',
    });
  });

  it.each([
    ['runs:/aa11/sub/model', 'spark'],
    ['mlflow-artifacts:/7/aa11/artifacts/sub/model/', 'spark'],
    ['dbfs:/databricks/mlflow-tracking/7/aa11/artifacts/sub/model', 'spark'],
    ['s3://bucket/7/aa11/artifacts/other', undefined],
    ['s3://bucket/7/bb22/artifacts/model', undefined],
    ['models:/m-0a1b', undefined],
    [undefined, undefined],
  ])('is told by its source: %s', (source, flavors) => {
    expect(propertiesOf(source, full)['mlflow.flavors']).toBe(flavors);
  });

  it('has its own tags first', () => {
    const custom = propertiesOf('runs:/aa11/model', full, { 'mlflow.flavors': 'mine' });
    expect(custom['mlflow.flavors']).toBe('mine');
  });

  it('tells nothing where nothing was noted, and warns of what is no list', () => {
    expect(propertiesOf('runs:/aa11/model', runWith(logged('model', { flavors: {} })))).toEqual({});
    expect(propertiesOf('runs:/aa11/model', run())).toEqual({});
    const broken = run({ tags: pairs({ 'mlflow.log-model.history': '{' }) });
    const { proposals, rejected, warnings } = map(
      versionRecord({ source: 'runs:/aa11/m' }, broken),
    );
    expect([proposals.length, rejected]).toEqual([7, []]);
    expect(warnings).toEqual([['MALFORMED_MODEL_HISTORY', 'model version churn 3 of run aa11']]);
  });
});

describe('with modelFeatures, a version', () => {
  const features = (inputs: unknown, options: MapToProposalsOptions = { modelFeatures: true }) => {
    const of = runWith(logged('model', { signature: { inputs } }));
    const { proposals, warnings } = map(versionRecord({ source: 'runs:/aa11/model' }, of), options);
    const model = proposals.find(({ aspectName }) => aspectName === 'mlModelProperties')?.aspect;
    return {
      linked: model?.['mlFeatures'],
      proposals: proposals.filter(({ entityType }) => entityType === 'mlFeature'),
      warnings,
    };
  };
  const AGE = 'urn:li:mlFeature:(mlflow.PROD.churn_3,age)';

  it('has its inputs as features of its own', () => {
    const { linked, proposals, warnings } = features(INPUTS);
    expect(linked).toEqual([AGE, 'urn:li:mlFeature:(mlflow.PROD.churn_3,a%2Cb)']);
    expect(
      proposals
        .filter(({ entityUrn }) => entityUrn === AGE)
        .map(({ aspectName, aspect }) => [aspectName, aspect]),
    ).toEqual([
      [
        'mlFeatureProperties',
        { customProperties: { type: 'long', required: 'true' }, dataType: 'ORDINAL' },
      ],
      ['dataPlatformInstance', { platform: 'urn:li:dataPlatform:mlflow' }],
      ['status', { removed: false }],
    ]);
    expect(proposals[3]?.aspect).toMatchObject({ dataType: 'UNKNOWN' });
    // State removes them with the version.
    expect(proposals.filter(({ origin }) => origin === 'version 3 churn')).toHaveLength(2);
    expect(warnings).toEqual([]);
  });

  it('has none where its inputs have no names, are not known, or were not asked for', () => {
    const none = { linked: undefined, proposals: [], warnings: [] };
    expect(features('[{"type": "double"}]')).toEqual(none);
    expect(features(undefined)).toEqual(none);
    expect(features(INPUTS, {})).toEqual(none);
  });

  it('warns of a signature that is none, and of a feature that DataHub would refuse', () => {
    expect(features('{').warnings).toEqual([['MALFORMED_SIGNATURE', 'model version churn 3']]);
    const long = JSON.stringify([{ name: 'x'.repeat(600), type: 'long' }]);
    expect(features(long)).toMatchObject({
      linked: undefined,
      proposals: [],
      warnings: [['UNLINKED_FEATURE', expect.stringContaining('bytes') as string]],
    });
  });
});
