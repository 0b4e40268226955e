import { describe, expect, it } from 'vitest';
import {
  experimentRecord,
  modelRecord,
  runRecord,
  server,
  serverRecord,
  versionRecord,
} from '../records.js';
import { aspectsOf, map, pairs } from './mapped.js';

const ofExperiment = (...args: Parameters<typeof map>) => aspectsOf('container', ...args);
const PLATFORM = 'urn:li:dataPlatform:mlflow';

describe('an experiment', () => {
  it('becomes a container', () => {
    const record = experimentRecord({
      artifactLocation: 's3://bucket/7',
      creationTime: 5,
      lastUpdateTime: 6,
      tags: pairs({ team: 'core', 'mlflow.note.content': 'Why they *leave*.' }),
    });
    expect(ofExperiment(record)).toEqual({
      containerProperties: {
        customProperties: {
          platform: PLATFORM,
          id: 'churn',
          team: 'core',
          artifacts_location: 's3://bucket/7',
        },
        externalUrl: 'http://host:5000/#/experiments/7',
        name: 'churn',
        description: 'Why they *leave*.',
        created: { time: 5 },
        lastModified: { time: 6 },
      },
      dataPlatformInstance: { platform: PLATFORM },
      subTypes: { typeNames: ['ML Experiment'] },
      browsePathsV2: { path: [] },
      status: { removed: false },
    });
  });

  it('leaves out what is not known', () => {
    expect(ofExperiment(experimentRecord())['containerProperties']).toEqual({
      customProperties: { platform: PLATFORM, id: 'churn' },
      externalUrl: 'http://host:5000/#/experiments/7',
      name: 'churn',
    });
  });

  it('lets tags go before what is generated, as DataHub’s connector does', () => {
    const tags = pairs({ id: 'mine', platform: 'theirs', artifacts_location: 'nowhere' });
    const record = experimentRecord({ artifactLocation: 's3://bucket/7', tags });
    expect(ofExperiment(record)).toMatchObject({
      containerProperties: {
        customProperties: { id: 'mine', platform: 'theirs', artifacts_location: 's3://bucket/7' },
      },
    });
  });

  it('of a platform instance says so', () => {
    const instance = `urn:li:dataPlatformInstance:(${PLATFORM},eu)`;
    const aspects = ofExperiment(experimentRecord(), {}, { platformInstance: 'eu' });
    expect(aspects).toMatchObject({
      containerProperties: {
        customProperties: { platform: PLATFORM, instance: 'eu', id: 'churn' },
      },
      dataPlatformInstance: { platform: PLATFORM, instance },
      browsePathsV2: { path: [{ id: instance, urn: instance }] },
    });
  });
});

describe('what is in a workspace', () => {
  const place = { ...server, workspace: 'team-a' };
  const link = (page: string) => `http://host:5000/#/${page}?workspace=team-a`;

  it('says so, and is linked and known by it', () => {
    const { proposals } = map([
      { ...experimentRecord(), server: place },
      { ...modelRecord(), server: place },
      { ...runRecord(), server: place },
    ]);
    const experiment = proposals.filter(({ entityType }) => entityType === 'container');
    expect(experiment.map(({ aspect }) => aspect)).toMatchObject([
      {
        customProperties: { platform: PLATFORM, workspace: 'team-a', id: 'churn' },
        externalUrl: link('experiments/7'),
        name: 'churn',
      },
      {},
      {},
      { path: [{ id: 'team-a' }] },
      { removed: false },
    ]);
    expect(proposals.flatMap(({ origin }) => origin ?? [])).toEqual([
      'experiment@team-a 7',
      'model@team-a churn',
      'run@team-a aa11',
    ]);
    expect(proposals.flatMap(({ aspect }) => aspect['externalUrl'] ?? [])).toEqual([
      link('experiments/7'),
      link('models/churn'),
      link('experiments/7/runs/aa11'),
    ]);
  });

  it('has its versions below their model', () => {
    const record = { ...versionRecord(), server: place };
    const group = `urn:li:mlModelGroup:(${PLATFORM},@team-a/churn,PROD)`;
    const instance = `urn:li:dataPlatformInstance:(${PLATFORM},eu)`;
    expect(aspectsOf('mlModel', record, {}, { platformInstance: 'eu' })).toMatchObject({
      browsePathsV2: {
        path: [
          { id: instance, urn: instance },
          { id: 'team-a' },
          { id: group.replace('@', 'eu.@'), urn: group.replace('@', 'eu.@') },
        ],
      },
    });
  });
});

describe('a server', () => {
  it('becomes the tags of the four stages', () => {
    const { proposals } = map(serverRecord());
    expect(
      proposals.map(({ entityUrn, aspectName, aspect }) => [entityUrn, aspectName, aspect]),
    ).toEqual(
      [
        ['Production', '#308613'],
        ['Staging', '#FACB66'],
        ['Archived', '#5D7283'],
        ['None', '#F2F4F5'],
      ].flatMap(([stage = '', colorHex]) => {
        const name = `mlflow_${stage.toLowerCase()}`;
        const description = `${stage} Stage for an ML model in MLflow Model Registry`;
        return [
          [`urn:li:tag:${name}`, 'tagProperties', { name, description, colorHex }],
          [`urn:li:tag:${name}`, 'status', { removed: false }],
        ];
      }),
    );
  });
});
