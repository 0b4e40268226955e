/**
 * What metrics were before their last value: the same over REST, from the database and from the folder,
 * and what DataHub's classes take.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOurs, type OurResult } from './ours.js';
import { asSet } from './proposals.js';
import { seed } from './seed.js';
import { startMlflow, type MlflowServer } from './servers.js';
import { checkWithClasses, type Validation } from './validate.js';

/** As the seed has it: twelve steps, not logged in their order. */
const START = 1_700_000_000_000;

const wanted = (metrics: string) => ({ mapToProposals: { metricHistory: { metrics, points: 5 } } });

const CASES = (['1.28.0', '2.22.5', '3.17.2'] as const).flatMap((version) =>
  (['database', 'files'] as const).map((kind) => [version, kind] as const),
);

describe.each(CASES)('histories of metrics in MLflow %s with a store of %s', (version, kind) => {
  let server: MlflowServer;
  let rest: OurResult;
  let direct: OurResult;
  let validation: Omit<Validation, 'found'>;

  beforeAll(async () => {
    server = await startMlflow(version, undefined, 1, kind === 'files' ? kind : undefined);
    await seed(version, server.uri, 'common');
    rest = await runOurs(server.uri, wanted('.*'), async (file) => {
      validation = await checkWithClasses(file);
    });
    const from = kind === 'files' ? server.files : `sqlite:///${server.database}`;
    direct = await runOurs(from, wanted('.*'));
  });

  afterAll(async () => {
    await server.stop();
  });

  const metricsOf = ({ proposals }: OurResult, name: string): readonly unknown[] =>
    proposals.flatMap(({ aspectName, aspect }) => {
      if (aspectName !== 'mlTrainingRunProperties') return [];
      const { trainingMetrics } = aspect.json as { trainingMetrics: readonly { name: string }[] };
      return trainingMetrics.filter((metric) => metric.name === name);
    });

  it('are the same over REST and directly, byte for byte', () => {
    for (const { report } of [rest, direct]) {
      expect(report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
      expect(report.counts.warnings.map(({ code }) => code)).not.toContain(
        'METRIC_HISTORY_NOT_READ',
      );
    }
    expect(asSet(direct.proposals)).toEqual(asSet(rest.proposals));
  });

  it('are the last points, in the order of their steps, and taken by DataHub', () => {
    const earlier = [7, 8, 9, 10].map((step) => ({
      name: 'steps',
      description: `step ${step}`,
      value: String(step / 8).includes('.') ? String(step / 8) : `${step / 8}.0`,
      createdAt: START + step,
    }));
    expect(metricsOf(rest, 'steps')).toEqual([...earlier, { name: 'steps', value: '1.375' }]);
    // At one step and time by value, as far as a store can tell these.
    const highest = kind === 'files' ? 'inf' : '1.7976931348623157e+308';
    expect(metricsOf(rest, 'ties')).toEqual([
      ...['nan', `-${highest}`, '0.5', highest].map((value) => ({
        name: 'ties',
        description: 'step 1',
        value,
        createdAt: START,
      })),
      { name: 'ties', value: '1.0' },
    ]);
    expect(validation.problems).toEqual([]);
    expect(validation.count).toBe(rest.proposals.length);
  });

  it('leave everything else as it is', async () => {
    const usual = await runOurs(server.uri);
    const known = new Set(asSet(usual.proposals));
    const others = rest.proposals.filter((proposal) =>
      asSet([proposal]).some((text) => !known.has(text)),
    );
    expect(others.map(({ aspectName }) => aspectName)).toEqual(['mlTrainingRunProperties']);
    expect(rest.proposals).toHaveLength(usual.proposals.length);
    const none = await runOurs(server.uri, wanted('no such metric'));
    expect(asSet(none.proposals)).toEqual(asSet(usual.proposals));
    expect(none.report.counts.requests).toBe(usual.report.counts.requests);
  });
});
