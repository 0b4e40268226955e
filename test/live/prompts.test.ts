/**
 * Prompts, as MLflow's own client makes them: the same over REST and directly, what DataHub's classes
 * take, and nothing of them where they are not asked for.
 */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mlModelUrn, runUrn } from '../../src/datahub/urn.js';
import { runOurs, type OurResult } from './ours.js';
import { asSet, type FiledProposal } from './proposals.js';
import { runWithMlflow, startMlflow, type MlflowServer } from './servers.js';
import { checkWithClasses, type Validation } from './validate.js';

const WANTED = { mapToProposals: { prompts: true } };

const aspectsOf = (proposals: readonly FiledProposal[], urn: string) =>
  Object.fromEntries(
    proposals.flatMap(({ entityUrn, aspectName, aspect }) =>
      entityUrn === urn ? [[aspectName, aspect.json]] : [],
    ),
  );

describe.each([
  ['2.22.5', 'database'],
  ['2.22.5', 'files'],
  ['3.17.2', 'database'],
] as const)('prompts of MLflow %s in a store of %s', (version, kind) => {
  let server: MlflowServer;
  let from: string;
  let run: string;
  let rest: OurResult;
  let validation: Omit<Validation, 'found'>;

  beforeAll(async () => {
    server = await startMlflow(version, undefined, 1, kind === 'files' ? kind : undefined);
    from = kind === 'files' ? server.files : `sqlite:///${server.database}`;
    const script = fileURLToPath(new URL('prompts.py', import.meta.url));
    const lines = (await runWithMlflow(version, script, [server.uri])).trimEnd().split('\n');
    ({ run } = JSON.parse(lines.at(-1) ?? '') as { run: string });
    rest = await runOurs(server.uri, WANTED, async (file) => {
      validation = await checkWithClasses(file);
    });
  });

  afterAll(async () => {
    await server.stop();
  });

  it('are the same over REST and directly, byte for byte', async () => {
    const direct = await runOurs(from, WANTED);
    for (const { report } of [rest, direct]) {
      expect(report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
      expect(report.counts.read).toMatchObject({ registeredModel: 27, modelVersion: 28 });
    }
    expect(asSet(direct.proposals)).toEqual(asSet(rest.proposals));
  });

  it('are taken by DataHub', () => {
    expect(validation.problems).toEqual([]);
    expect(validation.count).toBe(rest.proposals.length);
  });

  it('have their text, their alias and the run that used them', () => {
    const urn = mlModelUrn('ask_2');
    const aspects = aspectsOf(rest.proposals, urn);
    expect(aspects).toMatchObject({
      mlModelProperties: {
        description: 'More polite.',
        externalUrl: `${server.uri}/#/prompts/ask?promptVersion=2`,
        customProperties: { 'mlflow.prompt.text': 'Please say {{word}}.', team: 'core' },
        tags: ['team:core'],
      },
      versionProperties: { aliases: [{ versionTag: 'live' }] },
      subTypes: { typeNames: ['Prompt Version'] },
    });
    if (version === '2.22.5') {
      expect(aspects['mlModelProperties']).toMatchObject({ downstreamJobs: [runUrn(run)] });
    } else {
      expect(aspectsOf(rest.proposals, runUrn(run))['dataProcessInstanceInput']).toEqual({
        inputs: [],
        inputEdges: [{ destinationUrn: urn }],
      });
    }
  });

  it('are not there where nobody asks for them', async () => {
    for (const usual of [await runOurs(server.uri), await runOurs(from)]) {
      expect(usual.report.counts.read).toMatchObject({ registeredModel: 1, modelVersion: 1 });
      expect(usual.text).not.toContain('Please say');
      // The rest is what it is with them, but for what the run used.
      const all = new Set(asSet(rest.proposals));
      expect(asSet(usual.proposals).filter((text) => !all.has(text))).toEqual([]);
    }
  });
});
