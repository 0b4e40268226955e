import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import { proposalJson } from '../../src/datahub/proposal-json.js';
import type { Aspect, Proposal } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import {
  proposalFileSource,
  type ProposalFileSourceOptions,
} from '../../src/sources/proposal-file/proposal-file-source.js';
import {
  BrokenTextError,
  LineSplitter,
  ListSplitter,
  type Piece,
} from '../../src/sources/proposal-file/split.js';
import type { Rejection } from '../../src/stream/contracts.js';
import { awkwardProposals, runContext, tagProposal } from '../../src/testing/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proposal-file-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Read {
  readonly records: readonly Proposal[];
  readonly rejected: readonly Rejection[];
  readonly pages: number;
  readonly failure?: PipelineError;
}

async function read(
  name: string,
  content: string | Uint8Array,
  options: Partial<ProposalFileSourceOptions> = {},
): Promise<Read> {
  const path = join(folder, name);
  await writeFile(path, content);
  const open = await proposalFileSource({ path, ...options }).open(runContext());
  const records: Proposal[] = [];
  const rejected: Rejection[] = [];
  let pages = 0;
  try {
    for await (const page of open.read({ kinds: new Set() })) {
      pages += 1;
      records.push(...page.records);
      rejected.push(...page.rejected);
    }
  } catch (error) {
    if (error instanceof PipelineError) return { records, rejected, pages, failure: error };
    throw error;
  }
  return { records, rejected, pages };
}

const toJson = proposalJson({ lastObserved: 1, runId: 'run' });
const tags = (count: number): Proposal[] =>
  Array.from({ length: count }, (_, index) => tagProposal(`tag-${index}`));
/** As DataHub's file sink lays it out. */
const pretty = (proposals: readonly Proposal[]): string =>
  `[\n${proposals.map((each) => JSON.stringify(JSON.parse(toJson(each)), null, 4)).join(',\n')}\n]`;
const lines = (proposals: readonly Proposal[]): string =>
  proposals.map((each) => `${toJson(each)}\n`).join('');

describe('what is read', () => {
  for (const name of ['a.json', 'a.ndjson', 'a.jsonl', 'a.json.gz', 'a.ndjson.gz']) {
    it(`is what the file sink wrote as ${name}`, async () => {
      const path = join(folder, name);
      const sink = await fileSink({ path }).open(runContext());
      const proposals = [...awkwardProposals(), ...tags(2_500)];
      await sink.write(proposals.slice(0, 1_000));
      await sink.write(proposals.slice(1_000)); // another gzip member
      await sink.close('complete');
      const open = await proposalFileSource({ path, pageSize: 700 }).open(runContext());
      const found: Proposal[] = [];
      for await (const page of open.read({ kinds: new Set() })) found.push(...page.records);
      expect(found).toEqual(proposals);
    });
  }

  it("is what DataHub's file sink writes, in any layout", async () => {
    const proposals = [...awkwardProposals(), ...tags(10)];
    expect((await read('p.json', pretty(proposals))).records).toEqual(proposals);
    const crlf = pretty(proposals).replaceAll('\n', '\r\n\t');
    expect((await read('p.json', `\ufeff${crlf}\r\n`)).records).toEqual(proposals);
    const dense = `[${proposals.map(toJson).join(',')}]`;
    expect((await read('p.json', dense)).records).toEqual(proposals);
  });

  it('may be lines in a file that is called .json', async () => {
    expect((await read('l.json', lines(tags(3)))).records).toEqual(tags(3));
    expect((await read('l.json', toJson(tagProposal('one')))).records).toHaveLength(1);
  });

  it('may have the aspect as text, and null for what is not there', async () => {
    const value = JSON.stringify({ name: 'ü' });
    const entry = {
      auditHeader: null,
      entityType: 'tag',
      entityUrn: 'urn:li:tag:a',
      entityKeyAspect: null,
      changeType: 'UPSERT',
      aspectName: 'tagProperties',
      aspect: { value, contentType: 'application/json' },
      systemMetadata: null,
    };
    const { records } = await read('v.json', JSON.stringify([entry]));
    expect(records).toEqual([tagProposal('a', { name: 'ü' })]);
  });

  it('may be a patch in each of the forms that there are', async () => {
    const patch = [{ op: 'add', path: '/name', value: 'x' }];
    const [value, head] = [JSON.stringify(patch), JSON.parse(toJson(tagProposal('a'))) as object];
    const forms = [
      { json: patch }, // DataHub's file sink, as it is set up
      { value, contentType: 'application/json-patch+json' }, // the same, told to nest
      { value, contentType: 'application/json' }, // the same, of what its file source has read
    ];
    const all = forms.map((aspect) => ({ ...head, changeType: 'PATCH', aspect }));
    const { records } = await read('p.json', JSON.stringify(all));
    const expected = { ...tagProposal('a', patch as unknown as Aspect), changeType: 'PATCH' };
    expect(records).toEqual([expected, expected, expected]);
  });

  it('comes in smaller pages where proposals are large', async () => {
    const large = tags(6).map(({ aspect, ...each }) => ({
      ...each,
      aspect: { ...aspect, description: 'x'.repeat(3 * 1024 * 1024) },
    }));
    const { records, pages } = await read('large.ndjson', lines(large));
    expect(records).toEqual(large);
    expect(pages).toBe(2);
  });

  it('may be nothing', async () => {
    for (const [name, content] of [
      ['n.json', '[]'],
      ['n.json', ' [ \n ] \n'],
      ['n.json', ''],
      ['n.ndjson', '\n\n'],
      ['n.json.gz', ''],
    ] as const) {
      expect(await read(name, content)).toEqual({ records: [], rejected: [], pages: 0 });
    }
  });
});

describe('a compressed file with zero bytes behind its end', () => {
  const zeros = (length: number): Buffer => Buffer.alloc(length);
  const proposals = tags(20);
  const packed = gzipSync(lines(proposals));

  it('ends where they begin, however many there are', async () => {
    for (const length of [1, 512, 16_384 - packed.length, 40_000]) {
      const { records, failure } = await read('z.json.gz', Buffer.concat([packed, zeros(length)]));
      expect(failure).toBeUndefined();
      expect(records).toEqual(proposals);
    }
  });

  it('ends where they begin at the start of a chunk that is read', async () => {
    // A name in the header fills the member up to the 16 KiB that are read at a time.
    const name = Buffer.alloc(16_384 - packed.length, 'n');
    name[name.length - 1] = 0;
    const head = Buffer.from(packed.subarray(0, 10));
    head[3] = 0x08;
    const full = Buffer.concat([head, name, packed.subarray(10)]);
    for (const end of [zeros(0), zeros(1), zeros(20_000)]) {
      const { records, failure } = await read('z.json.gz', Buffer.concat([full, end]));
      expect(failure).toBeUndefined();
      expect(records).toEqual(proposals);
    }
    const more = await read('z.json.gz', Buffer.concat([full, packed, zeros(9)]));
    expect(more.records).toEqual([...proposals, ...proposals]);
  });

  it('is damaged where something follows them', async () => {
    for (const length of [1, 512, 40_000]) {
      for (const rest of [packed, Buffer.from('x')]) {
        const content = Buffer.concat([packed, zeros(length), rest]);
        const { records, failure } = await read('z.json.gz', content);
        expect(records).toEqual(proposals);
        expect(failure?.code).toBe('SOURCE_CUT_OFF');
        expect(failure?.message).toContain('behind the zero bytes');
      }
    }
  });
});

describe('what can not be used', () => {
  it('is set aside with its line, and the reading goes on', async () => {
    const text = `${lines(tags(2))}{"entityUrn": oops}\n\n${lines(tags(1))}[1]\n"text"`;
    const { records, rejected } = await read('b.ndjson', text);
    expect(records).toEqual([...tags(2), ...tags(1)]);
    expect(rejected.map(({ identity }) => identity.replace(/.* line/, 'line'))).toEqual([
      'line 3',
      'line 6',
      'line 7',
    ]);
    expect(rejected[0]).toMatchObject({ kind: 'record', code: 'MALFORMED_PROPOSAL' });
    expect(rejected[0]?.content).toBe('{"entityUrn": oops}');
  });

  it('is set aside with its number in a list', async () => {
    const [one, two] = tags(2).map(toJson);
    const text = `[\n${one ?? ''},\n{"a": [1, 2,]},\n\n${two ?? ''},\n{} {},\n7,,\nnull\n]`;
    const { records, rejected, failure } = await read('b.json', text);
    expect(failure).toBeUndefined();
    expect(records).toEqual(tags(2));
    expect(rejected.map(({ message }) => message.slice(0, 19))).toEqual([
      'proposal 2 (line 3)',
      'proposal 4 (line 6)',
      'proposal 5 (line 7)',
      'proposal 6 (line 8)',
    ]);
  });

  it('is said why', async () => {
    const good = JSON.parse(toJson(tagProposal('a'))) as Record<string, unknown>;
    const bad = [
      { auditHeader: null, proposedSnapshot: { 'com.linkedin…': {} } },
      { ...good, changeType: 'DELETE' },
      { ...good, aspect: { value: 'x', contentType: 'application/json' } },
      { ...good, aspect: { value: 'x', contentType: 'application/avro' } },
      { ...good, aspect: { json: null } },
      { ...good, aspect: { value: '[]', contentType: 'application/json-patch+json' } },
      { ...good, headers: { a: 1 } },
      { ...good, entityUrn: '' },
      { ...good, aspectName: 7 },
    ];
    const { records, rejected } = await read('w.json', JSON.stringify(bad));
    expect(records).toEqual([]);
    expect(rejected.map(({ code, message }) => `${code}: ${message.replace(/^.*not sent: /, '')}`))
      .toMatchInlineSnapshot(`
        [
          "UNSUPPORTED_PROPOSAL: it is a metadata change event (proposedSnapshot), which holds several aspects in an older form: DataHub itself can write it anew as proposals",
          "UNSUPPORTED_PROPOSAL: its changeType is "DELETE": only UPSERT and PATCH are sent on",
          "MALFORMED_PROPOSAL: the value of its aspect is not JSON",
          "UNSUPPORTED_PROPOSAL: its aspect is of the type "application/avro": application/json is sent on, and of a PATCH application/json-patch+json",
          "MALFORMED_PROPOSAL: the content of its aspect is null instead of an object",
          "UNSUPPORTED_PROPOSAL: its aspect is of the type "application/json-patch+json": application/json is sent on, and of a PATCH application/json-patch+json",
          "MALFORMED_PROPOSAL: its header a is a number instead of a text",
          "MALFORMED_PROPOSAL: its entityUrn is empty instead of a text",
          "MALFORMED_PROPOSAL: its aspectName is a number instead of a text",
        ]
      `);
    expect(rejected[1]?.identity).toBe('urn:li:tag:a tagProperties');
  });

  it('is not held where it is too long', async () => {
    const long = tagProposal('long', { name: 'x'.repeat(5_000) });
    const proposals = [tagProposal('a'), long, tagProposal('b')];
    for (const [name, text] of [
      ['t.json', pretty(proposals)],
      ['t.ndjson', lines(proposals)],
    ] as const) {
      const { records, rejected } = await read(name, text, { maxProposalBytes: 1_000 });
      expect(records).toEqual([tagProposal('a'), tagProposal('b')]);
      expect(rejected[0]?.message).toContain('longer than 1000 bytes');
    }
  });
});

describe('a file that is cut off', () => {
  it('ends the run after what stands before', async () => {
    const text = pretty(tags(4));
    const third = text.indexOf('tag-2');
    const { records, failure } = await read('c.json', text.slice(0, third), { pageSize: 10 });
    expect(records).toEqual(tags(2));
    expect(failure?.code).toBe('SOURCE_CUT_OFF');
    expect(failure?.message).toMatch(/c\.json, line \d+: it is cut off in the value that begins/);
  });

  it('is noticed wherever it is cut', async () => {
    const text = `[${tags(3).map(toJson).join(',\n')}]`;
    for (let length = 1; length < text.length; length += 7) {
      const { records, failure } = await read('c.json', text.slice(0, length));
      expect(failure?.code).toBe('SOURCE_CUT_OFF');
      expect(records).toEqual(tags(records.length));
    }
    expect((await read('c.json', `${text}x`)).failure?.message).toContain('behind the end');
  });

  it('is noticed where it is compressed, and nothing before the cut is lost', async () => {
    const proposals = tags(3_000).map((tag, index) =>
      tagProposal(`tag-${index}`, { ...tag.aspect, noise: Math.sin(index) }),
    );
    const text = lines(proposals);
    const bytes = gzipSync(text);
    for (const share of [0.3, 0.7, 0.99]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * share));
      const { records, failure } = await read('c.ndjson.gz', cut);
      expect(failure?.message).toContain('the compressed file is cut off');
      expect(records).toEqual(proposals.slice(0, records.length));
      expect(records.length).toBeGreaterThan(proposals.length * share * 0.8);
    }
    const damaged = Buffer.from(bytes);
    damaged.fill(0xff, 20_000, 20_100);
    expect((await read('c.ndjson.gz', damaged)).failure?.code).toBe('SOURCE_CUT_OFF');
  });

  it('is damaged, and says how much of what stands before may be missing', async () => {
    const proposals = tags(400).map((tag) => ({
      ...tag,
      aspect: { ...tag.aspect, description: 'x'.repeat(1_000) },
    }));
    const text = lines(proposals);
    const bytes = gzipSync(text);
    const wrongSum = Buffer.from(bytes);
    wrongSum.fill(0xff, bytes.length - 8, bytes.length - 4);
    const garbage = Buffer.concat([bytes, Buffer.from('garbage')]);
    for (const content of [wrongSum, garbage]) {
      const { records, failure } = await read('d.ndjson.gz', content);
      expect(records).toEqual(proposals.slice(0, records.length));
      expect(lines(records).length).toBeGreaterThan(text.length - 64 * 1024 - 2_000);
      expect(failure?.code).toBe('SOURCE_CUT_OFF');
      expect(failure?.message).toMatch(
        /is damaged \(.*\)\. What stands before it was read, but for proposals in its last 64 KiB;/,
      );
    }
    // Where nothing is lost, nothing is said of it.
    const cut = await read('d.ndjson.gz', bytes.subarray(0, -4));
    expect(cut.records).toEqual(proposals);
    expect(cut.failure?.message).toContain('cut off. What stands before it was read; make');
  });

  it('may have brackets that do not match', async () => {
    const text = `[${toJson(tagProposal('a'))}, {"a": [1}, ${toJson(tagProposal('b'))}]`;
    const { records, failure } = await read('c.json', text);
    expect(records).toEqual([tagProposal('a')]);
    expect(failure?.message).toContain('closes what was not opened');
  });

  it('may have a bracket too many', async () => {
    const [one, two] = tags(2).map(toJson);
    for (const text of [
      `[\n${one ?? ''}},\n${two ?? ''}]`,
      `\n${one ?? ''}}\n${two ?? ''}`,
      `\n${one ?? ''}\n]`,
    ]) {
      const { records, rejected, failure } = await read('c.json', text);
      expect(records).toEqual(tags(1));
      expect(rejected).toEqual([]);
      expect(failure?.code).toBe('SOURCE_CUT_OFF');
      expect(failure?.message).toMatch(/c\.json, line [23]: [}\]] closes what was not opened/);
    }
  });
});

describe('splitting', () => {
  const json = fc.json({ maxDepth: 4 }).filter((text) => text.startsWith('{'));
  const layout = fc.constantFrom('', ' ', '\n', '\r\n\t');
  const values = fc.array(fc.tuple(json, fc.constantFrom(undefined, 0, 3), layout), {
    maxLength: 8,
  });
  const chunkSizes = fc.infiniteStream(fc.integer({ min: 1, max: 40 }));

  const laidOut = (each: readonly (readonly [string, number | undefined, string])[]): string[] =>
    each.map(([text, indent, space]) => {
      return space + JSON.stringify(JSON.parse(text), null, indent) + space;
    });

  function* split(text: Buffer, sizes: Iterator<number>): Generator<Piece, void> {
    const splitter = new ListSplitter(1e6);
    for (let start = 0; start < text.length;) {
      const end = start + Number(sizes.next().value);
      yield* splitter.push(text.subarray(start, end));
      start = end;
    }
    yield* splitter.end();
  }

  it('finds the values of any list, in chunks of any size', () => {
    fc.assert(
      fc.property(values, chunkSizes, (each, sizes) => {
        const text = Buffer.from(`[${laidOut(each).join(',')}]`);
        const found = [...split(text, sizes)].map((piece) => JSON.parse(piece.text) as unknown);
        expect(found).toEqual(each.map(([value]) => JSON.parse(value) as unknown));
      }),
    );
  });

  it('ends, wherever brackets too many stand', () => {
    const stray = fc.tuple(fc.constantFrom('}', ']', '{', '['), fc.nat());
    const isList = fc.boolean();
    const strays = fc.array(stray, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(values, isList, strays, chunkSizes, (each, inList, brackets, sizes) => {
        let text = inList ? `[${laidOut(each).join(',')}]` : laidOut(each).join('\n');
        for (const [bracket, where] of brackets) {
          const place = where % (text.length + 1);
          text = text.slice(0, place) + bracket + text.slice(place);
        }
        let count = 0;
        try {
          for (const piece of split(Buffer.from(text), sizes)) {
            expect(piece.text).not.toBe('');
            count += 1;
            // A value has a byte at least: more of them are pieces without end.
            if (count > text.length) break;
          }
        } catch (error) {
          if (!(error instanceof BrokenTextError)) throw error;
        }
        expect(count).toBeLessThanOrEqual(text.length);
      }),
    );
  });

  it('finds lines, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(json, { maxLength: 8 }),
        fc.integer({ min: 1, max: 20 }),
        (texts, size) => {
          const bytes = Buffer.from(texts.join('\n\n'));
          const splitter = new LineSplitter(1e6);
          const found: string[] = [];
          for (let start = 0; start < bytes.length; start += size) {
            for (const piece of splitter.push(bytes.subarray(start, start + size))) {
              found.push(piece.text);
            }
          }
          for (const piece of splitter.end()) found.push(piece.text);
          expect(found).toEqual(texts);
        },
      ),
    );
  });
});

describe('memory', () => {
  it('is that of a page, not of the file', async () => {
    const aspect = { name: 'x'.repeat(20_000) };
    const many = Array.from({ length: 4_000 }, (_, index) => tagProposal(`t${index}`, aspect));
    const path = join(folder, 'large.json');
    await writeFile(path, pretty(many)); // 80 MB
    const open = await proposalFileSource({ path, pageSize: 10 }).open(runContext());
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    let pages = 0;
    let [before, growth] = [0, 0];
    for await (const page of open.read({ kinds: new Set() })) {
      expect(page.records).toHaveLength(10);
      pages += 1;
      if (pages === 10) before = held();
      else if (pages % 50 === 0) growth = Math.max(growth, held() - before);
    }
    expect(growth).toBeLessThan(8e6);
  });
});

it('says what is wrong with a name or a file', async () => {
  expect(() => proposalFileSource({ path: 'proposals.txt' })).toThrow(/\.json, \.ndjson/);
  const missing = proposalFileSource({ path: join(folder, 'missing.json') });
  await expect(missing.open(runContext())).rejects.toThrow(/missing\.json: it does not exist/);
});

it('says that a compressed file must be named like one', async () => {
  for (const name of ['z.json', 'z.ndjson']) {
    const { records, rejected, failure } = await read(name, gzipSync(lines(tags(3))));
    expect({ records, rejected }).toEqual({ records: [], rejected: [] });
    expect(failure).toMatchObject({ code: 'UNKNOWN_FORMAT', category: 'usage' });
    expect(failure?.message).toContain(`${name} is compressed: name it ${name}.gz`);
  }
});
