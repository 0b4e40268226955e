import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rejection } from '../../src/stream/contracts.js';
import { openDeadLetter } from '../../src/stream/dead-letter.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlflow-datahub-'));
  path = join(folder, 'dead-letter.ndjson');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const rejection = (content: unknown, parts: Partial<Rejection> = {}): Rejection => ({
  kind: 'record',
  code: 'MALFORMED_RECORD',
  message: 'the run has no id',
  identity: 'run 4f2a',
  content,
  ...parts,
});

const open = (parts: { runId?: string; dryRun?: boolean } = {}) =>
  openDeadLetter({ path, runId: 'run-1', now: () => 1_700_000_000_000, ...parts });

const lines = () => readFileSync(path, 'utf8').split('\n').slice(0, -1);
const parsed = () => lines().map((line) => JSON.parse(line) as Record<string, unknown>);

describe('openDeadLetter', () => {
  it('makes no file where nothing was rejected', async () => {
    const deadLetter = open();
    await deadLetter.flush();
    await deadLetter.close();
    expect(existsSync(path)).toBe(false);
    expect(deadLetter).toMatchObject({ count: 0, path });
  });

  it('writes a line for each rejection, with the thing itself', async () => {
    const deadLetter = open();
    deadLetter.add(rejection({ run_id: null }));
    deadLetter.add(
      rejection({ aspect: {} }, { kind: 'proposal', sink: 'file out.json', attempts: 3 }),
    );
    await deadLetter.flush();
    expect(deadLetter.count).toBe(2);
    const common = { time: '2023-11-14T22:13:20.000Z', runId: 'run-1', code: 'MALFORMED_RECORD' };
    expect(parsed()).toMatchObject([
      { ...common, kind: 'record', identity: 'run 4f2a', content: { run_id: null } },
      { ...common, kind: 'proposal', sink: 'file out.json', attempts: 3, content: { aspect: {} } },
    ]);
    expect(Object.keys(parsed()[0] ?? {})).not.toContain('sink');
    await deadLetter.close();
  });

  it('has on the disk, when a flush resolves, all that was added before it', async () => {
    const deadLetter = open();
    const flushes = Array.from({ length: 20 }, async (_, index) => {
      deadLetter.add(rejection(index));
      await deadLetter.flush();
      expect(lines().length).toBeGreaterThan(index);
    });
    await Promise.all(flushes);
    await deadLetter.close();
    expect(parsed().map(({ content }) => content)).toEqual([...flushes.keys()]);
  });

  it('takes a rejection down as it is when it is added', async () => {
    const content = { state: 'then' };
    const deadLetter = open();
    deadLetter.add(rejection(content));
    content.state = 'now';
    await deadLetter.close();
    expect(parsed()).toMatchObject([{ content: { state: 'then' } }]);
  });

  it('adds to what earlier runs wrote', async () => {
    for (const runId of ['run-1', 'run-2']) {
      const deadLetter = open({ runId });
      deadLetter.add(rejection(null));
      await deadLetter.close();
    }
    expect(parsed().map(({ runId }) => runId)).toEqual(['run-1', 'run-2']);
  });

  it('starts a line of its own where an earlier run was cut off in one', async () => {
    writeFileSync(path, '{"whole":1}\n{"cut');
    const deadLetter = open();
    deadLetter.add(rejection(1));
    deadLetter.add(rejection(2));
    await deadLetter.close();
    const [whole, cut, ...rest] = lines();
    expect([whole, cut]).toEqual(['{"whole":1}', '{"cut']);
    expect(rest.map((line) => (JSON.parse(line) as { content: number }).content)).toEqual([1, 2]);
  });

  it('counts only, in a dry run', async () => {
    const deadLetter = open({ dryRun: true });
    deadLetter.add(rejection(1));
    await deadLetter.close();
    expect(deadLetter.count).toBe(1);
    expect(existsSync(path)).toBe(false);
  });
});

describe('the content of a dead letter', () => {
  async function contentOf(content: unknown): Promise<unknown> {
    const deadLetter = open();
    deadLetter.add(rejection(content));
    await deadLetter.close();
    const all = parsed();
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ code: 'MALFORMED_RECORD', message: 'the run has no id' });
    return all[0]?.['content'];
  }

  const shared = { a: 1 };
  const cycle: Record<string, unknown> = { name: 'cycle', first: shared, second: shared };
  cycle['self'] = cycle;
  cycle['list'] = [cycle, { parent: cycle }];

  it.each([
    ['nothing', undefined, null],
    ['a function', () => 1, null],
    ['text that may look like a line', 'a\nb\u2028c\u0085d', 'a\nb\u2028c\u0085d'],
    ['a lone surrogate', '\ud83d', '\ud83d'],
    ['numbers without JSON', [NaN, Infinity, -Infinity, 1n], ['NaN', 'Infinity', '-Infinity', '1']],
    ['an error', new TypeError('no'), { name: 'TypeError', message: 'no' }],
    ['a map and a set', [new Map([['k', 1]]), new Set([2])], [[['k', 1]], [2]]],
    [
      'a cycle',
      cycle,
      {
        name: 'cycle',
        first: shared,
        second: shared,
        self: '[circular]',
        list: ['[circular]', { parent: '[circular]' }],
      },
    ],
  ])('can be %s', async (_, content, expected) => {
    expect(await contentOf(content)).toEqual(expected);
  });

  it('keeps a key of the name __proto__', async () => {
    const content = await contentOf(JSON.parse('{"__proto__":{"a":1}}'));
    expect(JSON.stringify(content)).toBe('{"__proto__":{"a":1}}');
  });

  it('is kept whole, however large', async () => {
    const text = 'x'.repeat(20 * 1024 * 1024);
    expect(await contentOf(text)).toBe(text);
  });

  it('is described where it can not be read', async () => {
    let deep: unknown[] = [];
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    const hostile = {
      get value() {
        throw new Error('no');
      },
    };
    const opaque = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    const deadLetter = open();
    for (const content of [deep, hostile, opaque]) deadLetter.add(rejection(content));
    await deadLetter.close();
    expect(parsed().map(({ content }) => typeof content)).toEqual(['string', 'string', 'string']);
  });
});

describe('a dead-letter file that can not be written', () => {
  it('is told with what to do, by flush and not by add', async () => {
    mkdirSync(path);
    const deadLetter = open();
    deadLetter.add(rejection(1));
    await expect(deadLetter.flush()).rejects.toMatchObject({
      code: 'DEAD_LETTER_FAILED',
      category: 'unavailable',
      message: expect.stringMatching(/dead-letter\.ndjson.*deadLetter\.path/) as string,
    });
    // The cause mended, what was added is still there.
    rmSync(path, { recursive: true });
    await deadLetter.close();
    expect(parsed()).toHaveLength(1);
  });

  it.skipIf(!existsSync('/dev/full'))('may be on a full disk', async () => {
    symlinkSync('/dev/full', path);
    const deadLetter = open();
    deadLetter.add(rejection(1));
    await expect(deadLetter.flush()).rejects.toThrow(/no space left/);
    await expect(deadLetter.close()).rejects.toThrow(/no space left/);
  });
});
