/**
 * Run to dataProcessInstance.
 */

import { MLFLOW_PLATFORM } from '../../datahub/urn.js';
import type { Aspect, Proposal } from '../../datahub/proposal.js';
import { runKey } from '../../mlflow/record-key.js';
import type { IdentifiedRun } from '../identified-record.js';
import { identityOf } from '../per-record.js';
import {
  hyperParams,
  platformInstance,
  properties,
  status,
  subTypes,
  trainingMetrics,
  upsert,
} from './aspects.js';
import type { Mapping } from './mapping.js';
import { metricsOverTime } from './metric-history.js';
import { mapUser } from './user.js';

const RUN = 'dataProcessInstance';
const SUB_TYPES = subTypes('ML Training Run');

/** What DataHub's model has for events that are not about a part of the data. */
const WHOLE: Aspect = Object.freeze({ partition: 'FULL_TABLE_SNAPSHOT', type: 'FULL_TABLE' });

export function mapRun(record: IdentifiedRun, mapping: Mapping): readonly Proposal[] {
  const { run, server, urns } = record;
  const proposals = [
    ...mapUser(urns.user, urns.userName),
    upsert(
      RUN,
      urns.run,
      'dataProcessInstanceProperties',
      {
        customProperties: properties(run.tags),
        ...mapping.links(server).run(run.experimentId, run.runId),
        name: run.runName === undefined || run.runName === '' ? run.runId : run.runName,
        created: { time: run.startTime, actor: urns.user },
      },
      runKey(run.runId, server.workspace),
    ),
    upsert(RUN, urns.run, 'container', { container: urns.experiment }),
    upsert(RUN, urns.run, 'mlTrainingRunProperties', {
      customProperties: {},
      id: run.runId,
      ...(run.artifactUri === undefined ? {} : { outputUrls: [run.artifactUri] }),
      hyperParams: hyperParams(run),
      trainingMetrics:
        mapping.earlierPoints === undefined
          ? trainingMetrics(run)
          : metricsOverTime(run, mapping.earlierPoints),
    }),
    upsert(RUN, urns.run, 'dataPlatformInstance', platformInstance(urns)),
    upsert(RUN, urns.run, 'subTypes', SUB_TYPES),
    status(RUN, urns.run),
  ];
  if (urns.parent !== undefined) {
    proposals.push(
      upsert(RUN, urns.run, 'dataProcessInstanceRelationships', {
        parentInstance: urns.parent,
        upstreamInstances: [],
      }),
    );
  }
  if (urns.versions.length > 0) {
    const outputEdges = edges(urns.versions);
    proposals.push(
      upsert(RUN, urns.run, 'dataProcessInstanceOutput', { outputs: [], outputEdges }),
    );
  }
  const inputs = urns.prompts.length === 0 ? urns.datasets : [...urns.datasets, ...urns.prompts];
  if (inputs.length > 0) {
    const inputEdges = edges(inputs);
    proposals.push(upsert(RUN, urns.run, 'dataProcessInstanceInput', { inputs: [], inputEdges }));
  }
  const event = runEvent(record, mapping);
  if (event !== undefined) {
    proposals.push(upsert(RUN, urns.run, 'dataProcessInstanceRunEvent', event));
  }
  return proposals;
}

function edges(urns: readonly string[]): Aspect[] {
  return urns.map((destinationUrn) => ({ destinationUrn }));
}

/**
 * What is known of its execution: that it ended, or that it runs. One that only waits, or ended
 * nobody knows when, has no event, since an event is a point in time.
 */
function runEvent(record: IdentifiedRun, mapping: Mapping): Aspect | undefined {
  const { run } = record;
  if (run.endTime !== undefined && run.endTime > 0) {
    return {
      timestampMillis: run.endTime,
      partitionSpec: WHOLE,
      status: 'COMPLETE',
      result: { type: resultType(record, mapping), nativeResultType: MLFLOW_PLATFORM },
      ...(run.startTime > 0 ? { durationMillis: run.endTime - run.startTime } : {}),
    };
  }
  if (run.status === 'RUNNING' && run.startTime > 0) {
    return { timestampMillis: run.startTime, partitionSpec: WHOLE, status: 'STARTED' };
  }
  return undefined;
}

/** DataHub knows no result for what was stopped: as in its own connector, that is SKIPPED. */
function resultType(record: IdentifiedRun, mapping: Mapping): string {
  const { status: runStatus } = record.run;
  switch (runStatus) {
    case 'FINISHED':
      return 'SUCCESS';
    case 'FAILED':
      return 'FAILURE';
    case 'KILLED':
    case 'RUNNING':
    case 'SCHEDULED':
      return 'SKIPPED';
    default:
      mapping.warn(
        'UNKNOWN_RUN_STATUS',
        'a run has a status that is not known here, and is sent with the result SKIPPED',
        `${identityOf(record)}: ${runStatus}`,
      );
      return 'SKIPPED';
  }
}
