import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import { filter, type FilterOptions } from '../../src/operators/filter.js';
import { itIsAnOperator, outputOf, recordingContext } from './operator-cases.js';
import { pairs } from './map-to-proposals/mapped.js';
import {
  datasetRecord,
  experimentRecord,
  loggedModel,
  loggedModelRecord,
  modelRecord,
  run,
  runRecord,
  server,
  serverRecord,
  use,
  version,
  versionRecord,
} from './records.js';

const DAY_MS = 86_400_000;
const NOW = 1_000 * DAY_MS;

/** What is let through of records, where the pipeline's run begins at `NOW`. */
function kept(options: FilterOptions, ...records: MlflowRecord[]) {
  const operator = filter(options);
  const { context, recorder } = recordingContext();
  operator.open?.({ ...context, startedAt: NOW });
  const output = outputOf<MlflowRecord, MlflowRecord>(operator, ...records);
  return { output, skipped: recorder.counts().skipped };
}

const passes = (options: FilterOptions, record: MlflowRecord) =>
  kept(options, record).output.length === 1;

describe('filter', () => {
  itIsAnOperator(
    () => filter({ runs: { statuses: ['FINISHED'] } }),
    [serverRecord(), runRecord(), modelRecord(), datasetRecord(use())],
  );

  it.each<readonly [string, FilterOptions, MlflowRecord, MlflowRecord]>([
    [
      'names of experiments',
      { experiments: { names: { allow: ['prod-.*'], deny: ['.*-tmp'] } } },
      experimentRecord({ name: 'prod-a' }),
      experimentRecord({ name: 'prod-a-tmp' }),
    ],
    [
      'tags, of which all that are allowed have to match',
      { experiments: { tags: { allow: { team: 'core|ml', gold: '.*' } } } },
      experimentRecord({ tags: pairs({ team: 'ml', gold: '', more: 'x' }) }),
      experimentRecord({ tags: pairs({ team: 'ml' }) }),
    ],
    [
      'tags, of which none that is denied may match',
      { models: { tags: { deny: { archived: 'yes', team: 'x.*' } } } },
      modelRecord({ tags: pairs({ archived: 'no' }) }),
      modelRecord({ tags: pairs({ team: 'xy' }) }),
    ],
    [
      'the age of experiments',
      { experiments: { createdWithin: '2d' } },
      experimentRecord({ creationTime: NOW - 2 * DAY_MS }),
      experimentRecord({ creationTime: NOW - 2 * DAY_MS - 1 }),
    ],
    [
      'the age of runs, of which one without a start is old',
      { runs: { startedWithin: '4w' } },
      runRecord({ startTime: NOW - 28 * DAY_MS }),
      runRecord({ startTime: 0 }),
    ],
    [
      'statuses of runs',
      { runs: { statuses: ['FINISHED|RUNNING', 'SCHEDULED'] } },
      runRecord({ status: 'SCHEDULED' }),
      runRecord({ status: 'FAILED' }),
    ],
    [
      'names of runs',
      { runs: { names: { deny: ['debug.*'] } } },
      runRecord({ runName: 'a debug' }),
      runRecord({ runName: 'debug\nrun' }),
    ],
    [
      'users of runs',
      { runs: { users: ['ada|grace'] } },
      runRecord({ userId: 'grace' }),
      runRecord({ userId: 'eve' }),
    ],
    [
      'the age of models',
      { models: { createdWithin: '48h', updatedWithin: '1d' } },
      modelRecord({ creationTimestamp: NOW - DAY_MS, lastUpdatedTimestamp: NOW }),
      modelRecord({ creationTimestamp: NOW - DAY_MS, lastUpdatedTimestamp: NOW - DAY_MS - 1 }),
    ],
    [
      'stages',
      { versions: { stages: ['Production'] } },
      versionRecord({ currentStage: 'Production' }),
      versionRecord({ currentStage: 'None' }),
    ],
    [
      'aliases, of which one has to be allowed',
      { versions: { aliases: ['champion'] } },
      versionRecord({ aliases: ['a', 'champion'] }),
      versionRecord({ aliases: [] }),
    ],
    [
      'aliases, of which none may be denied',
      { versions: { aliases: { deny: ['old'] } } },
      versionRecord({ aliases: [] }),
      versionRecord({ aliases: ['champion', 'old'] }),
    ],
    [
      'statuses and users of versions',
      { versions: { statuses: ['READY'], users: { deny: ['bot-.*'] } } },
      versionRecord({ userId: 'ada' }),
      versionRecord({ userId: 'bot-1' }),
    ],
    [
      'the age of versions',
      { versions: { createdWithin: '1d' } },
      versionRecord({ creationTimestamp: NOW }),
      versionRecord({ creationTimestamp: 1 }),
    ],
    [
      'names and tags of logged models',
      { loggedModels: { names: { deny: ['epoch-.*'] }, tags: { allow: { team: 'core' } } } },
      loggedModelRecord({ name: 'best', tags: pairs({ team: 'core' }) }),
      loggedModelRecord({ name: 'epoch-3', tags: pairs({ team: 'core' }) }),
    ],
    [
      'statuses and types of logged models, of which some have none',
      { loggedModels: { statuses: ['READY'], types: { allow: ['classifier', '(agent)?'] } } },
      loggedModelRecord(),
      loggedModelRecord({ modelType: 'regressor' }),
    ],
    [
      'the age of logged models',
      { loggedModels: { createdWithin: '1d' } },
      loggedModelRecord({ creationTimestamp: NOW - DAY_MS }),
      loggedModelRecord({ creationTimestamp: NOW - DAY_MS - 1 }),
    ],
  ])('goes by %s', (_, options, inside, outside) => {
    expect(passes(options, inside)).toBe(true);
    expect(passes(options, outside)).toBe(false);
  });

  it('keeps experiments of a server that tells no age', () => {
    expect(passes({ experiments: { createdWithin: '1h' } }, experimentRecord())).toBe(true);
  });

  it('leaves out the runs of experiments that it leaves out, and says how many', () => {
    const { output, skipped } = kept(
      { experiments: { tags: { allow: { team: 'core' } } }, runs: { statuses: ['FINISHED'] } },
      experimentRecord(),
      runRecord(),
      { ...runRecord({ experimentId: '8' }), experiment: { experimentId: '8', name: 'other' } },
      {
        ...runRecord({ experimentId: '8', status: 'FAILED' }),
        experiment: { experimentId: '8', name: 'other' },
      },
    );
    expect(output).toHaveLength(1);
    expect(skipped).toEqual({
      'experiment: left out by experiments.tags': 1,
      'run: left out by experiments': 1,
      'run: left out by runs.statuses': 1,
    });
  });

  it('leaves out the logged models of experiments that it leaves out', () => {
    const named = (name: string, experimentId: string): MlflowRecord => ({
      ...loggedModelRecord({ experimentId }),
      experiment: { experimentId, name },
    });
    const { output } = kept(
      { experiments: { names: { deny: ['tmp'] }, tags: { deny: { team: 'core' } } } },
      experimentRecord({ experimentId: '7', tags: pairs({ team: 'core' }) }),
      named('a', '7'),
      named('tmp', '8'),
      named('b', '9'),
    );
    expect(output).toEqual([named('b', '9')]);
  });

  it('knows experiments apart that have one id in two workspaces', () => {
    const team = { ...server, workspace: 'team-a' };
    const { output } = kept(
      { experiments: { tags: { allow: { team: 'core' } } } },
      experimentRecord(),
      { ...runRecord(), server: team },
    );
    expect(output).toHaveLength(1);
  });

  it('leaves out the versions of models that it leaves out, beside runs as well', () => {
    const mine = version({ name: 'mine' });
    const { output } = kept(
      { models: { names: { deny: ['secret'] }, tags: { deny: { archived: 'yes' } } } },
      modelRecord({ name: 'old', tags: pairs({ archived: 'yes' }) }),
      runRecord({}, [mine, version({ name: 'old' }), version({ name: 'secret' })]),
      versionRecord({ name: 'old' }),
      versionRecord({ name: 'secret' }),
      versionRecord({ name: 'mine' }),
    );
    expect(output).toEqual([runRecord({}, [mine]), versionRecord({ name: 'mine' })]);
  });

  it('keeps a version and its run beside it where the run is left out', () => {
    const record = versionRecord({}, run({ status: 'FAILED' }));
    const { output } = kept(
      { runs: { statuses: ['FINISHED'] } },
      runRecord({ status: 'FAILED' }),
      record,
    );
    expect(output).toEqual([record]);
  });

  it('keeps a version and the logged model beside it where that is left out', () => {
    const made = { ...versionRecord(), loggedModel: loggedModel({ status: 'FAILED' }) };
    const { output, skipped } = kept(
      { loggedModels: { statuses: ['READY'] } },
      made,
      loggedModelRecord({ status: 'FAILED' }),
    );
    expect(output).toEqual([made]);
    expect(skipped).toEqual({ 'loggedModel: left out by loggedModels.statuses': 1 });
  });

  it('gives the very record where nothing of it is left out', () => {
    const record = runRecord({}, [version()]);
    expect(kept({ versions: { stages: ['None'] } }, record).output[0]).toBe(record);
  });

  it('tells the plan, beside other filters', () => {
    const one = filter({ runs: { statuses: ['FINISHED'] } });
    const other = filter({ models: { names: ['a'] } });
    const plan = { kinds: new Set<never>() };
    const narrowed = other.narrow?.(one.narrow?.(plan, server) ?? plan, server);
    expect(narrowed?.filters).toEqual([
      { runs: { statuses: ['FINISHED'] } },
      { models: { names: ['a'] } },
    ]);
    expect(one.signature).not.toBe(other.signature);
  });

  it('says what is wrong with its options', () => {
    expect(() => filter({ runs: { startedWithin: '3 months' } })).toThrow(
      /"runs.startedWithin" must be a number of hours, days or weeks, such as `12h`/,
    );
    expect(() => filter({ runs: { statuses: ['['] } })).toThrow(
      /"runs.statuses\[0\]" must be a regular expression/,
    );
    expect(() => filter({ runs: { status: ['x'] } } as never)).toThrow('did you mean "statuses"');
    expect(() => filter({ models: { names: { alow: ['x'] } } } as never)).toThrow(
      'did you mean "allow"',
    );
    expect(() => filter({ runs: { tags: { deny: { ['__proto__']: 'x' } } } })).toThrow(
      '"runs.tags.deny" can\'t have "__proto__"',
    );
  });
});
