/**
 * What DataHub has to be told of the story, from dataset to alias: by entity, in the order of the
 * lineage. What more is mapped is added here, and nowhere else.
 */

import { expect } from 'vitest';
import {
  aliasTagUrn,
  datasetUrn,
  experimentUrn,
  mlModelGroupUrn,
  mlModelUrn,
  runUrn,
  stageTagUrn,
  userUrn,
  versionSetUrn,
} from '../../../src/datahub/urn.js';

/** What `story.py` made. */
export interface Told {
  readonly experimentId: string;
  readonly parentId: string;
  readonly childId: string;
  /** The logged model; null before MLflow 3. */
  readonly modelId: string | null;
}

/** Aspects by name, by URN: each has to have at least these fields. */
export type Expected = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

// Vitest's are of any type.
const some = (fields: object): unknown => expect.objectContaining(fields);
const among = (elements: readonly unknown[]): unknown => expect.arrayContaining([...elements]);
const having = (text: string): unknown => expect.stringContaining(text);
const like = (pattern: string): unknown => expect.stringMatching(pattern);

export const GOLD_TAG = 'gold';
export const OWNER = 'ada.lovelace';

export const MODEL = mlModelUrn('churn_1');

export function expectedOf(told: Told): Expected {
  const hosted = datasetUrn('s3', 'lake/customers.parquet');
  const dataset = datasetUrn('mlflow', 'customers');
  const [parent, child] = [runUrn(told.parentId), runUrn(told.childId)];
  const [experiment, group, user] = [
    experimentUrn('churn'),
    mlModelGroupUrn('churn'),
    userUrn('ada'),
  ];
  const numbers = (...names: readonly string[]) =>
    names.map((fieldPath) =>
      some({
        fieldPath,
        type: { type: { 'com.linkedin.schema.NumberType': {} } },
      }),
    );
  const columns = { fields: numbers('tenure', 'calls', 'left') };
  const context = { customProperties: { 'mlflow.data.context': 'training' } };
  const there = { status: { removed: false } };
  const link = (path: string) => ({
    externalUrl: like(`^http://[^/]+/#/${path}$`),
  });
  const run = (name: string, id: string) => ({
    dataProcessInstanceProperties: {
      name,
      created: { actor: user },
      customProperties: { 'mlflow.user': 'ada' },
      ...link(`experiments/${told.experimentId}/runs/${id}`),
    },
    container: { container: experiment },
    subTypes: { typeNames: ['ML Training Run'] },
    dataProcessInstanceRunEvent: { status: 'COMPLETE', result: { type: 'SUCCESS' } },
    ...there,
  });
  const hyperParams = among([
    { name: 'C', value: '0.5' },
    { name: 'max_iter', value: '50' },
  ]);
  const trainingMetrics = among([
    { name: 'recall', value: '1.0' },
    { name: 'training_accuracy_score', value: '1.0' },
  ]);
  return {
    [hosted]: { schemaMetadata: columns, datasetProperties: context, ...there },
    [dataset]: {
      schemaMetadata: columns,
      datasetProperties: context,
      upstreamLineage: { upstreams: [some({ dataset: hosted, type: 'COPY' })] },
      ...there,
    },
    [experiment]: {
      containerProperties: {
        name: 'churn',
        description: 'Who leaves next month?',
        customProperties: { team: 'growth' },
        ...link(`experiments/${told.experimentId}`),
      },
      subTypes: { typeNames: ['ML Experiment'] },
      ...there,
    },
    [parent]: run('search', told.parentId),
    [child]: {
      ...run('trial', told.childId),
      dataProcessInstanceRelationships: { parentInstance: parent },
      dataProcessInstanceInput: { inputEdges: [{ destinationUrn: dataset }] },
      dataProcessInstanceOutput: { outputEdges: [{ destinationUrn: MODEL }] },
      mlTrainingRunProperties: {
        id: told.childId,
        hyperParams,
        trainingMetrics,
        outputUrls: [having(told.childId)],
      },
    },
    [user]: { platformResourceInfo: { resourceType: 'user', primaryKey: 'ada' } },
    [MODEL]: {
      mlModelProperties: {
        name: 'churn_1',
        description: 'The first that is any good.',
        customProperties: { reviewed: 'yes', ...madeOf(told) },
        trainingJobs: [child],
        groups: [group],
        hyperParams,
        trainingMetrics,
        ...link('models/churn/versions/1'),
      },
      versionProperties: {
        versionSet: versionSetUrn('churn'),
        version: { versionTag: '1' },
        aliases: [{ versionTag: 'champion' }],
        sortId: '0000000001',
      },
      sourceCode: {
        sourceCode: [
          {
            type: 'TRAINING_PIPELINE_SOURCE_CODE',
            sourceCodeUrl:
              'https://github.com/example/churn/tree/0123456789abcdef0123456789abcdef01234567',
          },
        ],
      },
      ownership: {
        owners: [{ owner: `urn:li:corpuser:${OWNER}`, type: 'TECHNICAL_OWNER' }],
      },
      globalTags: {
        tags: [stageTagUrn('Production'), aliasTagUrn('champion'), `urn:li:tag:${GOLD_TAG}`].map(
          (tag) => ({ tag }),
        ),
      },
      subTypes: { typeNames: ['ML Model'] },
      ...there,
    },
    [group]: {
      mlModelGroupProperties: {
        name: 'churn',
        description: 'Who leaves, by logistic regression.',
        customProperties: { tier: 'gold' },
        version: { versionTag: '1' },
        ...link('models/churn'),
      },
      subTypes: { typeNames: ['ML Model Group'] },
      ...there,
    },
    [`urn:li:tag:${GOLD_TAG}`]: { tagKey: { name: GOLD_TAG } },
    [aliasTagUrn('champion')]: { tagProperties: { description: having('champion') }, ...there },
    ...loggedModelOf(told, { experiment, child }),
  };
}

/** Of the model that was logged: what the run's tags say before MLflow 3, and its id from then on. */
function madeOf({ modelId }: Told): object {
  return modelId === null
    ? { 'mlflow.flavors': 'python_function, sklearn' }
    : { 'mlflow.model_id': modelId };
}

/** MLflow 3 keeps the model with its experiment as well. */
function loggedModelOf(
  { modelId, experimentId }: Told,
  { experiment, child }: { readonly experiment: string; readonly child: string },
): Expected {
  if (modelId === null) return {};
  return {
    [mlModelUrn(modelId)]: {
      mlModelProperties: {
        name: 'model',
        customProperties: { 'mlflow.model_id': modelId, 'mlflow.status': 'READY' },
        trainingJobs: [child],
        hyperParams: among([{ name: 'C', value: '0.5' }]),
        externalUrl: like(`^http://[^/]+/#/experiments/${experimentId}/models/${modelId}$`),
      },
      container: { container: experiment },
      subTypes: { typeNames: ['Logged Model'] },
      status: { removed: false },
    },
  };
}
