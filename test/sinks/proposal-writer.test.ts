import { gunzipSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { proposalJson } from '../../src/datahub/proposal-json.js';
import { readProposal } from '../../src/datahub/read-proposal.js';
import { ARRAY, LINES, ProposalWriter, type Output } from '../../src/sinks/proposal-writer.js';
import { awkwardProposals, tagProposal } from '../../src/testing/index.js';

const many = (count: number): Proposal[] =>
  Array.from({ length: count }, (_, index) => tagProposal(`tag-${index}`));

/** An output in memory that fails behind so many bytes. */
function memory({ room = Infinity, takesBack = true } = {}) {
  const chunks: Uint8Array[] = [];
  const events: string[] = [];
  let left = room;
  const output: Output = {
    write: async (bytes) => {
      await new Promise((resolve) => setImmediate(resolve));
      left -= bytes.length;
      if (left < 0) throw new Error('no room');
      chunks.push(Buffer.from(bytes));
      if (events.at(-1) !== 'write') events.push('write'); // a batch may need several
    },
    ...(takesBack
      ? {
          commit: (written: number) => {
            events.push(`commit ${written}`);
            return Promise.resolve();
          },
          rollback: () => {
            events.push('rollback');
            return Promise.resolve();
          },
        }
      : {}),
  };
  return { output, chunks, events, bytes: () => Buffer.concat(chunks) };
}

function writerTo(output: Output, parts: Partial<ConstructorParameters<typeof ProposalWriter>[0]>) {
  return new ProposalWriter({
    output,
    framing: LINES,
    toJson: (proposal) => JSON.stringify(proposal),
    signal: new AbortController().signal,
    ...parts,
  });
}

describe('a batch', () => {
  it('has a proposal a line, whatever the content, for those who read by lines', async () => {
    const { output, bytes } = memory();
    const proposals = [...awkwardProposals(), tagProposal('a\u2028b\u0085c\u2029"\\')];
    const writer = writerTo(output, {
      toJson: proposalJson({ lastObserved: 1, runId: 'run "1" \u2028' }),
    });
    await writer.write(proposals);
    const lines = bytes()
      .toString('utf8')
      .split(/[\n\r\u0085\u2028\u2029]/);
    expect(lines.pop()).toBe('');
    const read = lines.map((line) => readProposal(JSON.parse(line)));
    expect(JSON.stringify(read)).toBe(JSON.stringify(proposals));
  });

  it('is committed once, when all of it is written', async () => {
    for (const gzip of [false, true]) {
      const { output, events } = memory();
      const writer = writerTo(output, { gzip, written: 7 });
      await Promise.all([writer.write(many(2)), writer.write([]), writer.write(many(3))]);
      expect(events).toEqual(['write', 'commit 9', 'write', 'commit 12']);
      expect(writer.written).toBe(12);
    }
  });

  it('is nothing where nothing of it can be written', async () => {
    const { output, events } = memory();
    const toJson = (): string => {
      throw new Error('no JSON');
    };
    const refusals = await writerTo(output, { gzip: true, toJson }).write(many(3));
    expect(refusals).toHaveLength(3);
    expect(events).toEqual([]);
  });

  it('is held as text or bytes only in part', async () => {
    const name = 'x'.repeat(10_000);
    for (const gzip of [false, true]) {
      const { output, chunks, bytes } = memory();
      let unwritten = 0;
      let most = 0;
      const counting: Output = {
        write: async (each) => {
          await output.write(each);
          if (!gzip) unwritten -= each.length;
        },
      };
      const writer = writerTo(counting, {
        gzip,
        toJson: (proposal) => {
          const json = JSON.stringify({ ...proposal, name, random: Math.random() });
          unwritten += json.length + 1;
          most = Math.max(most, unwritten);
          return json;
        },
      });
      await writer.write(many(1_000)); // ten megabytes
      if (!gzip) expect(most).toBeLessThan(600_000);
      for (const chunk of chunks) expect(chunk.length).toBeLessThan(600_000);
      const text = (gzip ? gunzipSync(bytes()) : bytes()).toString('utf8');
      expect(text.split('\n')).toHaveLength(1_001);
    }
  });

  it('is one gzip member, however long it is', async () => {
    const { output, bytes } = memory();
    const writer = writerTo(output, { gzip: true });
    await writer.write(many(20_000));
    const { engine } = inflateRawSync(bytes().subarray(10), { info: true }) as unknown as {
      engine: { bytesWritten: number };
    };
    expect(10 + engine.bytesWritten + 8).toBe(bytes().length);
  });

  it('is taken back as a whole when a write of it fails, and nothing follows it', async () => {
    for (const gzip of [false, true]) {
      const { output, events } = memory({ room: 300 });
      const writer = writerTo(output, { gzip });
      await writer.write(many(1));
      const large = many(20_000);
      const [second, third] = await Promise.allSettled([writer.write(large), writer.write(large)]);
      expect([second, third]).toMatchObject([
        { status: 'rejected', reason: { message: 'no room' } },
        { status: 'rejected', reason: { message: 'no room' } },
      ]);
      expect(events.slice(0, 2)).toEqual(['write', 'commit 1']);
      expect(events.slice(2).filter((event) => event !== 'write')).toEqual(['rollback']);
      expect(writer.written).toBe(1);
    }
  });

  it('is taken back as a whole when the run is broken off within it', async () => {
    const abort = new AbortController();
    abort.abort();
    for (const gzip of [false, true]) {
      const { output, events } = memory();
      const writer = writerTo(output, { gzip, signal: abort.signal });
      await expect(writer.write(many(20_000))).rejects.toMatchObject({ code: 'ABORTED' });
      expect(events.filter((event) => event !== 'write')).toEqual(['rollback']);
      expect(writer.written).toBe(0);
    }
  });

  it('stays well-formed where it is broken off and can not be taken back', async () => {
    const abort = new AbortController();
    abort.abort();
    for (const gzip of [false, true]) {
      const { output, bytes } = memory({ takesBack: false });
      const writer = writerTo(output, { gzip, framing: ARRAY, signal: abort.signal });
      await expect(writer.write(many(20_000))).rejects.toMatchObject({ code: 'ABORTED' });
      await writer.finish();
      const text = (gzip ? gunzipSync(bytes()) : bytes()).toString('utf8');
      const kept = JSON.parse(text) as unknown[];
      expect(kept.length).toBe(writer.written);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.length).toBeLessThan(20_000);
    }
  });
});

describe('the end of the framing', () => {
  it('is written behind all that is on its way', async () => {
    const { output, bytes } = memory();
    const writer = writerTo(output, { framing: ARRAY });
    const writing = writer.write(many(20_000));
    await writer.finish();
    await writing;
    expect(JSON.parse(bytes().toString('utf8'))).toHaveLength(20_000);
  });

  it('closes what an earlier run began', async () => {
    const { output, bytes } = memory();
    const writer = writerTo(output, { framing: ARRAY, written: 1 });
    await writer.write(many(1));
    await writer.finish();
    expect(JSON.parse(`[\n0${bytes().toString('utf8')}`)).toHaveLength(2);
  });
});
