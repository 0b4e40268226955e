import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { didYouMean } from '../../src/core/did-you-mean.js';
import { PipelineError } from '../../src/core/errors.js';
import { parseOptions } from '../../src/core/options.js';

const schema = z.strictObject({
  path: z.string().min(1),
  pageSize: z.int().min(1).max(1000).default(100),
  ratio: z.number().gt(0).lt(1).optional(),
  stage: z.enum(['None', 'Staging']).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  retry: z.strictObject({ attempts: z.int().optional() }).optional(),
  auth: z
    .union([z.strictObject({ token: z.string() }), z.strictObject({ username: z.string() })])
    .optional(),
  limit: z.union([z.number(), z.literal('none')]).optional(),
  brokers: z.array(z.strictObject({ host: z.string() })).optional(),
  rules: z
    .array(z.union([z.string(), z.strictObject({ tags: z.record(z.string(), z.string()) })]))
    .default([]),
  port: z
    .int()
    .refine((port) => port !== 13, { error: 'must not be 13' })
    .optional(),
});

function refusal(options: unknown): string {
  try {
    parseOptions('thing', schema, options);
  } catch (error) {
    expect(error).toBeInstanceOf(PipelineError);
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', category: 'usage', retryable: false });
    return (error as PipelineError).message;
  }
  throw new Error('nothing was refused');
}

describe('parseOptions', () => {
  it('gives the options with their defaults', () => {
    expect(parseOptions('thing', schema, { path: 'a' })).toEqual({
      path: 'a',
      pageSize: 100,
      rules: [],
    });
  });

  it.each<[object, string]>([
    [
      { pagesize: 3 },
      'unknown option "pagesize", did you mean "pageSize"? Allowed: path, pageSize',
    ],
    [{ page: 3 }, 'unknown option "page", did you mean "pageSize"?'],
    [{ colour: 3 }, 'unknown option "colour". Allowed: path, pageSize'],
    [{ path: 3 }, '"path" must be a text, not 3'],
    [{ path: '' }, '"path" must be a text that is not empty, not an empty text'],
    [{ path: undefined }, '"path" is required and must be a text'],
    [{ pageSize: 0 }, '"pageSize" must be at least 1, not 0'],
    [{ pageSize: 1001 }, '"pageSize" must be at most 1000, not 1001'],
    [{ ratio: 0 }, '"ratio" must be more than 0, not 0'],
    [
      { stage: 'Stagin' },
      '"stage" must be "None" or "Staging", not the text given, did you mean "Staging"?',
    ],
    [{ stage: 's3cret' }, '"stage" must be "None" or "Staging", not the text given'],
    [{ headers: { a: 1 } }, '"headers.a" must be a text, not 1'],
    [
      { retry: { attempt: 1 } },
      'unknown option "attempt" in "retry", did you mean "attempts"? Allowed: attempts',
    ],
    [{ auth: { tokn: 's3cret' } }, 'unknown option "tokn" in "auth", did you mean "token"?'],
    [{ auth: 's3cret' }, '"auth" must be an object, not the text given'],
    [{ limit: 'all' }, '"limit" must be a number or "none", not the text given'],
    [{ brokers: [{ host: 'a' }, { hots: 'b' }] }, 'unknown option "hots" in "brokers[1]"'],
    [{ port: 13 }, '"port" must not be 13'],
  ])('refuses %j', (wrong, message) => {
    expect(refusal({ path: 'a', ...wrong })).toContain(message);
    expect(refusal({ path: 'a', ...wrong })).not.toContain('s3cret');
  });

  it('refuses a key that would be lost, wherever it is', () => {
    const lost = JSON.parse('{"__proto__": "s3cret"}') as object;
    expect(refusal({ path: 'a', headers: lost })).toBe(
      'thing: "headers" can\'t have "__proto__", which is JavaScript\'s own: take it out',
    );
    expect(refusal({ path: 'a', rules: ['x', { tags: { a: 'b' } }, { tags: lost }] })).toContain(
      '"rules[2].tags" can\'t have "__proto__"',
    );
    expect(refusal({ path: 'a', ...lost })).toContain('unknown option "__proto__"');
  });

  it('says in one line what is one mistake, and puts several below each other', () => {
    expect(refusal({ path: 'a', pageSize: 0 })).toBe('thing: "pageSize" must be at least 1, not 0');
    expect(refusal({ pth: 'a' }).split('\n')).toEqual([
      'thing:',
      expect.stringContaining('  - unknown option "pth", did you mean "path"?'),
      '  - "path" is required and must be a text',
    ]);
  });

  it('refuses what is no object', () => {
    expect(refusal(null)).toBe('thing: the options must be an object, not null');
    expect(refusal([])).toBe('thing: the options must be an object, not an empty list');
  });
});

describe('didYouMean', () => {
  it.each([
    ['souce', 'source'],
    ['SINKS', 'sinks'],
    ['sniks', 'sinks'],
    ['operator', 'operators'],
    ['x', undefined],
    ['', undefined],
    ['colour', undefined],
  ])('%s: %s', (name, meant) => {
    expect(didYouMean(name, ['source', 'sinks', 'operators'])).toBe(meant);
  });
});
