import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import type { MapToProposalsOptions } from '../../../src/operators/map-to-proposals/index.js';
import { map } from './mapped.js';

const text = readFileSync(new URL('../../../docs/mapping.md', import.meta.url), 'utf8');
/** Options, where it has some, what goes in, and what comes out. */
const EXAMPLE =
  /<!-- example -->\n(?:```ts\nmapToProposals\((.*?)\)\n```\n\n)?```json\n(.*?)```\n\n```json\n(.*?)```\n/gs;

/** As people write them. */
function optionsIn(code: string): MapToProposalsOptions {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is our own text
  return (new Function(`return (${code})`) as () => MapToProposalsOptions)();
}

describe('docs/mapping.md', () => {
  const examples = [...text.matchAll(EXAMPLE)].map(([, code, input = '', output = '']) => ({
    code,
    record: JSON.parse(input) as MlflowRecord,
    output: JSON.parse(output) as Record<string, Record<string, unknown>>,
  }));

  it('has an example of each entity, without options', () => {
    const plain = examples.filter(({ code }) => code === undefined);
    expect(plain.map(({ record }) => record.kind)).toEqual([
      'registeredModel',
      'modelVersion',
      'loggedModel',
      'experiment',
      'run',
      'dataset',
    ]);
  });

  it.each(examples)('is right about $record.kind with $code', ({ code, record, output }) => {
    const byUrn: Record<string, Record<string, unknown>> = {};
    for (const { entityUrn, aspectName, aspect } of map(record, optionsIn(code ?? '{}'))
      .proposals) {
      // Examples of options show the aspects alone that are different with them.
      if (code !== undefined && output[entityUrn]?.[aspectName] === undefined) continue;
      byUrn[entityUrn] = { ...byUrn[entityUrn], [aspectName]: aspect };
    }
    expect(output).toEqual(byUrn);
  });
});
