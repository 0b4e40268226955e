import { describe, expect, it } from 'vitest';
import { runUrn, userUrn, versionSetUrn } from '../../../src/datahub/urn.js';
import { loggedModel, modelRecord, run, runRecord, server, versionRecord } from '../records.js';
import { aspectsOf, map, pairs } from './mapped.js';

const ofModel = (...args: Parameters<typeof map>) => aspectsOf('mlModelGroup', ...args);
const ofVersion = (...args: Parameters<typeof map>) => aspectsOf('mlModel', ...args);
const PLATFORM = 'urn:li:dataPlatform:mlflow';
const GROUP = `urn:li:mlModelGroup:(${PLATFORM},churn,PROD)`;

describe('a registered model', () => {
  it('becomes an mlModelGroup, its version the highest', () => {
    const record = modelRecord({
      description: 'Who leaves.',
      tags: pairs({ b: '2', a: '1' }),
      latestVersion: '11',
    });
    expect(ofModel(record)).toEqual({
      mlModelGroupProperties: {
        customProperties: { a: '1', b: '2' },
        externalUrl: 'http://host:5000/#/models/churn',
        name: 'churn',
        description: 'Who leaves.',
        created: { time: 10 },
        lastModified: { time: 20 },
        version: {
          versionTag: '11',
          metadataAttribution: { time: 20, actor: 'urn:li:corpuser:datahub', sourceDetail: {} },
        },
      },
      dataPlatformInstance: { platform: PLATFORM },
      subTypes: { typeNames: ['ML Model Group'] },
      browsePathsV2: { path: [] },
      status: { removed: false },
    });
  });

  it('without versions has no version tag, and without a description none', () => {
    const { mlModelGroupProperties = {} } = ofModel(modelRecord());
    expect(mlModelGroupProperties['version']).toEqual({
      metadataAttribution: { time: 20, actor: 'urn:li:corpuser:datahub', sourceDetail: {} },
    });
    expect(mlModelGroupProperties).not.toHaveProperty('description');
  });
});

describe('a model version', () => {
  it('becomes an mlModel of the group, with what its run measured', () => {
    const ofRun = run({
      params: pairs({ lr: '0.1' }),
      metrics: [{ key: 'f1', value: NaN, timestamp: 1, step: 0 }],
    });
    const record = versionRecord(
      {
        currentStage: 'Production',
        description: 'The third.',
        tags: pairs({ b: 'x:y', a: '1' }),
        aliases: ['old', 'champion'],
        userId: 'ada',
      },
      ofRun,
    );
    expect(ofVersion(record)).toEqual({
      mlModelProperties: {
        customProperties: { a: '1', b: 'x:y' },
        externalUrl: 'http://host:5000/#/models/churn/versions/3',
        trainingJobs: [runUrn('aa11')],
        name: 'churn_3',
        description: 'The third.',
        created: { time: 30, actor: userUrn('ada') },
        lastModified: { time: 40 },
        hyperParams: [{ name: 'lr', value: '0.1' }],
        trainingMetrics: [{ name: 'f1', value: 'nan' }],
        tags: ['a:1', 'b:x:y'],
        groups: [GROUP],
      },
      versionProperties: {
        versionSet: versionSetUrn('churn'),
        version: {
          versionTag: '3',
          metadataAttribution: { time: 30, actor: 'urn:li:corpuser:datahub', sourceDetail: {} },
        },
        aliases: [{ versionTag: 'champion' }, { versionTag: 'old' }],
        sortId: '0000000003',
        versioningScheme: 'LEXICOGRAPHIC_STRING',
      },
      globalTags: { tags: [{ tag: 'urn:li:tag:mlflow_production' }] },
      dataPlatformInstance: { platform: PLATFORM },
      subTypes: { typeNames: ['ML Model'] },
      browsePathsV2: { path: [{ id: GROUP, urn: GROUP }] },
      status: { removed: false },
    });
  });

  it('that is not READY says so', () => {
    const customOf = (parts: object) =>
      ofVersion(versionRecord(parts))['mlModelProperties']?.['customProperties'];
    expect(customOf({ status: 'FAILED_REGISTRATION', statusMessage: 'No artifact.' })).toEqual({
      'mlflow.status': 'FAILED_REGISTRATION',
      'mlflow.status_message': 'No artifact.',
    });
    expect(customOf({ status: 'NEW' })).toEqual({ 'mlflow.status': 'NEW' });
    expect(customOf({ status: 'UNKNOWN' })).toEqual({});
  });

  it('says how far its deployment is, and its model with which job', () => {
    const job = { id: '1', state: 'CONNECTED', runId: '2', runState: 'RUNNING', task: 'evaluate' };
    const tags = [{ key: 'mlflow.deployment_job.task', value: 'mine' }];
    const aspects = ofVersion(versionRecord({ deploymentJob: job, tags }));
    expect(aspects['mlModelProperties']?.['customProperties']).toEqual({
      'mlflow.deployment_job.id': '1',
      'mlflow.deployment_job.state': 'CONNECTED',
      'mlflow.deployment_job.run_id': '2',
      'mlflow.deployment_job.run_state': 'RUNNING',
      'mlflow.deployment_job.task': 'mine',
    });
    const deploymentJob = { id: '1', state: 'CONNECTED' };
    const group = ofModel(modelRecord({ deploymentJob }));
    expect(group['mlModelGroupProperties']).toMatchObject({
      customProperties: {
        'mlflow.deployment_job.id': '1',
        'mlflow.deployment_job.state': 'CONNECTED',
      },
    });
  });

  it('has its aliases as tags if asked for, which come with it', () => {
    const record = versionRecord({ aliases: ['old', 'champion'] });
    const { proposals } = map(record, { aliasTags: true });
    const tags = proposals.find(({ aspectName }) => aspectName === 'globalTags')?.aspect;
    expect(tags).toEqual({
      tags: ['mlflow_none', 'mlflow_alias_champion', 'mlflow_alias_old'].map((name) => ({
        tag: `urn:li:tag:${name}`,
      })),
    });
    expect(aspectsOf('tag', versionRecord({ aliases: ['old'] }), { aliasTags: true })).toEqual({
      tagProperties: {
        name: 'mlflow_alias_old',
        description: 'Alias old of a model version in MLflow Model Registry',
      },
      status: { removed: false },
    });
    expect(map(record).proposals.some(({ entityType }) => entityType === 'tag')).toBe(false);
  });

  it('has no tag for an alias whose URN DataHub would refuse', () => {
    const record = versionRecord({ aliases: ['ok', '愛'.repeat(60)] });
    const { proposals, warnings } = map(record, { aliasTags: true });
    const tags = proposals.find(({ aspectName }) => aspectName === 'globalTags')?.aspect['tags'];
    expect(tags).toEqual([
      { tag: 'urn:li:tag:mlflow_none' },
      { tag: 'urn:li:tag:mlflow_alias_ok' },
    ]);
    expect(warnings).toEqual([['UNLINKED_TAG', expect.stringContaining('churn 3') as string]]);
  });

  it('stands together, before what comes with it', () => {
    const record = {
      ...versionRecord({ aliases: ['ok'], currentStage: 'Odd', userId: 'ada' }),
      owner: 'grace',
    };
    const { proposals } = map(record, { aliasTags: true });
    const types = proposals.map(({ entityType }) => entityType);
    expect(types.lastIndexOf('mlModel')).toBe(
      types.filter((type) => type === 'mlModel').length - 1,
    );
    expect(new Set(types)).toEqual(new Set(['mlModel', 'tag', 'platformResource']));
  });

  it('comes with the platformResource of its creator', () => {
    expect(aspectsOf('platformResource', versionRecord({ userId: 'ada' }))).toEqual({
      platformResourceInfo: { resourceType: 'user', primaryKey: 'ada' },
      status: { removed: false },
    });
    const { proposals } = map(versionRecord());
    expect(proposals.some(({ entityType }) => entityType === 'platformResource')).toBe(false);
    expect(ofVersion(versionRecord())['mlModelProperties']?.['created']).toEqual({ time: 30 });
  });

  it('without a run has neither jobs nor measures', () => {
    const { mlModelProperties = {} } = ofVersion(versionRecord({ runId: 'gone' }));
    expect(mlModelProperties['trainingJobs']).toEqual([]);
    expect(mlModelProperties).not.toHaveProperty('hyperParams');
    expect(mlModelProperties).not.toHaveProperty('trainingMetrics');
  });

  it('without a run has what its logged model knows', () => {
    const record = versionRecord({ source: 'models:/m-1a' });
    const { mlModelProperties } = ofVersion({ ...record, loggedModel: loggedModel() });
    expect(mlModelProperties).toMatchObject({
      trainingJobs: [],
      hyperParams: [{ name: 'depth', value: '3' }],
      trainingMetrics: [{ name: 'f1', description: 'on dataset test', value: '0.5' }],
    });
  });

  it('with a run has what that knows, though the logged model knows more', () => {
    const record = versionRecord({}, run({ params: [{ key: 'lr', value: '1' }] }));
    const { mlModelProperties } = ofVersion({ ...record, loggedModel: loggedModel() });
    expect(mlModelProperties).toMatchObject({
      hyperParams: [{ name: 'lr', value: '1' }],
      trainingMetrics: [],
    });
  });

  it('in a stage that is not known gets a tag of it, with a warning', () => {
    const { proposals, warnings } = map(versionRecord({ currentStage: 'Canary (5%)' }));
    const tag = 'urn:li:tag:mlflow_canary %285%%29';
    expect(proposals).toContainEqual({
      entityType: 'tag',
      entityUrn: tag,
      changeType: 'UPSERT',
      aspectName: 'tagKey',
      aspect: { name: 'mlflow_canary %285%%29' },
    });
    expect(proposals.find(({ aspectName }) => aspectName === 'globalTags')?.aspect).toEqual({
      tags: [{ tag }],
    });
    expect(warnings).toEqual([['UNKNOWN_STAGE', 'model version churn 3: Canary (5%)']]);
  });

  it('says which platform instance it is of', () => {
    const instance = `urn:li:dataPlatformInstance:(${PLATFORM},eu)`;
    const group = `urn:li:mlModelGroup:(${PLATFORM},eu.churn,PROD)`;
    expect(ofVersion(versionRecord(), {}, { platformInstance: 'eu' })).toMatchObject({
      mlModelProperties: { name: 'churn_3', groups: [group] },
      dataPlatformInstance: { platform: PLATFORM, instance },
      browsePathsV2: {
        path: [
          { id: instance, urn: instance },
          { id: group, urn: group },
        ],
      },
    });
  });

  it('sorts after shorter numbers', () => {
    const sortId = (number: string) =>
      ofVersion(versionRecord({ version: number }))['versionProperties']?.['sortId'] as string;
    const ids = ['9', '10', '2147483647'].map(sortId);
    expect([...ids].sort()).toEqual(ids);
  });
});

describe('links', () => {
  const name = 'a/b, (c)#?%20 ü';
  const escaped = 'a%2Fb%2C%20(c)%23%3F%2520%20%C3%BC';
  const url = (options = {}) =>
    ofVersion(versionRecord({ name }), options)['mlModelProperties']?.['externalUrl'];

  it('are escaped', () => {
    expect(url()).toBe(`http://host:5000/#/models/${escaped}/versions/3`);
    expect(ofModel(modelRecord({ name }))).toMatchObject({
      mlModelGroupProperties: { externalUrl: `http://host:5000/#/models/${escaped}` },
    });
  });

  it('start with baseExternalUrl, with or without a slash at its end', () => {
    for (const baseExternalUrl of ['https://ml.example.com/x', 'https://ml.example.com/x//']) {
      expect(url({ baseExternalUrl })).toBe(
        `https://ml.example.com/x/#/models/${escaped}/versions/3`,
      );
    }
  });

  it('are there for a database only with baseExternalUrl', () => {
    const { webUrl, ...database } = server;
    expect(webUrl).toBeDefined();
    const record = { ...versionRecord(), server: database };
    expect(ofVersion(record)['mlModelProperties']).not.toHaveProperty('externalUrl');
    expect(ofVersion(record, { baseExternalUrl: 'http://x' })).toMatchObject({
      mlModelProperties: { externalUrl: 'http://x/#/models/churn/versions/3' },
    });
  });
});

it('the creator of a version and the user of a run are one', () => {
  const records = [runRecord({ userId: 'ada' }), versionRecord({ userId: 'ada' })];
  const users = map(records).proposals.filter(({ aspectName }) => aspectName.endsWith('Info'));
  expect(users.map(({ entityUrn }) => entityUrn)).toEqual([userUrn('ada'), userUrn('ada')]);
});
