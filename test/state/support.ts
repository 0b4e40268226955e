import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Aspect, Proposal } from '../../src/datahub/proposal.js';
import type { ExperimentRecord, ModelVersionRecord, RunRecord } from '../../src/mlflow/records.js';
import type { ModelVersion, Run } from '../../src/mlflow/types.js';
import { stateOptionsSchema, type StateOptions } from '../../src/state/options.js';
import { PipelineState, type StateRequest } from '../../src/state/pipeline-state.js';

export const DAY_MS = 24 * 60 * 60 * 1000;
export const NOW = 1_700_000_000_000;

export const statePath = () => join(mkdtempSync(join(tmpdir(), 'state-')), 'mlflow.state');

export const settingsOf = (options: StateOptions) => stateOptionsSchema.parse(options);

const KINDS = ['server', 'experiment', 'run', 'registeredModel', 'modelVersion', 'dataset'];

export function openState(
  options: StateOptions,
  request: Partial<StateRequest> = {},
  discard = false,
) {
  const whole: StateRequest = {
    pipeline: 'http://host:5000',
    sinks: ['a'],
    kinds: KINDS,
    workspaces: ['default'],
    filters: '[]',
    fresh: false,
    full: false,
    now: NOW,
    ...request,
  };
  return PipelineState.open(settingsOf(options), whole, discard);
}

export function proposal(
  entityUrn: string,
  aspect: Aspect,
  more: Partial<Proposal> = {},
): Proposal {
  const [, , entityType = ''] = entityUrn.split(':');
  return { entityType, entityUrn, changeType: 'UPSERT', aspectName: 'thing', aspect, ...more };
}

/** Sends a page to one sink and notes it, as a run does; gives what was sent. */
export function deliver(
  state: PipelineState,
  proposals: readonly Proposal[],
  {
    sink = 'a',
    refuse = () => false,
    records = [],
    position,
  }: {
    sink?: string;
    refuse?: (proposal: Proposal) => boolean;
    records?: readonly unknown[];
    position?: { lane: string; value: string };
  } = {},
): Proposal[] {
  const page = state.page(proposals);
  const sent = page.unsent(state.sinkId(sink));
  for (const each of sent) if (refuse(each)) page.refused(state.sinkId(sink), each);
  state.commit(page, {
    read: records,
    records,
    inputs: new Map(),
    rejected: 0,
    sinkPositions: new Map(),
    ...(position === undefined ? {} : { position }),
  });
  return sent;
}

const server = { uri: 'http://host:5000', versionText: '3', searchesExperiments: true };

export function runRecord(runId: string, run: Partial<Run> = {}): RunRecord {
  return {
    kind: 'run',
    server,
    experiment: { experimentId: '1', name: 'one' },
    versions: [],
    run: {
      runId,
      experimentId: '1',
      status: 'FINISHED',
      startTime: NOW,
      lifecycleStage: 'active',
      params: [],
      metrics: [],
      tags: [],
      datasetInputs: [],
      ...run,
    },
  };
}

export function experimentRecord(experimentId: string, name: string): ExperimentRecord {
  const experiment = { experimentId, name, lifecycleStage: 'active', tags: [] };
  return { kind: 'experiment', server, experiment };
}

export function version(name: string, number: string, more: Partial<ModelVersion> = {}) {
  return {
    name,
    version: number,
    currentStage: 'None',
    creationTimestamp: 1,
    lastUpdatedTimestamp: 1,
    status: 'READY',
    tags: [],
    aliases: [],
    ...more,
  } satisfies ModelVersion;
}

export function versionRecord(of: ModelVersion): ModelVersionRecord {
  return { kind: 'modelVersion', server, version: of };
}
