import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import { mapUser } from '../../src/operators/map-user.js';
import { aspectsOf } from './map-to-proposals/mapped.js';
import { itIsAnOperator, outputOf } from './operator-cases.js';
import { modelRecord, run, runRecord, versionRecord } from './records.js';

const ownerOf = (operator: ReturnType<typeof mapUser>, record: MlflowRecord): unknown => {
  const [out] = outputOf(operator, record);
  return out !== undefined && 'owner' in out ? out.owner : undefined;
};

describe('mapUser', () => {
  itIsAnOperator(() => mapUser(), [versionRecord({ userId: 'ada' }), modelRecord(), runRecord()]);

  it('names the owner of a version by who registered it, or else who ran it', () => {
    expect(ownerOf(mapUser(), versionRecord({ userId: 'ada' }, run({ userId: 'eve' })))).toBe(
      'ada',
    );
    expect(ownerOf(mapUser(), versionRecord({ userId: '' }, run({ userId: 'eve' })))).toBe('eve');
    expect(ownerOf(mapUser(), versionRecord())).toBeUndefined();
    expect(ownerOf(mapUser(), runRecord())).toBeUndefined();
  });

  it('changes names by a pattern, and leaves out who does not match', () => {
    const operator = mapUser({ from: '(.+)@example.com', to: 'urn:li:corpGroup:$1' });
    expect(ownerOf(operator, versionRecord({ userId: 'a@example.com' }))).toBe(
      'urn:li:corpGroup:a',
    );
    expect(ownerOf(operator, versionRecord({ userId: 'a@elsewhere.com' }))).toBeUndefined();
  });

  it('asks a function, and keeps what an earlier one knew', () => {
    const known = mapUser((user) => (user === 'ada' ? 'lovelace' : undefined));
    expect(known.signature).toBeUndefined();
    const [first] = outputOf(mapUser(), versionRecord({ userId: 'eve' }));
    if (first === undefined) throw new Error('nothing came out');
    expect(ownerOf(known, first)).toBe('eve');
    expect(ownerOf(known, versionRecord({ userId: 'ada' }))).toBe('lovelace');
  });

  it('takes who stands in a tag before who registered it, and of models alone', () => {
    const byTag = mapUser({ ownerTag: 'owner', from: '([a-z]+)' });
    const tags = [{ key: 'owner', value: 'eve' }];
    const unknown = [{ key: 'owner', value: 'Team 5' }];
    expect(ownerOf(byTag, versionRecord({ userId: 'ada', tags }))).toBe('eve');
    expect(ownerOf(byTag, versionRecord({ userId: 'ada', tags: unknown }))).toBe('ada');
    expect(ownerOf(byTag, versionRecord({ userId: 'ada' }))).toBe('ada');
    expect(ownerOf(byTag, modelRecord({ tags }))).toBe('eve');
    expect(ownerOf(byTag, modelRecord({ tags: unknown }))).toBeUndefined();
    expect(ownerOf(mapUser(), modelRecord({ tags }))).toBeUndefined();
    expect(aspectsOf('mlModelGroup', { ...modelRecord(), owner: 'eve' })['ownership']).toEqual({
      owners: [{ owner: 'urn:li:corpuser:eve', type: 'TECHNICAL_OWNER' }],
    });
  });

  it('becomes the ownership of the mlModel', () => {
    const owned = { ...versionRecord({ userId: 'ada' }), owner: 'a,b' };
    expect(aspectsOf('mlModel', owned)['ownership']).toEqual({
      owners: [{ owner: 'urn:li:corpuser:a%2Cb', type: 'TECHNICAL_OWNER' }],
    });
    expect(aspectsOf('mlModel', versionRecord({ userId: 'ada' }))).not.toHaveProperty('ownership');
  });
});
