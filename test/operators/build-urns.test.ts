import fc from 'fast-check';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import { buildUrns } from '../../src/operators/build-urns.js';
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

const input = (name: string) => ({ dataset: dataset({ name }), tags: [] });
const urnsOf = (record: MlflowRecord, options?: Parameters<typeof buildUrns>[0]) =>
  outputOf(buildUrns(options), record)[0]?.urns;

const PLATFORM = 'urn:li:dataPlatform:mlflow';

// Made by DataHub's connector and by acryl-datahub for a container key with an instance.
const RUN = 'urn:li:dataProcessInstance:a82a6653147d75470bff5ea78976c6ed';
const CHURN = 'urn:li:container:2c70d8cfd3efcf2280436e1170397400';
const ADA = 'urn:li:platformResource:15908cbf51890152f7801c6a6755dce7';
const NOBODY = 'urn:li:platformResource:b20e6ba70ca623bfbc8e30ef374a001b';
const SET = 'urn:li:versionSet:(3cf7179b6360b7a67236aecb7e48116f,mlModel)';

describe('buildUrns', () => {
  itIsAnOperator(
    () => buildUrns(),
    [serverRecord(), experimentRecord(), runRecord(), modelRecord(), datasetRecord(use())],
  );

  it('leaves the record as it is', () => {
    const record = runRecord({ datasetInputs: [input('a')] }, [version()]);
    expect(outputOf(buildUrns(), record)[0]).toMatchObject(record);
  });

  it('makes the URNs of an experiment', () => {
    expect(urnsOf(experimentRecord())).toEqual({ platform: PLATFORM, experiment: CHURN });
  });

  it('makes those of a run and of all it refers to', () => {
    const record = runRecord({ datasetInputs: [input('b'), input('a, (x)'), input('b')] }, [
      version(),
      version({ name: 'a,b', version: '11' }),
    ]);
    expect(urnsOf(record)).toEqual({
      platform: PLATFORM,
      run: RUN,
      experiment: CHURN,
      user: ADA,
      userName: 'ada',
      versions: [
        `urn:li:mlModel:(${PLATFORM},churn_3,PROD)`,
        `urn:li:mlModel:(${PLATFORM},a%2Cb_11,PROD)`,
      ],
      datasets: [
        `urn:li:dataset:(${PLATFORM},b,PROD)`,
        `urn:li:dataset:(${PLATFORM},a%2C %28x%29,PROD)`,
      ],
      prompts: [],
    });
  });

  it('says that MLflow itself started a run that nobody did', () => {
    const { userId, ...anonymous } = run();
    expect(userId).toBeDefined();
    const nobody = { user: NOBODY, userName: 'mlflow' };
    expect(urnsOf({ ...runRecord(), run: anonymous })).toMatchObject(nobody);
    expect(urnsOf(runRecord({ userId: '' }))).toMatchObject(nobody);
  });

  it('makes those of a version with a run and a user, and without', () => {
    const group = `urn:li:mlModelGroup:(${PLATFORM},churn,PROD)`;
    const bare = {
      platform: PLATFORM,
      model: `urn:li:mlModel:(${PLATFORM},churn_3,PROD)`,
      modelName: 'churn_3',
      group,
      versionSet: SET,
      stageTag: 'urn:li:tag:mlflow_none',
    };
    expect(urnsOf(modelRecord())).toEqual({ platform: PLATFORM, group });
    expect(urnsOf(versionRecord())).toEqual(bare);
    expect(urnsOf(versionRecord({ userId: 'ada' }, run()))).toEqual({
      ...bare,
      run: RUN,
      user: ADA,
    });
  });

  it('does not link a version to a run that is gone', () => {
    expect(urnsOf(versionRecord({ runId: 'gone' }))).not.toHaveProperty('run');
  });

  it('tags a version by its stage; one without stages is in none', () => {
    const tag = (currentStage: string) => urnsOf(versionRecord({ currentStage }));
    expect(tag('Production')).toMatchObject({ stageTag: 'urn:li:tag:mlflow_production' });
    expect(tag('A, B')).toMatchObject({ stageTag: 'urn:li:tag:mlflow_a%2C b' });
    expect(tag('')).toMatchObject({ stageTag: 'urn:li:tag:mlflow_none' });
  });

  it('takes environment and separator from its options', () => {
    const options = { env: 'DEV', modelNameSeparator: ' v' } as const;
    expect(urnsOf(versionRecord(), options)).toMatchObject({
      model: `urn:li:mlModel:(${PLATFORM},churn v3,DEV)`,
      group: `urn:li:mlModelGroup:(${PLATFORM},churn,DEV)`,
    });
    // As with DataHub's own connector, or its datasets would be left behind.
    expect(urnsOf(datasetRecord(use()), options)).toMatchObject({
      dataset: `urn:li:dataset:(${PLATFORM},data,PROD)`,
    });
  });

  it('puts the platform instance into everything whose name is unique within it only', () => {
    const options = { platformInstance: 'eu' };
    const instance = { name: 'eu', urn: `urn:li:dataPlatformInstance:(${PLATFORM},eu)` };
    expect(urnsOf(serverRecord(), options)).toEqual({ platform: PLATFORM, instance });
    expect(urnsOf(experimentRecord(), options)).toEqual({
      platform: PLATFORM,
      instance,
      experiment: 'urn:li:container:70d1d1a94ccd1c743b7a3e947c81218d',
    });
    const ofVersion = urnsOf(versionRecord({ userId: 'ada' }, run()), options);
    expect(ofVersion).toMatchObject({
      model: `urn:li:mlModel:(${PLATFORM},eu.churn_3,PROD)`,
      modelName: 'churn_3',
      group: `urn:li:mlModelGroup:(${PLATFORM},eu.churn,PROD)`,
      // The ids of runs are unique everywhere, and stages are the same everywhere.
      run: RUN,
      stageTag: 'urn:li:tag:mlflow_none',
    });
    expect(ofVersion).not.toMatchObject({ versionSet: SET });
    expect(ofVersion).not.toMatchObject({ user: ADA });
    expect(urnsOf(datasetRecord(use()), options)).toMatchObject({
      dataset: `urn:li:dataset:(${PLATFORM},eu.data,PROD)`,
    });
  });

  it('rejects what DataHub would refuse, and goes on', () => {
    const { context, rejected, recorder } = recordingContext();
    const operator = buildUrns();
    operator.open?.(context);
    const long = 'ü'.repeat(80);
    const bad = [
      modelRecord({ name: long }),
      modelRecord({ name: '' }),
      versionRecord({ name: 'half \uD83D' }),
      versionRecord({ currentStage: 'odd ' }),
      datasetRecord(use({ name: long })),
    ];
    expect(outputOf(operator, ...bad, modelRecord())).toHaveLength(1);
    expect(rejected).toEqual([
      {
        kind: 'record',
        code: 'BAD_URN',
        message: `urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,${long},PROD): it takes 554 bytes URL-encoded, and DataHub allows 512`,
        identity: `registered model ${long}`,
        content: bad[0],
      },
      expect.objectContaining({ message: expect.stringContaining('is empty') as string }),
      expect.objectContaining({ identity: 'model version half \uD83D 3' }),
      expect.objectContaining({ message: expect.stringContaining('blank') as string }),
      expect.objectContaining({ identity: `dataset ${long}` }),
    ]);
    expect(recorder.counts().warnings).toEqual([]);
  });

  it('sends a run without its links to what is rejected, and says so', () => {
    const { context, rejected, recorder } = recordingContext();
    const operator = buildUrns();
    operator.open?.(context);
    const long = 'x'.repeat(500);
    const record = runRecord({ datasetInputs: [input(long), input('fine')] }, [
      version({ name: long }),
      version(),
    ]);
    const [out] = outputOf(operator, record);
    expect(out?.urns).toMatchObject({
      versions: [`urn:li:mlModel:(${PLATFORM},churn_3,PROD)`],
      datasets: [`urn:li:dataset:(${PLATFORM},fine,PROD)`],
    });
    expect(rejected).toEqual([]);
    const [warning] = recorder.counts().warnings;
    expect(warning).toMatchObject({ code: 'UNLINKED_URN', count: 2 });
    expect(warning?.examples[0]).toMatch(/^run aa11: urn:li:mlModel:.*: it takes 5\d\d bytes/);
  });

  it('rejects what has no shape, such as records of a custom source', () => {
    const { context, rejected } = recordingContext();
    const operator = buildUrns();
    operator.open?.(context);
    const odd = [{ kind: 'pipeline', server }, { kind: 'run', server }, null, {}];
    expect(outputOf(operator, ...(odd as MlflowRecord[]), serverRecord())).toHaveLength(1);
    expect(rejected.map(({ code, identity }) => [code, identity])).toEqual([
      ['UNKNOWN_RECORD_KIND', 'record of unknown shape'],
      ['UNMAPPABLE_RECORD', 'record of unknown shape'],
      ['UNMAPPABLE_RECORD', 'record of unknown shape'],
      ['UNKNOWN_RECORD_KIND', 'record of unknown shape'],
    ]);
  });

  it('errors the stream outside a pipeline, where nobody takes rejections', () => {
    const nameless = modelRecord({ name: '' });
    expect(failureOf(nameless)).toEqual({ code: 'BAD_URN', before: 1 });
    const server = { ...nameless.server, workspace: 'team-a' };
    expect(failureOf({ ...nameless, server })).toEqual({ code: 'BAD_URN', before: 1 });
  });

  it('refuses options that it does not know', () => {
    expect(() => buildUrns({ env: 'prod' } as object)).toThrow(
      /"env" must be one of "PROD", "DEV", .* did you mean "PROD"/,
    );
    expect(() => buildUrns({ platform_instance: 'eu' } as object)).toThrow(
      /did you mean "platformInstance"/,
    );
    expect(() => buildUrns({ modelNameSeparator: '' })).toThrow(/not empty/);
  });

  it('works as its example says', () => {
    const seen: unknown[] = [];
    const facts = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
    const experiment = { experimentId: '1', name: 'churn', lifecycleStage: 'active', tags: [] };
    from<MlflowRecord[]>([{ kind: 'experiment', server: facts, experiment }])
      .pipe(buildUrns({ env: 'DEV' }))
      .subscribe(({ urns }) => seen.push(urns));
    expect(seen).toEqual([{ platform: PLATFORM, experiment: CHURN }]);
  });
});

function failureOf(record: MlflowRecord) {
  let before = 0;
  let failure: unknown;
  from([serverRecord(), record, serverRecord()])
    .pipe(buildUrns())
    .subscribe({
      next: () => (before += 1),
      error: (error: unknown) => {
        failure = error;
      },
    });
  if (!(failure instanceof PipelineError)) throw new Error('no failure');
  return { code: failure.code, before };
}

describe('ids of workspaces', () => {
  const inWorkspace = <R extends MlflowRecord>(record: R, workspace: string | undefined): R =>
    workspace === undefined ? record : { ...record, server: { ...server, workspace } };

  it('stand in everything but stages and users', () => {
    const of = (record: MlflowRecord) => urnsOf(inWorkspace(record, 'team-a'));
    expect(of(serverRecord())).toEqual({ platform: PLATFORM });
    expect(of(modelRecord())).toMatchObject({
      group: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,@team-a/churn,PROD)',
    });
    expect(of(datasetRecord(use()))).toMatchObject({
      dataset: expect.stringMatching(
        /^urn:li:dataset:\(urn:li:dataPlatform:mlflow,@team-a\//,
      ) as string,
    });
    const version_ = of(versionRecord());
    expect(version_).toMatchObject({
      model: expect.stringMatching(
        /^urn:li:mlModel:\(urn:li:dataPlatform:mlflow,@team-a\/churn_/,
      ) as string,
      modelName: expect.stringMatching(/^churn_/) as string,
      group: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,@team-a/churn,PROD)',
      stageTag: expect.stringMatching(/^urn:li:tag:mlflow_[a-z]+$/) as string,
    });
    const run_ = of(runRecord({ datasetInputs: [input('a')] }, [version()]));
    expect(run_).toMatchObject({
      user: ADA,
      datasets: ['urn:li:dataset:(urn:li:dataPlatform:mlflow,@team-a/a,PROD)'],
    });
    expect(run_).not.toMatchObject({ run: RUN });
    expect(run_).not.toMatchObject({ experiment: CHURN });
    expect(version_).not.toMatchObject({ versionSet: SET });
  });

  it('stand behind the platform instance', () => {
    const record = inWorkspace(modelRecord(), 'team-a');
    expect(urnsOf(record, { platformInstance: 'eu' })).toMatchObject({
      group: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,eu.@team-a/churn,PROD)',
    });
  });

  it('are never the same in two of them, whatever names and separators are', () => {
    const workspaceName = fc.constantFrom(undefined, 'team-a', 'team-b', 'a1');
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      // What looks as if it were of a workspace, and old names with a slash.
      fc
        .tuple(fc.constantFrom('@team-a/', '@default/', '@', 'team-a/', ''), fc.string())
        .map((parts) => parts.join('')),
    );
    const separator = fc.constantFrom('_', '/', '@');
    const idsIn = (text: string, workspace: string | undefined, between: string): Set<string> => {
      const records: MlflowRecord[] = [
        experimentRecord({ name: text }),
        modelRecord({ name: text }),
        versionRecord({ name: text, version: '1' }),
        runRecord({ runId: text }),
        datasetRecord(use({ name: text })),
      ];
      const operator = buildUrns({ modelNameSeparator: between });
      const { context } = recordingContext();
      operator.open?.(context);
      const given = records.map((record) => inWorkspace(record, workspace));
      return new Set(
        outputOf(operator, ...given).flatMap((record) => {
          const ids: Record<string, unknown> = { ...record.urns };
          for (const shared of ['platform', 'user', 'userName', 'stageTag', 'modelName']) {
            // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- names of fields
            delete ids[shared];
          }
          return Object.values(ids).flatMap((id) => id as string | string[]);
        }),
      );
    };
    fc.assert(
      fc.property(
        ...([name, name, workspaceName, workspaceName, separator] as const),
        (one, other, here, there, between) => {
          fc.pre(here !== there);
          // DataHub itself takes a name and its percent-encoded form for one.
          fc.pre(!one.includes('%') && !other.includes('%'));
          const ids = idsIn(one, here, between);
          expect([...idsIn(other, there, between)].filter((id) => ids.has(id))).toEqual([]);
        },
      ),
    );
  });

  it("are those of DataHub's connector in the default one, but for names that look like others", () => {
    const urns = (text: string) => urnsOf(modelRecord({ name: text }));
    expect(urns('team-a/churn')).toMatchObject({
      group: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,team-a/churn,PROD)',
    });
    expect(urns('@team-a/churn')).toMatchObject({
      group: 'urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,@default/@team-a/churn,PROD)',
    });
  });
});
