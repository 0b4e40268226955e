import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import { redact } from '../../src/operators/redact.js';
import { itIsAnOperator, outputOf } from './operator-cases.js';
import {
  datasetRecord,
  experimentRecord,
  modelRecord,
  run,
  runRecord,
  serverRecord,
  use,
  versionRecord,
} from './records.js';
import { map, pairs } from './map-to-proposals/mapped.js';

const secretive = run({
  userId: 'ada',
  params: pairs({ api_key: 'K1', lr: '0.1' }),
  tags: pairs({ 'mlflow.user': 'ada', phone: '555', team: 'core' }),
});

const HASH = /^[0-9a-f]{16}$/;

describe('redact', () => {
  itIsAnOperator(
    () => redact({ drop: { tags: '.*' }, hash: { users: '.*' } }),
    [serverRecord(), runRecord(secretive), modelRecord()],
  );

  it('drops parameters, tags and users by their whole names', () => {
    const operator = redact({ drop: { params: '.*key.*', tags: 'phone|tea', users: 'ada' } });
    const [record] = outputOf<MlflowRecord, MlflowRecord>(operator, runRecord(secretive));
    expect(record).toMatchObject({
      run: { params: pairs({ lr: '0.1' }), tags: pairs({ team: 'core' }) },
    });
    expect(record).not.toHaveProperty('run.userId');
  });

  it('hashes, so that the same value stays the same, and another salt makes others', () => {
    const hashed = (salt: string) => {
      const operator = redact({ hash: { params: 'api_key', users: '.*' }, salt });
      const [record] = outputOf<MlflowRecord, MlflowRecord>(operator, runRecord(secretive));
      if (record?.kind !== 'run') throw new Error('no run');
      return record.run;
    };
    const { userId, params, tags } = hashed('a');
    expect(userId).toMatch(HASH);
    expect(tags).toEqual(pairs({ 'mlflow.user': userId ?? '', phone: '555', team: 'core' }));
    expect(params[0]?.value).toMatch(HASH);
    expect(hashed('a')).toEqual(hashed('a'));
    expect(hashed('b').userId).not.toBe(userId);
  });

  it('lets nothing through into anything that is sent', () => {
    const records: readonly MlflowRecord[] = [
      experimentRecord({ tags: pairs({ phone: '555-0', 'mlflow.user': 'grace' }) }),
      runRecord({ ...secretive, userId: 'grace' }),
      modelRecord({ tags: pairs({ phone: '555-1' }) }),
      versionRecord({ userId: 'grace', tags: pairs({ phone: '555-2' }) }, secretive),
    ];
    const operator = redact({
      drop: { params: '.*key.*', tags: 'phone' },
      hash: { users: '.*' },
      salt: 'secret',
    });
    const sent = records.flatMap((record) =>
      outputOf<MlflowRecord, MlflowRecord>(operator, record).flatMap((out) => map(out).proposals),
    );
    expect(JSON.stringify(records.flatMap((record) => map(record).proposals))).toMatch(
      /grace.*555-2/s,
    );
    expect(JSON.stringify(sent)).not.toMatch(/grace|"ada"|555|K1/);
    expect(sent.length).toBeGreaterThan(20);
  });

  it('redacts the tags of datasets, and versions that a run refers to', () => {
    const operator = redact({ drop: { tags: 'phone', users: '.*' } });
    const dataset = datasetRecord(use({}, { phone: '555', a: 'b' }));
    const [out] = outputOf<MlflowRecord, MlflowRecord>(operator, dataset);
    expect(JSON.stringify(out)).not.toContain('555');
    const { version } = versionRecord({ userId: 'ada', tags: pairs({ phone: '555' }) });
    const [withVersion] = outputOf<MlflowRecord, MlflowRecord>(
      operator,
      runRecord(secretive, [version]),
    );
    expect(JSON.stringify(withVersion)).not.toMatch(/555|"ada"/);
  });

  it('does not tell the salt in what is kept of its options', () => {
    const operator = redact({ hash: { users: '.*' }, salt: 'very secret' });
    expect(operator.signature).not.toContain('very secret');
    expect(operator.signature).not.toBe(redact({ hash: { users: '.*' } }).signature);
  });

  it('says what is wrong with its options', () => {
    expect(() => redact({ drop: { params: '[' } })).toThrow(/params.*regular expression/);
    expect(() => redact({ drop: { parms: 'x' } } as never)).toThrow('did you mean "params"');
  });
});
