import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import type { Aspect, Proposal } from '../../src/datahub/proposal.js';
import type { Operator } from '../../src/stream/contracts.js';
import { outputOf, recordingContext } from './operator-cases.js';

const text = readFileSync(new URL('../../docs/operators.md', import.meta.url), 'utf8');
const EXAMPLE =
  /^## (\w+)$(?:(?!^## ).)*?<!-- example -->\n```ts\n(.*?)```\n\n```json\n(.*?)```\n\n```json\n(.*?)```/gms;

type ByUrn = Readonly<Record<string, Readonly<Record<string, Aspect>>>>;

/** Evaluated with everything of the library in reach, as a configuration has it. */
function operatorIn(code: string): Operator<unknown, unknown> {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is our own text, as people paste it
  const make = new Function(...Object.keys(library), `return ${code}`) as (
    ...parts: readonly unknown[]
  ) => Operator<unknown, unknown>;
  return make(...Object.values(library));
}

function proposalsIn(entities: ByUrn): Proposal[] {
  return Object.entries(entities).flatMap(([entityUrn, aspects]) =>
    Object.entries(aspects).map(([aspectName, aspect]) => ({
      entityType: entityUrn.split(':')[2] ?? '',
      entityUrn,
      changeType: 'UPSERT' as const,
      aspectName,
      aspect,
    })),
  );
}

function byUrn(proposals: readonly Proposal[]): ByUrn {
  const entities: Record<string, Record<string, Aspect>> = {};
  for (const { entityUrn, aspectName, changeType, aspect } of proposals) {
    const name = changeType === 'PATCH' ? `${aspectName} as a PATCH` : aspectName;
    entities[entityUrn] = { ...entities[entityUrn], [name]: aspect };
  }
  return entities;
}

describe('docs/operators.md', () => {
  const examples = [...text.matchAll(EXAMPLE)].map(
    ([, name = '', code = '', input = '', output = '']) => ({
      name,
      code,
      input: JSON.parse(input) as ByUrn,
      output: JSON.parse(output) as unknown,
    }),
  );

  it('has an example of each operator that it tells of', () => {
    const told = [...text.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(examples.map(({ name }) => name)).toEqual(told);
    expect(told).toHaveLength(13);
  });

  it.each(examples)('is right about $name', ({ code, input, output }) => {
    const operator = operatorIn(code);
    operator.open?.(recordingContext().context);
    const given = operator.takes === 'record' ? [input] : proposalsIn(input);
    const sent = outputOf(operator, ...given);
    expect(operator.takes === 'record' ? sent[0] : byUrn(sent as Proposal[])).toEqual(output);
  });
});
