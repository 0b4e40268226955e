import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FabricType } from '../../src/datahub/urn.js';
import { experimentUrn, userUrn, versionSetUrn } from '../../src/datahub/urn.js';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import type { ServerFacts } from '../../src/mlflow/types.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import type { IdentifiedRecord } from '../../src/operators/identified-record.js';
import { setEnv } from '../../src/operators/set-env.js';
import { setPlatformInstance } from '../../src/operators/set-platform-instance.js';
import type { Operator } from '../../src/stream/contracts.js';
import { aspectsOf } from './map-to-proposals/mapped.js';
import { itIsAnOperator, outputOf, recordingContext } from './operator-cases.js';
import {
  dataset,
  datasetRecord,
  experimentRecord,
  modelRecord,
  run,
  runRecord,
  server,
  serverRecord,
  use,
  version,
  versionRecord,
} from './records.js';

const PLATFORM = 'urn:li:dataPlatform:mlflow';

const records: readonly MlflowRecord[] = [
  serverRecord(),
  experimentRecord(),
  runRecord({ datasetInputs: [{ dataset: dataset(), tags: [] }] }, [version()]),
  modelRecord(),
  versionRecord({ userId: 'ada' }, run()),
  datasetRecord(use()),
];

type Placing = Operator<MlflowRecord, MlflowRecord>;

/** What becomes of a record behind these operators. */
function placedUrns(record: MlflowRecord, ...operators: readonly Placing[]) {
  const placed = operators.reduce<readonly MlflowRecord[]>(
    (given, operator) => outputOf(operator, ...given),
    [record],
  );
  return outputOf(buildUrns(), ...placed)[0]?.urns;
}

describe('setPlatformInstance', () => {
  itIsAnOperator(() => setPlatformInstance({ platformInstance: 'eu' }), records);

  it('is for everything without a pattern, as the option of buildUrns is', () => {
    for (const record of records.slice(1)) {
      const [expected] = outputOf(buildUrns({ platformInstance: 'eu' }), record);
      const set = setPlatformInstance({ platformInstance: 'eu' });
      expect(placedUrns(record, set), record.kind).toEqual(expected?.urns);
    }
  });

  it('takes an experiment with its runs and their users, by its name', () => {
    const eu = setPlatformInstance({ platformInstance: 'eu', experiments: 'ch.*' });
    const experiment = experimentUrn('churn', 'eu');
    expect(placedUrns(experimentRecord(), eu)).toMatchObject({ experiment });
    const record = runRecord({ datasetInputs: [{ dataset: dataset(), tags: [] }] }, [version()]);
    expect(placedUrns(record, eu)).toMatchObject({
      instance: { name: 'eu' },
      experiment,
      user: userUrn('ada', 'eu'),
      versions: [`urn:li:mlModel:(${PLATFORM},churn_3,PROD)`],
      datasets: [`urn:li:dataset:(${PLATFORM},data,PROD)`],
    });
    expect(placedUrns(experimentRecord({ name: 'uplift' }), eu)).not.toHaveProperty('instance');
  });

  it('takes a model with its versions, its version set and what refers to them, by its name', () => {
    const eu = setPlatformInstance({ platformInstance: 'eu', models: 'churn' });
    const group = `urn:li:mlModelGroup:(${PLATFORM},eu.churn,PROD)`;
    const model = `urn:li:mlModel:(${PLATFORM},eu.churn_3,PROD)`;
    expect(placedUrns(modelRecord(), eu)).toMatchObject({ group, instance: { name: 'eu' } });
    expect(placedUrns(versionRecord({ userId: 'ada' }), eu)).toMatchObject({
      group,
      model,
      versionSet: versionSetUrn('churn', 'eu'),
      user: userUrn('ada', 'eu'),
    });
    const urns = placedUrns(runRecord({}, [version(), version({ name: 'uplift' })]), eu);
    expect(urns).toMatchObject({
      experiment: experimentUrn('churn'),
      versions: [model, `urn:li:mlModel:(${PLATFORM},uplift_3,PROD)`],
    });
    expect(urns).not.toHaveProperty('instance');
  });

  it('takes datasets by their name', () => {
    const eu = setPlatformInstance({ platformInstance: 'eu', datasets: 'data' });
    const urn = `urn:li:dataset:(${PLATFORM},eu.data,PROD)`;
    expect(placedUrns(datasetRecord(use()), eu)).toMatchObject({ dataset: urn });
    const record = runRecord({ datasetInputs: [{ dataset: dataset(), tags: [] }] });
    expect(placedUrns(record, eu)).toMatchObject({ datasets: [urn] });
  });

  it('goes by the last of several that is for a thing', () => {
    const all = setPlatformInstance({ platformInstance: 'eu' });
    const some = setPlatformInstance({ platformInstance: 'us', models: 'churn' });
    expect(placedUrns(modelRecord(), all, some)).toMatchObject({ instance: { name: 'us' } });
    expect(placedUrns(modelRecord(), some, all)).toMatchObject({ instance: { name: 'eu' } });
    expect(placedUrns(experimentRecord(), all, some)).toMatchObject({ instance: { name: 'eu' } });
  });

  it('asks a function once for a name, and again in the next run', () => {
    const asked: string[] = [];
    const operator = setPlatformInstance(({ kind, name, workspace }) => {
      asked.push(`${kind} ${workspace ?? '-'} ${name}`);
      return kind === 'experiment' ? 'eu' : undefined;
    });
    expect(operator.signature).toBeUndefined();
    const inTeam: ServerFacts = { ...server, workspace: 'team-a' };
    outputOf(operator, runRecord(), experimentRecord(), { ...experimentRecord(), server: inTeam });
    expect(asked).toEqual(['experiment - churn', 'experiment team-a churn']);
    operator.open?.(recordingContext().context);
    outputOf(operator, runRecord());
    expect(asked).toHaveLength(3);
  });

  it('sets a record aside where the function throws or gives nothing to go by', () => {
    const failing = setPlatformInstance(({ name }) => {
      if (name === 'churn') throw new Error('no idea');
      return '';
    });
    const { context, rejected } = recordingContext();
    const urns = buildUrns();
    for (const each of [failing, urns]) each.open?.(context);
    const placed = outputOf(failing, experimentRecord(), modelRecord({ name: 'uplift' }));
    expect(outputOf(urns, ...placed)).toEqual([]);
    expect(rejected.map(({ code, identity }) => [code, identity])).toEqual([
      ['UNMAPPABLE_RECORD', 'experiment 7'],
      ['BAD_PLATFORM_INSTANCE', 'registered model uplift'],
    ]);
  });

  it('has a signature of all that it goes by', () => {
    const signatures = [
      setPlatformInstance({ platformInstance: 'eu' }),
      setPlatformInstance({ platformInstance: 'us' }),
      setPlatformInstance({ platformInstance: 'eu', models: 'a' }),
      setPlatformInstance({ platformInstance: 'eu', experiments: 'a' }),
      setPlatformInstance({ platformInstance: 'eu', datasets: 'a' }),
    ].map(({ signature }) => signature);
    expect(new Set(signatures).size).toBe(signatures.length);
  });

  it('refuses what is no pattern', () => {
    expect(() => setPlatformInstance({ platformInstance: 'eu', models: '(' })).toThrow(
      'setPlatformInstance: "models" must be a regular expression, such as `team-a/.*`',
    );
  });
});

describe('setEnv', () => {
  itIsAnOperator(() => setEnv({ env: 'DEV' }), records);

  it('is part of the URNs of a model, and of what refers to it', () => {
    const dev = setEnv({ env: 'DEV', models: 'churn' });
    const group = `urn:li:mlModelGroup:(${PLATFORM},churn,DEV)`;
    const model = `urn:li:mlModel:(${PLATFORM},churn_3,DEV)`;
    expect(placedUrns(modelRecord(), dev)).toMatchObject({ group });
    expect(placedUrns(versionRecord(), dev)).toMatchObject({ group, model });
    expect(placedUrns(runRecord({}, [version()]), dev)).toMatchObject({ versions: [model] });
    expect(placedUrns(modelRecord({ name: 'uplift' }), dev)).toMatchObject({
      group: `urn:li:mlModelGroup:(${PLATFORM},uplift,PROD)`,
    });
  });

  it('is named in the properties of an experiment, whose URN has none', () => {
    const [record] = outputOf(setEnv({ env: 'DEV' }), experimentRecord());
    if (record === undefined) throw new Error('nothing came out');
    expect(aspectsOf('container', record)['containerProperties']).toMatchObject({ env: 'DEV' });
    expect(placedUrns(experimentRecord(), setEnv({ env: 'DEV' }))).toMatchObject({
      experiment: experimentUrn('churn'),
    });
    const bare = aspectsOf('container', experimentRecord())['containerProperties'];
    expect(bare).not.toHaveProperty('env');
  });

  it('leaves datasets in PROD, and asks nobody about them', () => {
    const asked: string[] = [];
    const dev = setEnv(({ kind }) => {
      asked.push(kind);
      return 'DEV';
    });
    const record = runRecord({ datasetInputs: [{ dataset: dataset(), tags: [] }] }, [version()]);
    const urns = { datasets: [`urn:li:dataset:(${PLATFORM},data,PROD)`] };
    expect(placedUrns(record, dev)).toMatchObject(urns);
    expect(placedUrns(datasetRecord(use()), dev)).toMatchObject({
      dataset: `urn:li:dataset:(${PLATFORM},data,PROD)`,
    });
    expect(asked).toEqual(['experiment', 'registeredModel']);
  });

  it('sets aside what is said to be of an environment that DataHub does not have', () => {
    const { context, rejected } = recordingContext();
    const urns = buildUrns();
    urns.open?.(context);
    const wrong = setEnv(() => 'dev' as FabricType);
    expect(outputOf(urns, ...outputOf(wrong, ...records.slice(1, 5)))).toEqual([]);
    expect(new Set(rejected.map(({ code }) => code))).toEqual(new Set(['BAD_ENV']));
    expect(rejected[0]?.message).toMatch(/^DataHub has no environment "dev". There are: PROD, DEV/);
  });
});

describe('where things are', () => {
  const name = fc.constantFrom('a', 'b', 'b,c', '@team-a/a', '__proto__');
  const place = fc.constantFrom(undefined, 'eu', 'us');
  const env = fc.constantFrom<FabricType | undefined>(undefined, 'DEV', 'SANDBOX');

  it('is the same for a thing and for all references to it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name, name), { minLength: 1, maxLength: 6 }),
        fc.func(place),
        fc.func(env),
        fc.constantFrom(undefined, 'team-a'),
        (things, instanceOf, envOf, workspace) => {
          const at = <T extends MlflowRecord>(record: T): T =>
            workspace === undefined ? record : { ...record, server: { ...server, workspace } };
          const store = things.flatMap(([experiment, model, data]): MlflowRecord[] => [
            experimentRecord({ name: experiment }),
            modelRecord({ name: model }),
            versionRecord({ name: model }),
            datasetRecord(use({ name: data })),
            {
              ...runRecord({ datasetInputs: [{ dataset: dataset({ name: data }), tags: [] }] }, [
                version({ name: model }),
              ]),
              experiment: { experimentId: '7', name: experiment },
            },
          ]);
          const placed = outputOf(
            setPlatformInstance(({ kind, name: of }) => instanceOf(kind, of)),
            ...store.map(at),
          );
          const withEnv = outputOf(
            setEnv(({ kind, name: of }) => envOf(kind, of)),
            ...placed,
          );
          expectReferencesIn(outputOf(buildUrns(), ...withEnv));
        },
      ),
    );
  });

  function expectReferencesIn(identified: readonly IdentifiedRecord[]): void {
    const there = new Set<string>();
    for (const { kind, urns } of identified) {
      if (kind === 'experiment') there.add(urns.experiment);
      else if (kind === 'registeredModel') there.add(urns.group);
      else if (kind === 'modelVersion') there.add(urns.model);
      else if (kind === 'dataset') there.add(urns.dataset);
    }
    for (const { kind, urns } of identified) {
      if (kind === 'modelVersion') expect(there).toContain(urns.group);
      if (kind !== 'run') continue;
      expect(there).toContain(urns.experiment);
      for (const urn of [...urns.versions, ...urns.datasets]) expect(there).toContain(urn);
    }
  }
});
