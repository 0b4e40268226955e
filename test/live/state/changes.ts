/**
 * What is sent after a change in MLflow: the aspects that changed, by name, and nothing else. Each
 * version of MLflow is in a file of its own, `state-changes-….test.ts`, so that two run at a time.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FiledProposal } from '../proposals.js';
import type { MlflowVersion } from '../releases.js';
import { startMlflow, type MlflowServer } from '../servers.js';
import { Changer } from './changer.js';
import { StatefulPipeline, type Result } from './pipeline.js';

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

/** Changes a store of this version step by step, and looks at what is sent after each step. */
export function describeChanges(version: MlflowVersion): void {
  describe(`MLflow ${version}`, () => {
    let server: MlflowServer;
    let changer: Changer;

    /** By how it is read. */
    const pipelines: Record<string, StatefulPipeline> = {};
    let first: Readonly<Record<string, Result>>;

    /** A run of each; at once, as they have nothing in common but the store that they read. */
    async function runAll(): Promise<Readonly<Record<string, Result>>> {
      const results = Object.entries(pipelines).map(
        async ([name, pipeline]) => [name, await pipeline.run()] as const,
      );
      return Object.fromEntries(await Promise.all(results));
    }

    beforeAll(async () => {
      server = await startMlflow(version);
      changer = new Changer(version, server.uri);
      await changer.make('prepare');
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
      first = await runAll();
    });
    afterAll(async () => {
      await changer.stop();
      for (const pipeline of Object.values(pipelines)) await pipeline.remove();
      await server.stop();
    });

    it('gives everything the first time', () => {
      for (const { status, proposals, output } of Object.values(first)) {
        expect(status, output).toBe(0);
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
        await changer.make(what);
        const got: Record<string, readonly string[]> = {};
        for (const [name, result] of Object.entries(await runAll())) {
          const { status, report, proposals, output } = result;
          expect(status, output).toBe(0);
          expect(report.state?.kind).toBe(name.startsWith('all') ? 'full' : 'lookback');
          got[name] = proposals.map(shown).sort();
        }
        const wanted = [...sent].sort();
        expect(got).toEqual(
          Object.fromEntries(Object.keys(pipelines).map((name) => [name, wanted])),
        );
      },
    );

    it('finds a late edit of a run long past only when it reads everything', async () => {
      await changer.make('old-run-tag');
      const edited = ['dataProcessInstance dataProcessInstanceProperties'];
      for (const [name, { proposals }] of Object.entries(await runAll())) {
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
}

/** `mlModel globalTags`; `- mlModel` for what is marked as removed. */
function shown({ entityType, aspectName, aspect }: FiledProposal): string {
  return aspect.json['removed'] === true ? `- ${entityType}` : `${entityType} ${aspectName}`;
}
