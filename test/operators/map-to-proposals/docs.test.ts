import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import { map } from './mapped.js';

const text = readFileSync(new URL('../../../docs/mapping.md', import.meta.url), 'utf8');
const EXAMPLE = /<!-- example -->\n```json\n(.*?)```\n\n```json\n(.*?)```\n/gs;

describe('docs/mapping.md', () => {
  const examples = [...text.matchAll(EXAMPLE)].map(([, input = '', output = '']) => ({
    record: JSON.parse(input) as MlflowRecord,
    output: JSON.parse(output) as unknown,
  }));

  it('has an example of each entity', () => {
    expect(examples.map(({ record }) => record.kind)).toEqual([
      'registeredModel',
      'modelVersion',
      'loggedModel',
      'experiment',
      'run',
      'dataset',
    ]);
  });

  it.each(examples)('is right about $record.kind', ({ record, output }) => {
    const byUrn: Record<string, Record<string, unknown>> = {};
    for (const { entityUrn, aspectName, aspect } of map(record).proposals) {
      byUrn[entityUrn] = { ...byUrn[entityUrn], [aspectName]: aspect };
    }
    expect(output).toEqual(byUrn);
  });
});
