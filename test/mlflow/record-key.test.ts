import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  experimentKey,
  modelKey,
  parseRecordKey,
  recordKey,
  runKey,
  versionKey,
  type RecordKey,
} from '../../src/mlflow/record-key.js';
import { isWorkspaceName } from '../../src/mlflow/workspace.js';
import { runRecord, server } from '../operators/records.js';

const text = fc.string({ unit: 'binary' });
const workspace = fc.option(fc.stringMatching(/^[a-z0-9][-a-z0-9]{0,8}[a-z0-9]$/), {
  nil: undefined,
});

describe('keys of records', () => {
  it('say which workspace it is, but for the default one', () => {
    expect(recordKey(runRecord())).toBe('run aa11');
    const elsewhere = { ...runRecord(), server: { ...server, workspace: 'team-a' } };
    expect(recordKey(elsewhere)).toBe('run@team-a aa11');
  });

  it('hold what they were made of', () => {
    fc.assert(
      fc.property(text, fc.nat(), workspace, (name, number, place) => {
        const version = String(number);
        const where = place === undefined ? {} : { workspace: place };
        expect(parseRecordKey(experimentKey(version, place))).toEqual({
          kind: 'experiment',
          id: version,
          ...where,
        });
        expect(parseRecordKey(runKey(name, place))).toEqual({ kind: 'run', id: name, ...where });
        expect(parseRecordKey(modelKey(name, place))).toEqual({ kind: 'model', name, ...where });
        expect(parseRecordKey(versionKey(name, version, place))).toEqual({
          kind: 'version',
          name,
          version,
          ...where,
        });
      }),
    );
  });

  it('of two workspaces are never the same', () => {
    const keysIn = (name: string, place: string | undefined): RecordKey[] => [
      experimentKey(name, place),
      runKey(name, place),
      modelKey(name, place),
      versionKey(name, '1', place),
    ];
    fc.assert(
      fc.property(text, text, workspace, workspace, (one, other, here, there) => {
        fc.pre(here !== there);
        const keys = new Set<string>(keysIn(one, here));
        expect(keysIn(other, there).filter((key) => keys.has(key))).toEqual([]);
      }),
    );
  });
});

describe('the name of a workspace', () => {
  it.each(['team-a', 'default', '0x', 'a'.repeat(63)])('may be %s', (name) => {
    expect(isWorkspaceName(name)).toBe(true);
  });

  it.each(['', 'a', 'Team', '-team', 'team-', 'a b', 'a/b', 'a@b', "a'b", '*', 'a'.repeat(64)])(
    'is not %j',
    (name) => {
      expect(isWorkspaceName(name)).toBe(false);
    },
  );
});
