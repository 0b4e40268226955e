/**
 * What is sent after a change in MLflow: the aspects that changed, by name, and nothing else.
 */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FiledProposal } from './proposals.js';
import type { MlflowVersion } from './releases.js';
import { runWithMlflow, startMlflow, type MlflowServer } from './servers.js';
import { StatefulPipeline } from './state/pipeline.js';

const SCRIPT = fileURLToPath(new URL('state/change.py', import.meta.url));

const RUN = [
  'dataProcessInstance container',
  'dataProcessInstance dataPlatformInstance',
  'dataProcessInstance dataProcessInstanceProperties',
  'dataProcessInstance dataProcessInstanceRunEvent',
  'dataProcessInstance mlTrainingRunProperties',
  'dataProcessInstance status',
  'dataProcessInstance subTypes',
];
const CONTAINER = [
  'container browsePathsV2',
  'container containerProperties',
  'container dataPlatformInstance',
  'container status',
  'container subTypes',
];
const GROUP = [
  'mlModelGroup browsePathsV2',
  'mlModelGroup dataPlatformInstance',
  'mlModelGroup mlModelGroupProperties',
  'mlModelGroup status',
  'mlModelGroup subTypes',
];
const MODEL = [
  'mlModel browsePathsV2',
  'mlModel dataPlatformInstance',
  'mlModel globalTags',
  'mlModel mlModelProperties',
  'mlModel status',
  'mlModel subTypes',
  'mlModel versionProperties',
];

/** Changes in their order, with what they are to send; those of runs long past last. */
const CHANGES: readonly (readonly [change: string, ...sent: string[]])[] = [
  ['nothing'],
  ['run-tag', 'dataProcessInstance dataProcessInstanceProperties'],
  // A version says how its run went.
  ['run-metric', 'dataProcessInstance mlTrainingRunProperties', 'mlModel mlModelProperties'],
  ['run-param', 'dataProcessInstance mlTrainingRunProperties', 'mlModel mlModelProperties'],
  ['new-run', ...RUN],
  ['new-running-run', ...RUN],
  ['finish-run', 'dataProcessInstance dataProcessInstanceRunEvent'],
  ['delete-run', '- dataProcessInstance'],
  ['nothing'],
  ['restore-run', ...RUN],
  ['model-description', 'mlModelGroup mlModelGroupProperties'],
  ['model-tag', 'mlModelGroup mlModelGroupProperties'],
  ['version-description', 'mlModel mlModelProperties'],
  ['version-tag', 'mlModel mlModelProperties'],
  [
    'version-stage',
    'mlModel globalTags',
    'mlModel mlModelProperties',
    'mlModelGroup mlModelGroupProperties',
  ],
  ['version-alias', 'mlModel versionProperties'],
  [
    'new-version',
    ...MODEL,
    'dataProcessInstance dataProcessInstanceOutput',
    'mlModelGroup mlModelGroupProperties',
  ],
  ['delete-version', '- mlModel', 'mlModelGroup mlModelGroupProperties'],
  ['delete-model', '- mlModel', '- mlModelGroup'],
  ['new-model', ...GROUP],
  ['experiment-tag', 'container containerProperties'],
  ['rename-experiment', ...CONTAINER, '- container', 'dataProcessInstance container'],
  ['new-experiment', ...CONTAINER],
  ['delete-experiment', '- container', '- dataProcessInstance', '- dataProcessInstance'],
  ['nothing'],
  ['restore-experiment', ...CONTAINER, ...RUN, ...RUN],
  ['nothing'],
];

describe.each(['2.22.5', '3.17.2'] as const)('MLflow %s', (version: MlflowVersion) => {
  let server: MlflowServer;
  const change = (what: string) => runWithMlflow(version, SCRIPT, [server.uri, what]);

  /** By how it is read. */
  const pipelines: Record<string, StatefulPipeline> = {};
  const first: Record<string, readonly FiledProposal[]> = {};

  beforeAll(async () => {
    server = await startMlflow(version);
    await change('prepare');
    const database = `sqlite:///${server.database}`;
    const lookback = { lookbackDays: 7, fullSweepEveryDays: 365 };
    pipelines['all over REST'] = await StatefulPipeline.create({ from: server.uri });
    pipelines['a lookback over REST'] = await StatefulPipeline.create({
      from: server.uri,
      state: lookback,
    });
    pipelines['a lookback in the database'] = await StatefulPipeline.create({
      from: database,
      state: lookback,
    });
    for (const [name, pipeline] of Object.entries(pipelines)) {
      const { status, proposals, output } = await pipeline.run();
      expect(status, output).toBe(0);
      first[name] = proposals;
    }
  });
  afterAll(async () => {
    for (const pipeline of Object.values(pipelines)) await pipeline.remove();
    await server.stop();
  });

  it('gives everything the first time', () => {
    for (const proposals of Object.values(first)) {
      expect(new Set(proposals.map(({ entityType }) => entityType))).toEqual(
        new Set([
          'container',
          'dataProcessInstance',
          'dataset',
          'mlModel',
          'mlModelGroup',
          'platformResource',
          'tag',
        ]),
      );
    }
  });

  it.each(CHANGES.map(([what, ...sent], step) => ({ step, what, sent })))(
    'after $step $what gives exactly that',
    async ({ what, sent }) => {
      await change(what);
      const got: Record<string, readonly string[]> = {};
      for (const [name, pipeline] of Object.entries(pipelines)) {
        const { status, report, proposals, output } = await pipeline.run();
        expect(status, output).toBe(0);
        expect(report.state?.kind).toBe(name.startsWith('all') ? 'full' : 'lookback');
        got[name] = proposals.map(shown).sort();
      }
      const wanted = [...sent].sort();
      expect(got).toEqual(Object.fromEntries(Object.keys(pipelines).map((name) => [name, wanted])));
    },
  );

  it('finds a late edit of a run long past only when it reads everything', async () => {
    await change('old-run-tag');
    const edited = ['dataProcessInstance dataProcessInstanceProperties'];
    for (const [name, pipeline] of Object.entries(pipelines)) {
      const { proposals } = await pipeline.run();
      expect([name, proposals.map(shown)]).toEqual([name, name.startsWith('all') ? edited : []]);
    }
    const [, lookback] = Object.values(pipelines);
    if (lookback === undefined) throw new Error('no such pipeline');
    const again = await lookback.run('--full');
    expect(again.report.state?.kind).toBe('full');
    const { proposals } = await lookback.run();
    expect(proposals).toEqual([]);
  });
});

/** `mlModel globalTags`; `- mlModel` for what is marked as removed. */
function shown({ entityType, aspectName, aspect }: FiledProposal): string {
  return aspect.json['removed'] === true ? `- ${entityType}` : `${entityType} ${aspectName}`;
}
