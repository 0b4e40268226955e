/**
 * The whole way with prompts and a state: asked for, they and what runs say of them come at once,
 * however old the runs are.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { runUrn } from '../../src/datahub/urn.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import { dedup } from '../../src/operators/dedup.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { mlflowSource } from '../../src/sources/mlflow-source.js';
import { stateOptionsSchema } from '../../src/state/options.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { memorySink, silentLog } from '../support/memory.js';
import { sampleContent, startMlflowServer } from '../support/mlflow-server.js';

const DAY_MS = 86_400_000;
const TAGS = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];

it('prompts come when they are first asked for, and stay when they are not any more', async () => {
  const content = sampleContent({ experiments: 1, runsPerExperiment: 3, models: 1 });
  for (const { info } of content.runs) info.status = 'FINISHED';
  content.registeredModels.push({ name: 'ask', tags: TAGS });
  content.modelVersions.push({ name: 'ask', version: '1', tags: TAGS });
  const first = content.runs[0];
  const linked = { key: 'mlflow.linkedPrompts', value: '[{"name": "ask", "version": "1"}]' };
  first?.data?.tags?.push(linked);
  const server = await startMlflowServer({ content, flavour: '3.17.2' });
  onTestFinished(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'prompts-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  let now = (first?.info.start_time ?? 0) + 100 * DAY_MS;
  const run = async (prompts: boolean) => {
    const sent: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      sent.push(...proposals);
      return Promise.resolve([]);
    });
    const { report } = await runPipeline(
      {
        source: mlflowSource({ uri: server.uri }),
        operators: [buildUrns(), mapToProposals({ prompts }), dedup()],
        sinks: [sink],
        maxInFlightPages: 2,
        deadLetter: { path: join(folder, 'dead.ndjson') },
        state: stateOptionsSchema.parse({ path: join(folder, 'state'), lookbackDays: 7 }),
      },
      { log: silentLog, env: {}, now: () => now },
    );
    now += 60_000;
    expect(report).toMatchObject({ outcome: 'complete', state: { stale: { removed: 0 } } });
    return sent;
  };

  await run(false);
  expect(await run(false)).toEqual([]);
  const sent = await run(true);
  const inputs = sent.filter(({ aspectName }) => aspectName === 'dataProcessInstanceInput');
  expect(inputs.map(({ entityUrn }) => entityUrn)).toEqual([runUrn(first?.info.run_id ?? '')]);
  expect(JSON.stringify(inputs)).toContain('mlflow,ask_1,PROD');
  expect(sent.some(({ entityUrn }) => entityUrn.includes('mlflow,ask,'))).toBe(true);
  expect(await run(true)).toEqual([]);
  // It is there in MLflow, only not asked for: nothing is removed.
  await run(false);
});
