import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datahubGuid, pythonJsonText } from '../../src/datahub/guid.js';
import { pythonFloat } from '../../src/datahub/python-float.js';
import {
  dataPlatformInstanceUrn,
  dataPlatformUrn,
  datasetUrn,
  encodeUrnPart,
  experimentUrn,
  mlFeatureUrn,
  mlModelGroupUrn,
  mlModelUrn,
  runUrn,
  stageTagUrn,
  urnProblem,
  userUrn,
  versionSetUrn,
} from '../../src/datahub/urn.js';

interface Vectors {
  urns: Record<string, string>[];
  guids: [[string, string][], string][];
  floats: [string, string][];
}

/** Made by make-vectors.py with acryl-datahub 1.7.0.17. */
const vectors = JSON.parse(
  readFileSync(new URL('vectors.json', import.meta.url), 'utf8'),
) as Vectors;

describe('URNs', () => {
  it.each(vectors.urns)('equal those of the Python library: $name', ({ name = '', ...urns }) => {
    expect({
      mlModel: mlModelUrn(name),
      mlFeature: mlFeatureUrn(mlModelUrn(name), name),
      mlModelGroup: mlModelGroupUrn(name, 'DEV'),
      mlflowDataset: datasetUrn('mlflow', name),
      instanceDataset: datasetUrn('s3', name, 'QA', 'eu, (1)'),
      platformInstance: dataPlatformInstanceUrn('mlflow', name),
      tag: stageTagUrn(name),
      experiment: experimentUrn(name),
      instanceExperiment: experimentUrn(name, 'eu, (1)'),
      run: runUrn(name),
      user: userUrn(name),
      versionSet: versionSetUrn(name),
    }).toEqual(urns);
  });

  it('hold no reserved character but their own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const encoded = encodeUrnPart(name);
        expect(encoded).not.toMatch(/[,()\u241F]/);
        if (!name.includes('%')) expect(decodeURIComponent(encoded)).toBe(name);
      }),
    );
  });

  it('of different names differ, unless one name is the other percent-encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        fc.pre(a !== b && !a.includes('%') && !b.includes('%'));
        expect(mlModelUrn(a)).not.toBe(mlModelUrn(b));
        expect(experimentUrn(a)).not.toBe(experimentUrn(b));
      }),
    );
  });

  it('take a platform that is a URN already as it is', () => {
    expect(dataPlatformUrn('urn:li:dataPlatform:s3')).toBe('urn:li:dataPlatform:s3');
    expect(datasetUrn('urn:li:dataPlatform:s3', 'x')).toBe(datasetUrn('s3', 'x'));
  });
});

describe('urnProblem', () => {
  it('finds nothing in a good URN', () => {
    expect(urnProblem(mlModelUrn('grüße, (🚀)_1'))).toBeUndefined();
  });

  it('measures the URL-encoded URN', () => {
    const bare = 'urn:li:tag:'.length + 3 * 2; // three colons take three bytes each
    expect(urnProblem(`urn:li:tag:${'x'.repeat(512 - bare)}`)).toBeUndefined();
    expect(urnProblem(`urn:li:tag:${'x'.repeat(513 - bare)}`)).toMatch(/513 bytes/);
    expect(urnProblem(`urn:li:tag:${'ü'.repeat(82)}`)).toBeUndefined();
    expect(urnProblem(`urn:li:tag:${'ü'.repeat(83)}`)).toMatch(/515 bytes/);
    expect(urnProblem(`urn:li:tag:${'🚀'.repeat(42)}`)).toMatch(/521 bytes/);
  });

  it('measures as form encoding does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (name) => {
        const urn = `urn:li:tag:x${name}x`;
        const bytes = new URLSearchParams({ '': urn }).toString().length - 1;
        expect(urnProblem(urn) === undefined).toBe(bytes <= 512);
      }),
    );
  });

  it.each([
    ['urn:li:tag:mlflow_x ', /blank/],
    ['urn:li:tag:mlflow_x\n', /blank/],
    [mlModelGroupUrn(''), /empty/],
    ['urn:li:tag:', /empty/],
    [mlModelGroupUrn('half \uD83D'), /surrogate/],
    [mlModelGroupUrn('\uDE80 half'), /surrogate/],
  ])('refuses %j', (urn, reason) => {
    expect(urnProblem(urn)).toMatch(reason);
  });
});

describe('datahubGuid', () => {
  it.each(vectors.guids)('equals that of the Python library: %j', (entries, guid) => {
    expect(datahubGuid(Object.fromEntries(entries))).toBe(guid);
    expect(datahubGuid(Object.fromEntries(entries.reverse()))).toBe(guid);
  });

  it('writes JSON that means the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = pythonJsonText(text);
        expect(json).toMatch(/^[ -~]*$/);
        expect(JSON.parse(json)).toBe(text);
      }),
    );
  });
});

describe('pythonFloat', () => {
  it('equals str(float)', () => {
    for (const [bytes, text] of vectors.floats) {
      expect(pythonFloat(Buffer.from(bytes, 'hex').readDoubleBE())).toBe(text);
    }
  });

  it('gives the number back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = pythonFloat(value);
        expect(Object.is(Number(text), value)).toBe(true);
        expect(text).toMatch(/^-?\d+(\.\d+(e[+-]\d\d+)?|e[+-]\d\d+)$/);
      }),
    );
  });
});
