import { describe, expect, it } from 'vitest';
import { RECORD_KINDS } from '../../../src/mlflow/records.js';
import { reviveRecord } from '../../../src/mlflow/revive-record.js';
import type { Metric } from '../../../src/mlflow/types.js';
import { mapToProposals } from '../../../src/operators/map-to-proposals/index.js';
import { narrowedPlan } from '../../../src/stream/operators.js';
import { run, runRecord, server, versionRecord } from '../records.js';
import { aspectsOf, map } from './mapped.js';

const metrics: readonly Metric[] = [
  {
    key: 'loss',
    value: 0.25,
    timestamp: 1_700_000_003_000,
    step: 3,
    history: [
      { value: NaN, timestamp: 1_700_000_001_000, step: -1 },
      { value: 1e-5, timestamp: 0, step: 2 },
    ],
  },
  {
    key: 'val_loss',
    value: 1,
    timestamp: 1,
    step: 1,
    history: [{ value: 2, timestamp: 0, step: 0 }],
  },
  { key: 'zero', value: 0, timestamp: 1, step: 1 },
];
const LAST = [
  { name: 'loss', value: '0.25' },
  { name: 'val_loss', value: '1.0' },
  { name: 'zero', value: '0.0' },
];

const metricsWith = (options: Parameters<typeof map>[1]): unknown =>
  aspectsOf('dataProcessInstance', runRecord({ metrics }), options)['mlTrainingRunProperties']?.[
    'trainingMetrics'
  ];

describe('metricHistory', () => {
  it('shows what metrics were before their last value, in the order of the steps', () => {
    expect(metricsWith({ metricHistory: { metrics: 'loss|zero' } })).toEqual([
      { name: 'loss', description: 'step -1', value: 'nan', createdAt: 1_700_000_001_000 },
      { name: 'loss', description: 'step 2', value: '1e-05', createdAt: 0 },
      ...LAST,
    ]);
  });

  it('is of the metrics that match as a whole, and of so many points with the last one', () => {
    expect(metricsWith({ metricHistory: { metrics: '.*loss', points: 2 } })).toEqual([
      { name: 'loss', description: 'step 2', value: '1e-05', createdAt: 0 },
      LAST[0],
      { name: 'val_loss', description: 'step 0', value: '2.0', createdAt: 0 },
      ...LAST.slice(1),
    ]);
  });

  it('is off by default: whatever a record holds, the last values are what is sent', () => {
    expect(metricsWith({})).toEqual(LAST);
    const others = metrics.map(({ key, value, timestamp, step }) => ({
      key,
      value,
      timestamp,
      step,
    }));
    expect(map(runRecord({ metrics })).proposals).toEqual(
      map(runRecord({ metrics: others })).proposals,
    );
    const on = { metricHistory: { metrics: '.*' } };
    expect(map(runRecord({ metrics: others }), on).proposals).toEqual(
      map(runRecord({ metrics: others })).proposals,
    );
  });

  it('is not shown of versions', () => {
    const record = versionRecord({}, run({ metrics }));
    const { mlModelProperties } = aspectsOf('mlModel', record, {
      metricHistory: { metrics: '.*' },
    });
    expect(mlModelProperties?.['trainingMetrics']).toEqual(LAST);
  });

  it('is asked of the source, where it is wanted', () => {
    expect(narrowedPlan([mapToProposals()], server)).not.toHaveProperty('metricHistory');
    const wanting = mapToProposals({ metricHistory: { metrics: 'loss', points: 7 } });
    const plan = narrowedPlan([mapToProposals(), wanting], server);
    expect(plan.metricHistory).toEqual({ metrics: 'loss', points: 7 });
    expect([...plan.kinds]).toEqual(RECORD_KINDS.filter((kind) => kind !== 'loggedModel'));
    const other = mapToProposals({ metricHistory: { metrics: 'loss', points: 8 } });
    expect(new Set([mapToProposals().signature, wanting.signature, other.signature]).size).toBe(3);
  });

  it.each([
    [{ metrics: '(' }, /"metricHistory.metrics" must be a regular expression/],
    [{ metrics: 'loss', points: 1 }, /points" must be at least 2/],
    [{ metrics: 'loss', points: 1_001 }, /points" must be at most 1000/],
    [{}, /metrics/],
    [{ metric: 'loss' }, /did you mean "metrics"/],
  ])('does not take %j', (metricHistory, message) => {
    expect(() => mapToProposals({ metricHistory } as never)).toThrow(message);
  });

  it('comes back from a dead-letter file with its numbers', () => {
    const record = runRecord({ metrics });
    const written = JSON.stringify(record, (_, value: unknown) =>
      Number.isNaN(value) ? 'NaN' : value,
    );
    expect(reviveRecord(JSON.parse(written))).toEqual(record);
    const odd = { ...record, run: { ...record.run, metrics: [{ key: 'a', history: 'x' }, null] } };
    expect(reviveRecord(odd)).toEqual(odd);
  });
});
