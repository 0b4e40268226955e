/**
 * The whole way with a function of the user's own that throws for some, with a state: nothing is taken
 * for gone for that, and what is lacking comes once the function is mended.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { addTags } from '../../src/operators/add-tags.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import type { EntityFacts } from '../../src/operators/enrichment/entity-facts.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { renameBy } from '../../src/operators/rename-by.js';
import { mlflowSource } from '../../src/sources/mlflow-source.js';
import { stateOptionsSchema } from '../../src/state/options.js';
import type { AnyOperator } from '../../src/stream/contracts.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { databaseWith } from '../support/database-of-content.js';
import { memorySink, silentLog } from '../support/memory.js';
import { sampleContent } from '../support/mlflow-server.js';

const GROUP = 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,model 1,PROD)';
const VERSION = 'urn:li:mlModel:(urn:li:dataPlatform:mlflow,model 1_2,PROD)';

function pipeline() {
  const folder = mkdtempSync(join(tmpdir(), 'functions-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = databaseWith(sampleContent(), '3.17.2');
  const state = stateOptionsSchema.parse({ path: join(folder, 'state') });
  const deadLetter = { path: join(folder, 'dead.ndjson') };
  return async (...operators: AnyOperator[]) => {
    rmSync(deadLetter.path, { force: true });
    const sent: Proposal[] = [];
    const { sink } = memorySink((proposals) => {
      sent.push(...proposals);
      return Promise.resolve([]);
    });
    const { report } = await runPipeline(
      {
        source: mlflowSource({ uri: `sqlite:///${path}` }),
        operators: [buildUrns(), mapToProposals(), ...operators],
        sinks: [sink],
        maxInFlightPages: 2,
        deadLetter,
        state,
      },
      { log: silentLog, env: {} },
    );
    const lines = existsSync(deadLetter.path) ? readFileSync(deadLetter.path, 'utf8') : '';
    const dead = lines.split('\n').flatMap((line) => {
      if (line === '') return [];
      const { code, identity } = JSON.parse(line) as { code: string; identity: string };
      return [`${code} ${identity}`];
    });
    const names = sent.map(({ entityUrn, aspectName }) => `${entityUrn} ${aspectName}`);
    return { report, names: names.sort(), dead: dead.sort() };
  };
}

const failing =
  <T>(given: T) =>
  ({ entityUrn }: EntityFacts): T => {
    if (entityUrn === GROUP || entityUrn === VERSION) throw new Error('not for these');
    return given;
  };

describe('functions that throw', () => {
  it('cost the entities that they throw for, and no others', async () => {
    const all = await pipeline()(addTags(() => ['gold']));
    const { report, names, dead } = await pipeline()(addTags(failing(['gold'])));
    expect(report.outcome).toBe('complete');
    expect(dead).toEqual(
      [`${GROUP} mlModelGroupProperties`, `${VERSION} globalTags`, `${VERSION} mlModelProperties`]
        .map((identity) => `OPERATOR_FUNCTION_FAILED ${identity}`)
        .sort(),
    );
    const lacking = all.names.filter((name) => !names.includes(name));
    expect(lacking).toEqual(
      [
        `${GROUP} globalTags`,
        `${GROUP} mlModelGroupProperties`,
        `${VERSION} globalTags`,
        `${VERSION} mlModelProperties`,
      ].sort(),
    );
  });

  it('make nothing gone, and what was lacking comes when they are mended', async () => {
    const run = pipeline();
    const renamed = (name: string) => renameBy(() => name);
    await run(renamed('one'));
    const { report, dead } = await run(renameBy(failing('two')));
    expect(report.state?.stale.removed).toBe(0);
    expect(dead).toHaveLength(2);
    const mended = await run(renamed('two'));
    expect(mended.dead).toEqual([]);
    expect(mended.names).toEqual([
      `${VERSION} mlModelProperties`,
      `${GROUP} mlModelGroupProperties`,
    ]);
    expect((await run(renamed('two'))).names).toEqual([]);
  });
});
