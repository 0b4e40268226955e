import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EXPERIMENT,
  MODEL_VERSION,
  readItem,
  REGISTERED_MODEL,
  RUN,
} from '../../src/mlflow/parse.js';

const RUN_JSON = {
  info: {
    run_uuid: 'r1',
    run_id: 'r1',
    experiment_id: '7',
    run_name: 'first',
    user_id: 'ann',
    status: 'FINISHED',
    start_time: 1000,
    end_time: 2000,
    artifact_uri: 's3://a',
    lifecycle_stage: 'active',
  },
  data: {
    metrics: [
      { key: 'z', value: 'NaN', timestamp: 5, step: 1 },
      { key: 'a', value: 0.5, timestamp: '6', step: '2' },
    ],
    params: [
      { key: 'b', value: '1' },
      { key: 'B', value: '2' },
      { key: '__proto__', value: 'x' },
    ],
    tags: [
      { key: 't', value: 'old' },
      { key: 's', value: '' },
      { key: 't', value: 'new' },
    ],
  },
};

const run = (info: object = {}, data: object = {}, more: object = {}): unknown => ({
  info: { ...RUN_JSON.info, ...info },
  data: { ...RUN_JSON.data, ...data },
  ...more,
});

describe('a run', () => {
  it('is read with its lists sorted by code unit, the last of repeated keys kept', () => {
    expect(readItem(RUN, RUN_JSON).item).toEqual({
      runId: 'r1',
      runName: 'first',
      experimentId: '7',
      userId: 'ann',
      status: 'FINISHED',
      startTime: 1000,
      endTime: 2000,
      artifactUri: 's3://a',
      lifecycleStage: 'active',
      metrics: [
        { key: 'a', value: 0.5, timestamp: 6, step: 2 },
        { key: 'z', value: NaN, timestamp: 5, step: 1 },
      ],
      params: [
        { key: 'B', value: '2' },
        { key: '__proto__', value: 'x' },
        { key: 'b', value: '1' },
      ],
      tags: [
        { key: 's', value: '' },
        { key: 't', value: 'new' },
      ],
      datasetInputs: [],
    });
  });

  it('of 1.x has its name in a tag and may have its id under the older name', () => {
    const json = {
      info: { run_uuid: 'r2', experiment_id: '0' },
      data: { tags: [{ key: 'mlflow.runName', value: 'named' }] },
    };
    expect(readItem(RUN, json).item).toMatchObject({
      runId: 'r2',
      runName: 'named',
      startTime: 0,
      params: [],
      metrics: [],
    });
  });

  it('has nothing where texts are empty', () => {
    const { item } = readItem(RUN, run({ run_name: '', user_id: '', artifact_uri: '' }));
    expect(Object.keys(item ?? {})).not.toEqual(
      expect.arrayContaining(['runName', 'userId', 'artifactUri']),
    );
  });

  it.each([
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['1e-05', 1e-5],
    [1.7976931348623157e308, Number.MAX_VALUE],
  ])('takes %s for a metric', (value, expected) => {
    const { item } = readItem(RUN, run({}, { metrics: [{ key: 'm', value }] }));
    expect(item?.metrics).toEqual([{ key: 'm', value: expected, timestamp: 0, step: 0 }]);
  });

  it('has its dataset inputs, by name and digest', () => {
    const dataset = (name: string, digest: string): object => ({
      tags: [{ key: 'mlflow.data.context', value: 'train' }],
      dataset: { name, digest, source_type: 'local', source: '{}', schema: '{"a":1}', profile: '' },
    });
    const inputs = { dataset_inputs: [dataset('b', '1'), dataset('a', '2'), dataset('a', '1')] };
    const { item } = readItem(RUN, run({}, {}, { inputs }));
    expect(item?.datasetInputs.map((one) => one.dataset.name + one.dataset.digest)).toEqual([
      'a1',
      'a2',
      'b1',
    ]);
    expect(item?.datasetInputs[0]).toEqual({
      dataset: { name: 'a', digest: '1', sourceType: 'local', source: '{}', schema: '{"a":1}' },
      tags: [{ key: 'mlflow.data.context', value: 'train' }],
    });
  });

  it.each([
    ['null', null, 'run without id', 'the run should be an object, and is null'],
    ['a text', 'run', 'run without id', 'a string'],
    ['without info', {}, 'run without id', 'info should be an object, and is missing'],
    ['without an id', run({ run_id: '', run_uuid: '' }), 'run without id', 'run_id'],
    ['data null', { ...RUN_JSON, data: null }, 'run r1', 'data should be an object'],
    ['tags a text', run({}, { tags: 'x' }), 'run r1', 'tags should be a list'],
    ['a tag null', run({}, { tags: [null] }), 'run r1', 'an item of tags'],
    ['a tag number', run({}, { tags: [{ key: 'k', value: 1 }] }), 'run r1', 'a value of tags'],
    ['a param null', run({}, { params: [{ key: 'k', value: null }] }), 'run r1', 'is null'],
    ['a metric word', run({}, { metrics: [{ key: 'k', value: 'big' }] }), 'run r1', 'a number'],
    ['a metric null', run({}, { metrics: [{ key: 'k', value: null }] }), 'run r1', 'a number'],
    ['a metric without value', run({}, { metrics: [{ key: 'k' }] }), 'run r1', 'missing'],
    ['a time as text', run({ start_time: 'noon' }), 'run r1', 'start_time'],
    ['half a millisecond', run({ end_time: 1.5 }), 'run r1', 'end_time'],
    ['a status as number', run({ status: 3 }), 'run r1', 'status'],
  ])('with %s is rejected, with what is known of it', (_, json, identity, message) => {
    const { item, rejection } = readItem(RUN, json);
    expect(item).toBeUndefined();
    expect(rejection).toMatchObject({
      kind: 'record',
      code: 'MALFORMED_RUN',
      identity,
      content: json,
    });
    expect(rejection?.message).toContain(message);
  });

  it('is read or rejected, whatever JSON comes, and nothing is thrown', () => {
    const anything = fc.jsonValue();
    const nearly = fc.record(
      {
        info: fc.oneof(anything, fc.record({ run_id: anything, experiment_id: anything })),
        data: fc.oneof(anything, fc.record({ tags: fc.oneof(anything, fc.array(anything)) })),
        inputs: anything,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(anything, nearly), (json) => {
        const { item, rejection } = readItem(RUN, json);
        expect((item === undefined) !== (rejection === undefined)).toBe(true);
      }),
    );
  });

  it('is the same whatever order its lists come in', () => {
    const pairs = fc.uniqueArray(
      fc.record({ key: fc.string({ minLength: 1 }), value: fc.string() }),
      {
        selector: ({ key }) => key,
      },
    );
    const twice = pairs.chain((tags) =>
      fc.tuple(fc.constant(tags), fc.shuffledSubarray(tags, { minLength: tags.length })),
    );
    fc.assert(
      fc.property(twice, ([tags, shuffled]) => {
        const { item } = readItem(RUN, run({}, { tags: shuffled }));
        expect(item).toEqual(readItem(RUN, run({}, { tags })).item);
        const keys = item?.tags.map(({ key }) => key) ?? [];
        expect(keys).toEqual([...keys].sort());
      }),
    );
  });
});

describe('an experiment', () => {
  it('is read, with numbers as ids and int64 as texts too', () => {
    const json = { experiment_id: 3, name: 'e', creation_time: '12', lifecycle_stage: 'deleted' };
    expect(readItem(EXPERIMENT, json).item).toEqual({
      experimentId: '3',
      name: 'e',
      creationTime: 12,
      lifecycleStage: 'deleted',
      tags: [],
    });
  });

  it.each([
    null,
    {},
    { experiment_id: '1' },
    { experiment_id: '1', name: 'e', tags: {} },
    { experiment_id: '1', name: 'e', creation_time: 1e30 },
    { experiment_id: '1', name: 'e', creation_time: '9223372036854775807' },
  ])('is rejected when it is %j', (json) => {
    expect(readItem(EXPERIMENT, json).rejection?.code).toBe('MALFORMED_EXPERIMENT');
  });
});

describe('a registered model', () => {
  it('has the numerically greatest of its latest versions, and its aliases in order', () => {
    const json = {
      name: 'm',
      creation_timestamp: 1,
      last_updated_timestamp: 2,
      description: '',
      latest_versions: [{ version: '9' }, { version: '10' }, { version: '2' }],
      aliases: [
        { alias: 'z', version: '1' },
        { alias: 'a', version: '10' },
      ],
    };
    expect(readItem(REGISTERED_MODEL, json).item).toEqual({
      name: 'm',
      creationTimestamp: 1,
      lastUpdatedTimestamp: 2,
      latestVersion: '10',
      tags: [],
      aliases: [
        { alias: 'a', version: '10' },
        { alias: 'z', version: '1' },
      ],
    });
  });

  it('without versions has no latest one', () => {
    expect(readItem(REGISTERED_MODEL, { name: 'm' }).item).not.toHaveProperty('latestVersion');
  });

  it('has a deployment job where the server tells of one', () => {
    const jobOf = (id: string, state: string) =>
      readItem(REGISTERED_MODEL, {
        name: 'm',
        deployment_job_id: id,
        deployment_job_state: state,
      }).item?.deploymentJob;
    expect(jobOf('123', 'CONNECTED')).toEqual({ id: '123', state: 'CONNECTED' });
    expect(jobOf('', 'NOT_SET_UP')).toBeUndefined();
    expect(jobOf('', 'DEPLOYMENT_JOB_CONNECTION_STATE_UNSPECIFIED')).toBeUndefined();
  });

  it('is rejected with a null among its versions', () => {
    const { rejection } = readItem(REGISTERED_MODEL, { name: 'm', latest_versions: [null] });
    expect(rejection).toMatchObject({
      code: 'MALFORMED_REGISTERED_MODEL',
      identity: 'registered model m',
    });
  });
});

describe('a model version', () => {
  it('is read, with an empty run id as none', () => {
    const json = { name: 'm', version: 2, run_id: '', current_stage: 'Odd', status: 'READY' };
    expect(readItem(MODEL_VERSION, json).item).toEqual({
      name: 'm',
      version: '2',
      currentStage: 'Odd',
      creationTimestamp: 0,
      lastUpdatedTimestamp: 0,
      status: 'READY',
      tags: [],
      aliases: [],
    });
  });

  it('has the run of a deployment job where the server tells of one', () => {
    const jobOf = (state: unknown) =>
      readItem(MODEL_VERSION, { name: 'm', version: '2', deployment_job_state: state }).item
        ?.deploymentJob;
    const told = {
      job_id: '123',
      run_id: '',
      job_state: 'CONNECTED',
      run_state: 'APPROVAL',
      current_task_name: 'evaluate',
    };
    expect(jobOf(told)).toEqual({
      id: '123',
      state: 'CONNECTED',
      runState: 'APPROVAL',
      task: 'evaluate',
    });
    expect(jobOf({ run_state: 'NO_VALID_DEPLOYMENT_JOB_FOUND' })).toBeUndefined();
    expect(jobOf(null)).toBeUndefined();
    expect(jobOf('CONNECTED')).toBeUndefined();
    expect(jobOf({ job_id: 123, run_id: ['?'] })).toEqual({ id: '123' });
  });

  it('is rejected when its version is no number', () => {
    expect(readItem(MODEL_VERSION, { name: 'm', version: 'two' }).rejection).toMatchObject({
      code: 'MALFORMED_MODEL_VERSION',
      identity: 'model version m version two',
    });
  });

  it('has an id that no other has, whatever the names', () => {
    const named = (name: string, version: string) =>
      readItem(MODEL_VERSION, { name, version }).item;
    const [a, b] = [named('1/m', '2'), named('m', '2')];
    expect(a && MODEL_VERSION.idOf(a)).not.toBe(b && MODEL_VERSION.idOf(b));
  });
});
