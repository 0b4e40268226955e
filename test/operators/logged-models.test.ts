import { describe, expect, it } from 'vitest';
import { mlModelUrn, runUrn } from '../../src/datahub/urn.js';
import type { ModelVersion } from '../../src/mlflow/types.js';
import type { MapToProposalsOptions } from '../../src/operators/map-to-proposals/index.js';
import { redact } from '../../src/operators/redact.js';
import { reviveRecord } from '../../src/mlflow/revive-record.js';
import { aspectsOf, map } from './map-to-proposals/mapped.js';
import { outputOf } from './operator-cases.js';
import { loggedModelRecord, versionRecord } from './records.js';

const urnOf = (modelId: string, modelNameSeparator = '_'): string | undefined =>
  map(loggedModelRecord({ modelId }), {}, { modelNameSeparator }).proposals[0]?.entityUrn;

describe('a logged model', () => {
  it('is named by its id', () => {
    expect(urnOf('m-1a')).toBe(mlModelUrn('m-1a'));
    expect(urnOf('m-12', 'x')).toBe(mlModelUrn('m-12'));
  });

  it.each([
    ['m-ab', '12', 'c'],
    ['m', '0012', '-'],
    ['m-1', '1', '1'],
  ])('is never what version %s %s with the separator "%s" is', (name, version, separator) => {
    const theirs = map(versionRecord({ name, version }), {}, { modelNameSeparator: separator });
    const modelId = `${name}${separator}${version}`;
    expect(theirs.proposals[0]?.entityUrn).toBe(mlModelUrn(modelId));
    expect(urnOf(modelId, separator)).toBe(mlModelUrn(`${modelId}/`));
  });

  it('knows the run that made it, and the others that measured it', () => {
    const metric = (runId: string) => ({ key: runId, value: 1, timestamp: 0, step: 0, runId });
    const { mlModelProperties } = aspectsOf(
      'mlModel',
      loggedModelRecord({ sourceRunId: 'b', metrics: ['c', 'b', 'a', 'c'].map(metric) }),
    );
    expect(mlModelProperties).toMatchObject({
      trainingJobs: [runUrn('b')],
      downstreamJobs: [runUrn('a'), runUrn('c')],
    });
    const bare = aspectsOf('mlModel', loggedModelRecord({ metrics: [] }));
    expect(bare['mlModelProperties']).toMatchObject({ trainingJobs: [] });
    expect(bare['mlModelProperties']).not.toHaveProperty('downstreamJobs');
  });

  it('has its own tags first', () => {
    const tags = [
      { key: 'mlflow.status', value: 'mine' },
      { key: 'status', value: 'approved' },
    ];
    const { mlModelProperties } = aspectsOf('mlModel', loggedModelRecord({ modelId: 'm-1', tags }));
    expect(mlModelProperties?.['customProperties']).toMatchObject({
      'mlflow.model_id': 'm-1',
      'mlflow.status': 'mine',
      status: 'approved',
    });
  });

  it('is named by the versions that were made from it, where it is asked for', () => {
    const made = { source: 'models:/m-1a2b', status: 'FAILED_REGISTRATION' };
    const named = (version: Partial<ModelVersion>, options: MapToProposalsOptions = {}) =>
      JSON.stringify(
        aspectsOf('mlModel', versionRecord(version), options)['mlModelProperties']?.[
          'customProperties'
        ],
      );
    const on = { loggedModels: true };
    expect(named(made, on)).toBe(
      '{"mlflow.model_id":"m-1a2b","mlflow.status":"FAILED_REGISTRATION"}',
    );
    expect(named(made)).toBe('{"mlflow.status":"FAILED_REGISTRATION"}');
    expect(named({ source: 'models:/churn/3' }, on)).toBe('{}');
    expect(named({}, on)).toBe('{}');
    const tags = [{ key: 'mlflow.model_id', value: 'mine' }];
    expect(named({ source: 'models:/m-1a2b', tags }, on)).toBe('{"mlflow.model_id":"mine"}');
  });

  it('keeps to itself what is redacted', () => {
    const tags = [{ key: 'phone', value: '555' }];
    const [record] = outputOf(
      redact({ drop: { tags: 'phone', params: 'depth' } }),
      loggedModelRecord({ tags }),
    );
    expect(record).toMatchObject({ model: { tags: [], params: [] } });
    expect(record).toHaveProperty('model.metrics.length', 1);
  });

  it('is taken up again from a dead letter, with its numbers', () => {
    const metrics = [{ key: 'f1', value: NaN, timestamp: 0, step: 0 }];
    const record = loggedModelRecord({ metrics });
    const written: unknown = JSON.parse(
      JSON.stringify(record, (_, value: unknown) => (Number.isNaN(value) ? 'NaN' : value)),
    );
    expect(reviveRecord(written)).toEqual(record);
  });
});
