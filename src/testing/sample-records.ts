/**
 * Records and proposals about things of some name, for tests of operators.
 */

import { DESCRIBED_BY } from '../datahub/entity-aspects.js';
import type { Proposal } from '../datahub/proposal.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { KeyValue, LoggedModel, ModelVersion, Run, ServerFacts } from '../mlflow/types.js';

const TIME = 1_700_000_000_000;

export const SAMPLE_SERVER: ServerFacts = Object.freeze({
  uri: 'http://host:5000',
  webUrl: 'http://host:5000',
  version: '2.22.5',
  versionText: '2.22.5',
  searchesExperiments: true,
});

/** Names that MLflow takes, or has taken, and that are easily stumbled over. */
export const ODD_NAMES: readonly string[] = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  ',()',
  '%2C',
  'a/b:c#d?e',
  '$& $1 $<x>',
  '"quotes" \\ \'and\' `more`',
  'line\nbreaks\r\n\ttabs',
  '\u0000',
  '\u241f',
  '😀 👩‍👩‍👧‍👦 e\u0301 中文 עברית',
  'half a \ud83d pair',
  '@team-a/churn',
  'x'.repeat(5_000),
];

/**
 * An experiment, a run of it with a version that came from it and a dataset that it read, the version's
 * model, the version, a logged model of the run, and the dataset, all of that name.
 *
 * @param tag - a tag that each has which can have one
 */
export function recordsOf(name: string, tag = 'team'): readonly MlflowRecord[] {
  const server = SAMPLE_SERVER;
  const tags: readonly KeyValue[] = [{ key: tag, value: 'core' }];
  const times = { creationTimestamp: TIME, lastUpdatedTimestamp: TIME + 1 };
  const run: Run = {
    runId: `run of ${name}`,
    runName: name,
    experimentId: `7 ${name}`,
    userId: name,
    status: 'FINISHED',
    startTime: TIME,
    endTime: TIME + 1_000,
    lifecycleStage: 'active',
    params: [{ key: 'lr', value: '0.1' }],
    metrics: [{ key: 'f1', value: 1, timestamp: TIME, step: 0 }],
    tags: [...tags, { key: 'mlflow.user', value: name }],
    datasetInputs: [{ dataset: { name, digest: 'd', sourceType: 's3', source: '{}' }, tags }],
  };
  const version: ModelVersion = {
    ...{ name, version: '3', userId: name, currentStage: 'Production', ...times },
    ...{ runId: run.runId, status: 'READY', tags, aliases: ['champion'] },
  };
  const experiment = { experimentId: run.experimentId, name };
  const model: LoggedModel = {
    ...{ modelId: `m-of ${name}`, experimentId: run.experimentId, name, status: 'READY', ...times },
    ...{ sourceRunId: run.runId, tags, params: run.params, metrics: run.metrics },
  };
  const uses = run.datasetInputs.map((input) => ({ input, runId: run.runId, startTime: TIME }));
  return [
    { kind: 'experiment', server, experiment: { ...experiment, lifecycleStage: 'active', tags } },
    { kind: 'run', server, run, experiment, versions: [version] },
    { kind: 'registeredModel', server, model: { name, ...times, tags, aliases: [] } },
    { kind: 'modelVersion', server, version, run },
    { kind: 'loggedModel', server, model, experiment },
    { kind: 'dataset', server, name, uses },
  ];
}

/**
 * For an entity of each type that MLflow becomes: its properties, its status and its tags, where it
 * can have some.
 *
 * @param property - a custom property that each has
 */
export function proposalsOf(name: string, property = 'team'): readonly Proposal[] {
  return Object.entries(DESCRIBED_BY).flatMap(([entityType, aspectName]) => {
    const entityUrn = `urn:li:${entityType}:${name}`;
    const said = (aspect: string, content: Proposal['aspect']): Proposal => ({
      ...{ entityType, entityUrn, changeType: 'UPSERT', aspectName: aspect, aspect: content },
    });
    // As from JSON: in a literal `__proto__` would be no key.
    const customProperties = Object.fromEntries([[property, 'core']]);
    return [
      said(aspectName, { name, customProperties }),
      said('status', { removed: false }),
      ...(entityType === 'dataProcessInstance'
        ? []
        : [said('globalTags', { tags: [{ tag: `urn:li:tag:${name}` }] })]),
    ];
  });
}
