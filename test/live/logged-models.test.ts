/**
 * Logged models of MLflow 3, as training and evaluation leave them: the same over REST, from the
 * database and from the folder, and what DataHub's classes take.
 */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runUrn } from '../../src/datahub/urn.js';
import { loggedModelKey } from '../../src/mlflow/record-key.js';
import { restSource } from '../../src/sources/rest-source.js';
import { runContext } from '../../src/testing/run-context.js';
import { runOurs, type OurResult } from './ours.js';
import { asSet, type FiledProposal } from './proposals.js';
import { runWithMlflow, startMlflow, type MlflowServer } from './servers.js';
import { checkWithClasses, type Validation } from './validate.js';

const WANTED = { mapToProposals: { loggedModels: true } };

type Ids = Readonly<
  Record<
    | 'experiment'
    | 'train'
    | 'evaluation'
    | 'churn'
    | 'bare'
    | 'pending'
    | 'failed'
    | 'deleted'
    | 'in deleted experiment',
    string
  >
>;

const modelUrn = (name: string): string =>
  `urn:li:mlModel:(urn:li:dataPlatform:mlflow,${name},PROD)`;

const aspectsOf = (proposals: readonly FiledProposal[], urn: string) =>
  Object.fromEntries(
    proposals.flatMap(({ entityUrn, aspectName, aspect }) =>
      entityUrn === urn ? [[aspectName, aspect.json]] : [],
    ),
  );

describe.each(['database', 'files'] as const)('logged models in a store of %s', (kind) => {
  let server: MlflowServer;
  let ids: Ids;
  let rest: OurResult;
  let direct: OurResult;
  let validation: Omit<Validation, 'found'>;

  beforeAll(async () => {
    server = await startMlflow('3.17.2', undefined, 1, kind === 'files' ? kind : undefined);
    const script = fileURLToPath(new URL('logged-models.py', import.meta.url));
    const output = await runWithMlflow('3.17.2', script, [server.uri]);
    ids = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Ids;
    rest = await runOurs(server.uri, WANTED, async (file) => {
      validation = await checkWithClasses(file);
    });
    const from = kind === 'files' ? server.files : `sqlite:///${server.database}`;
    direct = await runOurs(from, WANTED);
  });

  afterAll(async () => {
    await server.stop();
  });

  it('are the same over REST and directly, byte for byte', () => {
    for (const { report } of [rest, direct]) {
      expect(report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
      expect(report.counts.read).toMatchObject({ loggedModel: 29, run: 2, modelVersion: 3 });
    }
    expect(asSet(direct.proposals)).toEqual(asSet(rest.proposals));
  });

  it('are taken by DataHub', () => {
    expect(validation.problems).toEqual([]);
    expect(validation.count).toBe(rest.proposals.length);
  });

  it('have what they were made from, what they were made with and how good they are', () => {
    const aspects = aspectsOf(rest.proposals, modelUrn(ids.churn));
    expect(aspects['mlModelProperties']).toMatchObject({
      externalUrl: `${server.uri}/#/experiments/${ids.experiment}/models/${ids.churn}`,
      name: 'churn',
      type: 'classifier',
      trainingJobs: [runUrn(ids.train)],
      downstreamJobs: [runUrn(ids.evaluation)],
      customProperties: {
        'mlflow.model_id': ids.churn,
        'mlflow.status': 'READY',
        flavour: 'sklearn',
        empty: '',
      },
      hyperParams: [
        { name: 'depth', value: '3' },
        { name: 'empty', value: '' },
      ],
      trainingMetrics: [
        { name: 'f1', description: 'on dataset test (d2)', value: '0.125' },
        { name: 'f1', description: 'on dataset training (d1)', value: '0.5' },
        { name: 'infinity', value: kind === 'files' ? 'inf' : '1.7976931348623157e+308' },
        { name: 'loss', value: '1.375' },
        { name: 'not a number', value: kind === 'files' ? 'nan' : '0.0' },
        { name: 'tiny', value: '5e-324' },
      ],
    });
    expect(aspects).toMatchObject({ subTypes: { typeNames: ['Logged Model'] } });
    const { container } = aspectsOf(rest.proposals, runUrn(ids.train));
    expect(aspects['container']).toEqual(container);
    for (const [name, status] of [
      ['pending', 'PENDING'],
      ['failed', 'FAILED'],
    ] as const) {
      expect(aspectsOf(rest.proposals, modelUrn(ids[name]))['mlModelProperties']).toMatchObject({
        name,
        customProperties: { 'mlflow.status': status },
      });
    }
  });

  it('are not given where they are deleted, or their experiment is', () => {
    const named = rest.proposals.filter(({ entityUrn }) => entityUrn === modelUrn(ids.deleted));
    expect(named).toEqual([]);
    expect(rest.text).not.toContain('of a deleted experiment');
  });

  it('are gone where they are deleted, unknown, or in a deleted experiment', async () => {
    const source = await restSource({ uri: server.uri }).open(runContext());
    const unknown = `m-${'0'.repeat(32)}`;
    const keys = [ids.churn, ids.deleted, ids['in deleted experiment'], unknown].map((id) =>
      loggedModelKey(id),
    );
    expect([...((await source.findGone?.(keys)) ?? [])].sort()).toEqual(keys.slice(1).sort());
    await source.close();
  });

  it('give a version that has no run its parameters and metrics, whatever is asked for', async () => {
    const usual = await runOurs(server.uri);
    const from = kind === 'files' ? server.files : `sqlite:///${server.database}`;
    expect(asSet((await runOurs(from)).proposals)).toEqual(asSet(usual.proposals));
    expect(usual.report.counts.read).not.toHaveProperty('loggedModel');
    expect(aspectsOf(usual.proposals, modelUrn('bare_1'))['mlModelProperties']).toMatchObject({
      trainingJobs: [],
      hyperParams: [{ name: 'k', value: 'v' }],
      trainingMetrics: [{ name: 'f1', value: '0.75' }],
    });
    expect(aspectsOf(usual.proposals, modelUrn('churn_1'))['mlModelProperties']).toMatchObject({
      trainingJobs: [runUrn(ids.train)],
      hyperParams: [{ name: 'depth', value: '3' }],
    });
    // Nothing but the logged models themselves is added by asking for them, and that versions name them.
    const all = new Set(asSet(rest.proposals));
    const others = asSet(usual.proposals).filter((text) => !all.has(text));
    const named = rest.proposals.filter(
      ({ entityUrn, aspectName, aspect }) =>
        aspectName === 'mlModelProperties' &&
        !entityUrn.includes(',m-') &&
        JSON.stringify(aspect.json['customProperties']).includes('"mlflow.model_id":"m-'),
    );
    expect(others.every((text) => text.includes(' mlModelProperties '))).toBe(true);
    expect(others).toHaveLength(named.length);
    expect(named.map(({ entityUrn }) => entityUrn)).toContain(modelUrn('bare_1'));
  });
});
