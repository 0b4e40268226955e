import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runUrn, userUrn, experimentUrn } from '../../../src/datahub/urn.js';
import { dataset, run, runRecord, server, version } from '../records.js';
import { aspectsOf, map, pairs } from './mapped.js';

const ofRun = (...args: Parameters<typeof map>) => aspectsOf('dataProcessInstance', ...args);
const metric = (key: string, value: number) => ({ key, value, timestamp: 1, step: 0 });
const PLATFORM = 'urn:li:dataPlatform:mlflow';

describe('a run', () => {
  it('becomes a dataProcessInstance in the container of its experiment', () => {
    const record = runRecord({
      params: pairs({ lr: '0.1' }),
      metrics: [metric('f1', 1), metric('loss', 1e-5)],
    });
    expect(ofRun(record)).toEqual({
      dataProcessInstanceProperties: {
        customProperties: {},
        externalUrl: 'http://host:5000/#/experiments/7/runs/aa11',
        name: 'first',
        created: { time: 1_000, actor: userUrn('ada') },
      },
      container: { container: experimentUrn('churn') },
      mlTrainingRunProperties: {
        customProperties: {},
        id: 'aa11',
        outputUrls: ['s3://bucket/aa11'],
        hyperParams: [{ name: 'lr', value: '0.1' }],
        trainingMetrics: [
          { name: 'f1', value: '1.0' },
          { name: 'loss', value: '1e-05' },
        ],
      },
      dataProcessInstanceRunEvent: {
        timestampMillis: 3_500,
        partitionSpec: { partition: 'FULL_TABLE_SNAPSHOT', type: 'FULL_TABLE' },
        status: 'COMPLETE',
        result: { type: 'SUCCESS', nativeResultType: 'mlflow' },
        durationMillis: 2_500,
      },
      dataPlatformInstance: { platform: PLATFORM },
      subTypes: { typeNames: ['ML Training Run'] },
      status: { removed: false },
    });
    expect(new Set(map(record).proposals.map(({ entityUrn }) => entityUrn))).toEqual(
      new Set([runUrn('aa11'), userUrn('ada')]),
    );
  });

  it('comes with the platformResource of its user', () => {
    expect(aspectsOf('platformResource', runRecord())).toEqual({
      platformResourceInfo: { resourceType: 'user', primaryKey: 'ada' },
      status: { removed: false },
    });
    expect(aspectsOf('platformResource', runRecord({ userId: '' }))).toMatchObject({
      platformResourceInfo: { primaryKey: 'mlflow' },
    });
  });

  it('is nested in another', () => {
    const tags = pairs({ 'mlflow.parentRunId': 'bb22' });
    expect(ofRun(runRecord({ tags }))['dataProcessInstanceRelationships']).toEqual({
      parentInstance: runUrn('bb22'),
      upstreamInstances: [],
    });
    const outer = pairs({ 'mlflow.parentRunId': '' });
    expect(ofRun(runRecord({ tags: outer }))).not.toHaveProperty(
      'dataProcessInstanceRelationships',
    );
    const inWorkspace = { ...runRecord({ tags }), server: { ...server, workspace: 'team-a' } };
    expect(ofRun(inWorkspace)['dataProcessInstanceRelationships']).toMatchObject({
      parentInstance: runUrn('bb22', 'team-a'),
    });
  });

  it('carries its tags', () => {
    const tags = pairs({ b: '2', 'mlflow.user': 'ada', a: '' });
    const { customProperties } = ofRun(runRecord({ tags }))['dataProcessInstanceProperties'] ?? {};
    expect(JSON.stringify(customProperties)).toBe('{"a":"","b":"2","mlflow.user":"ada"}');
  });

  it('takes keys such as __proto__ and constructor for data', () => {
    const tags = [
      { key: '__proto__', value: 'p' },
      { key: 'constructor', value: 'c' },
      { key: 'toString', value: 't' },
    ];
    const aspects = ofRun(runRecord({ tags, params: tags }));
    expect(JSON.stringify(aspects['dataProcessInstanceProperties']?.['customProperties'])).toBe(
      '{"__proto__":"p","constructor":"c","toString":"t"}',
    );
    expect(aspects['mlTrainingRunProperties']?.['hyperParams']).toEqual(
      tags.map(({ key, value }) => ({ name: key, value })),
    );
  });

  it('is linked to all of its model versions', () => {
    const versions = [version({ version: '2' }), version(), version({ name: 'a,b' })];
    expect(ofRun(runRecord({}, versions))['dataProcessInstanceOutput']).toEqual({
      outputs: [],
      outputEdges: [
        { destinationUrn: `urn:li:mlModel:(${PLATFORM},churn_2,PROD)` },
        { destinationUrn: `urn:li:mlModel:(${PLATFORM},churn_3,PROD)` },
        { destinationUrn: `urn:li:mlModel:(${PLATFORM},a%2Cb_3,PROD)` },
      ],
    });
  });

  it('is linked to the datasets that it read, hosted or not', () => {
    const datasetInputs = [
      { dataset: dataset(), tags: [] },
      { dataset: dataset({ name: 'sales', sourceType: 's3' }), tags: [] },
      { dataset: dataset({ name: 'other', sourceType: 'unheard of' }), tags: [] },
    ];
    const edges = ['data', 'sales', 'other'].map((name) => ({
      destinationUrn: `urn:li:dataset:(${PLATFORM},${name},PROD)`,
    }));
    for (const materializeDatasetInputs of [false, true]) {
      const { proposals } = map(runRecord({ datasetInputs }), { materializeDatasetInputs });
      const [input] = proposals.filter(({ aspectName }) => aspectName.endsWith('Input'));
      expect(input?.aspect).toEqual({ inputs: [], inputEdges: edges });
      // The datasets themselves come from their own records.
      expect(proposals.filter(({ entityType }) => entityType === 'dataset')).toEqual([]);
    }
  });

  it('is named by its id where it has no name', () => {
    const { runName, ...nameless } = run();
    expect(runName).toBeDefined();
    for (const each of [nameless, run({ runName: '' })]) {
      expect(ofRun({ ...runRecord(), run: each })).toMatchObject({
        dataProcessInstanceProperties: { name: 'aa11' },
      });
    }
  });

  it('leaves out what is not known', () => {
    const { artifactUri, ...bare } = run();
    const { webUrl, ...database } = server;
    expect([artifactUri, webUrl]).not.toContain(undefined);
    const aspects = ofRun({ ...runRecord(), run: bare, server: database });
    expect(aspects['dataProcessInstanceProperties']).not.toHaveProperty('externalUrl');
    expect(aspects['mlTrainingRunProperties']).not.toHaveProperty('outputUrls');
    expect(aspects).not.toHaveProperty('dataProcessInstanceInput');
    expect(aspects).not.toHaveProperty('dataProcessInstanceOutput');
  });

  it('sorts tags, parameters and metrics', () => {
    const keys = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 8 });
    fc.assert(
      fc.property(
        keys.chain((list) =>
          fc.tuple(
            fc.shuffledSubarray(list, { minLength: list.length }),
            fc.shuffledSubarray(list, { minLength: list.length }),
          ),
        ),
        ([one, other]) => {
          const record = (list: string[]) =>
            runRecord({
              tags: list.map((key) => ({ key, value: `t${key}` })),
              params: list.map((key) => ({ key, value: `p${key}` })),
              metrics: list.map((key) => metric(key, key.length)),
            });
          expect(JSON.stringify(map(record(one)))).toBe(JSON.stringify(map(record(other))));
        },
      ),
    );
  });
});

describe('the event of a run', () => {
  const event = (parts: Parameters<typeof run>[0]) => {
    const { endTime, ...rest } = run(parts);
    const record = {
      ...runRecord(),
      run: parts?.endTime === undefined ? rest : { ...rest, endTime },
    };
    const { proposals, warnings } = map({ ...record, run: record.run as ReturnType<typeof run> });
    const found = proposals.find(({ aspectName }) => aspectName.endsWith('RunEvent'));
    return { event: found?.aspect, warnings };
  };

  it.each([
    ['FINISHED', 'SUCCESS'],
    ['FAILED', 'FAILURE'],
    ['KILLED', 'SKIPPED'],
    ['RUNNING', 'SKIPPED'],
    ['SCHEDULED', 'SKIPPED'],
  ])('that ended as %s is COMPLETE with %s', (status, type) => {
    expect(event({ status, endTime: 2_000 })).toEqual({
      event: expect.objectContaining({
        status: 'COMPLETE',
        result: { type, nativeResultType: 'mlflow' },
        timestampMillis: 2_000,
        durationMillis: 1_000,
      }) as unknown,
      warnings: [],
    });
  });

  it('with a status that is not known is SKIPPED, with a warning', () => {
    const { event: seen, warnings } = event({ status: 'PAUSED', endTime: 2_000 });
    expect(seen).toMatchObject({ result: { type: 'SKIPPED' } });
    expect(warnings).toEqual([['UNKNOWN_RUN_STATUS', 'run aa11: PAUSED']]);
  });

  it('that is running is STARTED', () => {
    expect(event({ status: 'RUNNING' }).event).toEqual({
      timestampMillis: 1_000,
      partitionSpec: { partition: 'FULL_TABLE_SNAPSHOT', type: 'FULL_TABLE' },
      status: 'STARTED',
    });
  });

  it('that waits, or ended nobody knows when, is not there', () => {
    for (const status of ['SCHEDULED', 'FINISHED', 'PAUSED']) {
      expect(event({ status })).toEqual({ event: undefined, warnings: [] });
    }
  });

  it('without a start has no duration, and time 0 is its creation: the clock is never asked', () => {
    const { event: seen } = event({ startTime: 0, endTime: 2_000 });
    expect(seen).toMatchObject({ status: 'COMPLETE', timestampMillis: 2_000 });
    expect(seen).not.toHaveProperty('durationMillis');
    expect(event({ startTime: 0, status: 'RUNNING' }).event).toBeUndefined();
    expect(ofRun(runRecord({ startTime: 0 }))).toMatchObject({
      dataProcessInstanceProperties: { created: { time: 0 } },
    });
  });
});
