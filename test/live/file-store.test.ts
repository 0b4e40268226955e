/**
 * Servers that keep everything in a folder of files: the folder says what the server says, also of
 * what is deleted, whichever MLflow wrote it.
 */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOurs, type OurResult } from './ours.js';
import { asSet, type FiledProposal, withoutSystemMetadata } from './proposals.js';
import { seed, type Seeded } from './seed.js';
import { startMlflow, type MlflowServer } from './servers.js';
import { Changer } from './state/changer.js';
import { StatefulPipeline } from './state/pipeline.js';

/** What a folder takes no name of. */
const REFUSED = [
  'experiment quotes \' " `',
  'model comma, (parentheses) and 100%',
  'model already%20encoded%2C',
  'model with a slash',
  'alias of comma, (parentheses) and 100%',
];

describe.each(['1.28.0', '2.22.5', '3.17.2'] as const)('a folder of MLflow %s', (version) => {
  let server: MlflowServer;
  let seeded: Seeded;
  let rest: OurResult;
  let direct: OurResult;

  beforeAll(async () => {
    server = await startMlflow(version, undefined, 1, 'files');
    seeded = await seed(version, server.uri, 'common');
    rest = await runOurs(server.uri);
    direct = await runOurs(server.files);
  });

  afterAll(async () => {
    await server.stop();
  });

  it('takes all content but what it is known to refuse', () => {
    const others =
      version === '1.28.0'
        ? // Its folders have no registry.
          ['parameter of 6000 characters', 'registry', 'dataset inputs', 'prompts', 'logged models']
        : [...REFUSED, ...(version === '2.22.5' ? ['logged models'] : [])];
    expect(seeded.refused).toEqual(others);
    expect(seeded.runs).toBeGreaterThan(25);
  });

  it('gives the same over REST and directly, byte for byte', () => {
    for (const { report } of [rest, direct]) {
      expect(report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
      expect(report.counts.rejected).toBe(0);
    }
    expect(direct.report.counts.read).toEqual(rest.report.counts.read);
    expect(asSet(direct.proposals)).toEqual(asSet(rest.proposals));
    expect(direct.proposals.length).toBeGreaterThan(200);
  });

  it('gives the same bytes when it is read again, and by its URI', async () => {
    const again = await runOurs(`file://${server.files}`);
    expect(withoutSystemMetadata(again.text)).toBe(withoutSystemMetadata(direct.text));
  });
});

/** With the types of what has to be sent as removed. */
const CHANGES: readonly (readonly [change: string, removed: readonly string[]])[] = [
  ['delete-run', ['dataProcessInstance']],
  ['new-version', []],
  ['delete-version', ['mlModel']],
  ['delete-model', ['mlModel', 'mlModelGroup']],
  ['delete-experiment', ['container', 'dataProcessInstance']],
];

describe('what is deleted in a folder of MLflow', () => {
  const version = '2.22.5';
  let server: MlflowServer;
  let changer: Changer;
  const pipelines: Record<string, StatefulPipeline> = {};

  beforeAll(async () => {
    server = await startMlflow(version, undefined, 1, 'files');
    changer = new Changer(version, server.uri);
    await changer.make('prepare');
    const lookback = { lookbackDays: 7, fullSweepEveryDays: 365 };
    pipelines['over REST'] = await StatefulPipeline.create({ from: server.uri, state: lookback });
    pipelines['all of it'] = await StatefulPipeline.create({ from: server.files });
    pipelines['a lookback'] = await StatefulPipeline.create({
      from: server.files,
      state: lookback,
    });
    for (const pipeline of Object.values(pipelines)) {
      const { status, output, proposals } = await pipeline.run();
      expect(status, output).toBe(0);
      expect(proposals.length).toBeGreaterThan(50);
    }
  });

  afterAll(async () => {
    await changer.stop();
    for (const pipeline of Object.values(pipelines)) await pipeline.remove();
    await server.stop();
  });

  it.each(CHANGES)('%s: gives what it gives over REST', async (change, removed) => {
    await changer.make(change);
    const got: Record<string, readonly string[]> = {};
    for (const [name, pipeline] of Object.entries(pipelines)) {
      const { status, output, proposals } = await pipeline.run();
      expect(status, output).toBe(0);
      expect(removedIn(proposals)).toEqual(removed);
      got[name] = asSet(proposals);
    }
    expect(got['all of it']).toEqual(got['over REST']);
    expect(got['a lookback']).toEqual(got['over REST']);
  });

  it('is not what is broken, nor anything where the folder is gone', async () => {
    const { 'all of it': pipeline } = pipelines;
    if (pipeline === undefined) throw new Error('no such pipeline');
    await writeFile(join(server.files, '0', 'meta.yaml'), 'name: [');
    const broken = await pipeline.run();
    expect(removedIn(broken.proposals)).toEqual([]);
    expect(broken.report.counts.rejected).toBe(1);

    await rm(server.files, { recursive: true });
    const gone = await pipeline.run();
    expect(gone.status).not.toBe(0);
    expect(gone.output).toContain('SOURCE_NOT_FOUND');
    expect(gone.proposals).toEqual([]);
  });
});

function removedIn(proposals: readonly FiledProposal[]): readonly string[] {
  return proposals
    .filter(({ aspect }) => aspect.json['removed'] === true)
    .map(({ entityType }) => entityType)
    .sort();
}
