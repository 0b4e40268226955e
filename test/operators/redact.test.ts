import { describe, expect, it } from 'vitest';
import { runUrn } from '../../src/datahub/urn.js';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import { MODEL_HISTORY_TAG } from '../../src/mlflow/model-description.js';
import { PARENT_TAG } from '../../src/operators/build-urns/urn-builder.js';
import { mapUser } from '../../src/operators/map-user.js';
import { redact, type RedactOptions } from '../../src/operators/redact.js';
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

  it.each<RedactOptions>([
    { hash: { tags: '.*' } },
    { drop: { tags: '.*' } },
    { hash: { tags: 'mlflow\\..*' }, salt: 'a' },
  ])('makes no link of a tag that does not leave: %j', (options) => {
    const linked = run({
      tags: pairs({
        [MODEL_HISTORY_TAG]: '[{"artifact_path": "model", "flavors": {"sklearn": {}}}]',
        [PARENT_TAG]: 'cc33',
        'mlflow.databricks.notebookID': '12',
        'mlflow.databricks.workspaceURL': 'https://bricks.example.com',
        'mlflow.source.git.commit': '1a2b3c',
        'mlflow.source.git.repoURL': 'https://github.com/team/churn',
      }),
    });
    const records = [
      runRecord(linked),
      versionRecord({ source: `runs:/${linked.runId}/model` }, linked),
    ];
    const clear = map(records);
    const aspects = ({ proposals }: typeof clear) => proposals.map(({ aspectName }) => aspectName);
    expect(aspects(clear)).toEqual(
      expect.arrayContaining(['dataProcessInstanceRelationships', 'sourceCode']),
    );
    expect(JSON.stringify(clear.proposals)).toMatch(/sklearn.*1a2b3c|1a2b3c.*sklearn/);
    const sent = map(outputOf<MlflowRecord, MlflowRecord>(redact(options), ...records));
    expect(aspects(sent)).not.toContain('dataProcessInstanceRelationships');
    expect(aspects(sent)).not.toContain('sourceCode');
    expect(sent.warnings).toEqual([]);
    expect(sent.rejected).toEqual([]);
    const text = JSON.stringify(sent.proposals);
    expect(text).not.toMatch(/"cc33"|sklearn|bricks|1a2b3c|github/);
    expect(text).not.toContain(runUrn('cc33'));
    for (const name of [PARENT_TAG, MODEL_HISTORY_TAG]) expect(text).not.toContain(name);
  });

  it('hashes a tag that only holds a value, beside those', () => {
    const operator = redact({ hash: { tags: '.*' } });
    const tags = pairs({ 'mlflow.note.content': 'call ada', [PARENT_TAG]: 'cc33' });
    const [record] = outputOf<MlflowRecord, MlflowRecord>(operator, runRecord({ tags }));
    expect(record).toMatchObject({
      run: {
        tags: [{ key: 'mlflow.note.content', value: expect.stringMatching(HASH) as unknown }],
      },
    });
  });

  it('takes for users what stands in the tags named, with one hash for all that is one user', () => {
    const tagged = pairs({ 'mlflow.databricks.user': 'ada', owner: 'ada', team: 'ada' });
    const owned = run({ userId: 'ada', tags: pairs({ 'mlflow.user': 'ada', owner: 'ada' }) });
    const records = [
      experimentRecord({ tags: tagged }),
      runRecord(owned),
      modelRecord({ tags: tagged }),
      versionRecord({ userId: 'ada', tags: tagged }, owned),
    ];
    const userTags = ['owner', 'mlflow.databricks.user'];
    const hashed = JSON.stringify(
      outputOf<MlflowRecord, MlflowRecord>(
        redact({ hash: { users: 'a.*' }, userTags }),
        ...records,
      ),
    );
    expect(hashed.match(/"ada"/g)).toHaveLength(3); // of the tag team
    expect(new Set(hashed.match(/"[0-9a-f]{16}"/g)).size).toBe(2); // the other names the options
    const dropped = JSON.stringify(
      outputOf<MlflowRecord, MlflowRecord>(redact({ drop: { users: '.*' }, userTags }), ...records),
    );
    expect(dropped).not.toMatch(/owner|userId|mlflow\.(databricks\.)?user/);
    const others = redact({ drop: { users: 'eve' }, userTags });
    expect(others.signature).not.toBe(redact({ drop: { users: 'eve' } }).signature);
    expect(outputOf<MlflowRecord, MlflowRecord>(others, ...records)).toMatchObject(records);
  });

  it('leaves mapUser before it the users, and behind it their hashes', () => {
    const redacting = redact({ hash: { users: '.*' }, userTags: ['owner'] });
    const record = modelRecord({ tags: pairs({ owner: 'ada' }) });
    const [before] = outputOf<MlflowRecord, MlflowRecord>(mapUser({ ownerTag: 'owner' }), record);
    if (before === undefined) throw new Error('nothing came out');
    expect(outputOf<MlflowRecord, MlflowRecord>(redacting, before)[0]).toMatchObject({
      owner: 'ada',
      model: { tags: [{ key: 'owner', value: expect.stringMatching(HASH) as unknown }] },
    });
    const [redacted] = outputOf<MlflowRecord, MlflowRecord>(redacting, record);
    if (redacted === undefined) throw new Error('nothing came out');
    const [behind] = outputOf<MlflowRecord, MlflowRecord>(mapUser({ ownerTag: 'owner' }), redacted);
    expect(behind).toHaveProperty('owner', expect.stringMatching(HASH));
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
