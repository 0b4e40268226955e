import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { from } from 'rxjs';
import type { MlflowRecord, RecordKind } from '../../src/mlflow/records.js';
import type { ServerFacts } from '../../src/mlflow/types.js';
import { versionGate } from '../../src/operators/version-gate.js';
import { itIsAnOperator, outputOf, recordingContext } from './operator-cases.js';
import {
  datasetRecord,
  experimentRecord,
  modelRecord,
  runRecord,
  server,
  serverRecord,
  use,
  versionRecord,
} from './records.js';

const all: readonly MlflowRecord[] = [
  serverRecord(),
  experimentRecord(),
  modelRecord(),
  runRecord(),
  versionRecord(),
  datasetRecord(use()),
];
const kinds = new Set<RecordKind>(all.map(({ kind }) => kind));

function of(version: string | undefined, searchesExperiments = true): ServerFacts {
  return {
    uri: 'http://old:5000',
    ...(version === undefined ? {} : { version }),
    versionText: version ?? (searchesExperiments ? '1.28.0 or later 1.x' : 'older than 1.28.0'),
    searchesExperiments,
  };
}

const from1 = (facts: ServerFacts) => all.map((record) => ({ ...record, server: facts }));
const kindsThrough = (operator: ReturnType<typeof versionGate>, facts: ServerFacts) =>
  outputOf(operator, ...from1(facts)).map(({ kind }) => kind);

describe('versionGate', () => {
  itIsAnOperator(() => versionGate(), all);

  it('keeps models, versions and stages of an old server', () => {
    expect(kindsThrough(versionGate(), of('1.27.0'))).toEqual([
      'server',
      'registeredModel',
      'modelVersion',
    ]);
  });

  it.each([
    ['1.27.9', true, false],
    ['1.28.0', false, true],
    ['1.28', true, true],
    ['1.28.0rc1', true, true],
    ['1.30.1.dev0', true, true],
    ['3.17.2', true, true],
    ['0.9.1', true, false],
    // Nothing is known but whether experiments can be searched.
    [undefined, true, true],
    [undefined, false, false],
    ['unknown', true, true],
  ])('a server of version %s that searches experiments (%s) passes: %s', (version, can, open) => {
    expect(kindsThrough(versionGate(), of(version, can))).toHaveLength(open ? 6 : 3);
  });

  it('compares versions as numbers', () => {
    const version = fc.tuple(fc.nat(30), fc.nat(30), fc.nat(30));
    fc.assert(
      fc.property(version, version, (a, b) => {
        const older = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
        const gate = versionGate({ minimum: b.join('.') });
        expect(kindsThrough(gate, of(a.join('.')))).toHaveLength(older < 0 ? 3 : 6);
      }),
    );
  });

  it('takes what it drops out of the plan', () => {
    const plan = { kinds };
    expect(versionGate().narrow?.(plan, server)).toEqual(plan);
    expect(versionGate().narrow?.(plan, of('1.27.0'))).toEqual({
      kinds: new Set(['server', 'registeredModel', 'modelVersion']),
    });
    const bare = { kinds: new Set<RecordKind>(['modelVersion']) };
    expect(versionGate().narrow?.(bare, of('1.27.0'))).toEqual(bare);
  });

  it('warns once a run, and counts what it leaves out', () => {
    const gate = versionGate();
    for (let repeat = 0; repeat < 2; repeat += 1) {
      const { context, recorder } = recordingContext();
      gate.open?.(context);
      gate.narrow?.({ kinds }, of(undefined, false));
      kindsThrough(gate, of(undefined, false));
      const { warnings, skipped } = recorder.counts();
      expect(warnings).toEqual([
        {
          code: 'VERSION_GATE',
          message:
            'experiments, runs, logged models and datasets are skipped: MLflow 1.28.0 or newer is needed for them',
          count: 1,
          examples: ['http://old:5000 is MLflow older than 1.28.0'],
        },
      ]);
      expect(skipped).toEqual({
        'all of experiment, run, dataset: MLflow older than 1.28.0': 1,
        'experiment: MLflow older than 1.28.0': 1,
        'run: MLflow older than 1.28.0': 1,
        'dataset: MLflow older than 1.28.0': 1,
      });
    }
  });

  it('says nothing about a server that is new enough', () => {
    const { context, recorder } = recordingContext();
    const gate = versionGate();
    gate.open?.(context);
    gate.narrow?.({ kinds }, server);
    outputOf(gate, ...all);
    expect(recorder.counts()).toMatchObject({ warnings: [], skipped: {} });
  });

  it('refuses a minimum that is no version, and mistyped options', () => {
    expect(() => versionGate({ minimum: 'latest' })).toThrow(/"minimum" must be a version/);
    expect(() => versionGate({ minimun: '2.0.0' } as object)).toThrow(/did you mean "minimum"/);
  });

  it('works as its example says', () => {
    const old = of('1.27.0', false);
    const seen: string[] = [];
    from<MlflowRecord[]>([
      { kind: 'server', server: old },
      { ...experimentRecord(), server: old },
    ])
      .pipe(versionGate({ minimum: '1.28.0' }))
      .subscribe(({ kind }) => seen.push(kind));
    expect(seen).toEqual(['server']);
  });
});
