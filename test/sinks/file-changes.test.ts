import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import { tagProposal } from '../../src/testing/index.js';
import { describeSink } from '../support/sink-kit.js';
import { temporaryFolder } from './delivered.js';
import { changesBeside, FORMATS, openChanges, positionOf, wellFormed } from './file-changes.js';
import { keepingLog, sinkFor, write } from './file-target.js';

for (const extension of FORMATS) {
  describeSink(`fileSink to ${extension} with state`, {
    resumes: true,
    open: () => {
      const path = join(temporaryFolder(), `out${extension}`);
      const sink = fileSink({ path });
      return {
        sink: { ...sink, open: (context, memory = {}) => sink.open(context, memory) },
        read: () => changesBeside(path),
      };
    },
  });
}

const page = (name: string, size: number): Proposal[] =>
  Array.from({ length: size }, (_, index) => tagProposal(`${name}-${index}`));

describe('fileSink in runs with state', () => {
  it('writes a new file each run, and leaves the one at its path alone', async () => {
    for (const extension of FORMATS) {
      const name = `out${extension}`;
      const { path, files } = sinkFor(name);
      writeFileSync(path, 'earlier');
      for (const runId of ['run-1', 'run-2']) {
        const { log, lines } = keepingLog();
        const open = await openChanges(path, undefined, { runId, log });
        await open.write(page(runId, 2));
        await open.close('complete');
        expect(open.position?.()).toBeUndefined();
        expect(lines).toEqual([`info what changed is in ${path.replace('out', `out.${runId}`)}`]);
      }
      expect(files()).toEqual([name, `out.run-1${extension}`, `out.run-2${extension}`].sort());
      expect(readFileSync(path, 'utf8')).toBe('earlier');
      for (const runId of ['run-1', 'run-2']) {
        expect(wellFormed(path.replace('out', `out.${runId}`))).toEqual(page(runId, 2));
      }
    }
  });

  it('writes no file where nothing changed, and says so', async () => {
    for (const batch of [undefined, [], [{ ...tagProposal('odd'), aspect: { big: 1n } }]]) {
      const { path, files } = sinkFor('out.json');
      const { log, lines } = keepingLog();
      const open = await openChanges(path, undefined, { log });
      if (batch !== undefined) await open.write(batch as unknown as Proposal[]);
      expect(files()).toEqual([]);
      await open.close('complete');
      expect(files()).toEqual([]);
      expect(open.position?.()).toBeUndefined();
      expect(lines).toEqual(['info nothing changed: no file is written']);
    }
  });

  it.each(['interrupted', 'failed'] as const)(
    'leaves the partial file to the next run when one is %s, and says so',
    async (outcome) => {
      for (const extension of FORMATS) {
        const { path, folder, files } = sinkFor(`out${extension}`);
        const { log, lines } = keepingLog();
        const first = await openChanges(path, undefined, { runId: 'run-1', log });
        await first.write(page('a', 3));
        await first.close(outcome);
        const position = positionOf(first);
        expect(files()).toEqual([position.partial]);
        expect(position).toMatchObject({ file: `out.run-1${extension}`, proposals: 3 });
        expect(statSync(join(folder, position.partial)).size).toBe(position.bytes);
        expect(lines).toEqual([
          `warn the run did not complete: the next one goes on with ${join(folder, position.partial)}`,
        ]);

        const second = await openChanges(path, position, { runId: 'run-2' });
        await second.write(page('b', 2));
        await second.close('complete');
        expect(files()).toEqual([`out.run-1${extension}`]);
        expect(wellFormed(join(folder, `out.run-1${extension}`))).toEqual([
          ...page('a', 3),
          ...page('b', 2),
        ]);
      }
    },
  );

  it('leaves nothing where a run ended before anything was written', async () => {
    const { path, files } = sinkFor('out.json');
    const open = await openChanges(path);
    await open.close('interrupted');
    expect(open.position?.()).toBeUndefined();
    expect(files()).toEqual([]);
  });

  it('has a position from the start, by which what was not confirmed is found and removed', async () => {
    const { path, folder, files } = sinkFor('out.json');
    const first = await openChanges(path, undefined, { runId: 'run-1' });
    const position = positionOf(first);
    expect(position).toMatchObject({ bytes: 0, proposals: 0 });
    await first.write(page('a', 1));
    await first.close('failed'); // as if it had been killed: no state holds a later position
    expect(files()).toEqual([position.partial]);
    const second = await openChanges(path, position, { runId: 'run-2' });
    expect(files()).toEqual([]);
    await second.write(page('b', 1));
    await second.close('complete');
    expect(files()).toEqual(['out.run-2.json']);
    expect(wellFormed(join(folder, 'out.run-2.json'))).toEqual(page('b', 1));
  });

  it('starts a new file where the last one was complete before the state knew', async () => {
    const { path, folder, files } = sinkFor('out.ndjson.gz');
    const first = await openChanges(path, undefined, { runId: 'run-1' });
    await first.write(page('a', 3));
    const position = positionOf(first);
    await first.close('complete');
    const second = await openChanges(path, position, { runId: 'run-2' });
    await second.close('complete');
    expect(files()).toEqual(['out.run-1.ndjson.gz']);
    const third = await openChanges(path, position, { runId: 'run-3' });
    await third.write(page('b', 1));
    await third.close('complete');
    expect(wellFormed(join(folder, 'out.run-1.ndjson.gz'))).toEqual(page('a', 3));
    expect(wellFormed(join(folder, 'out.run-3.ndjson.gz'))).toEqual(page('b', 1));
  });

  it('cuts off what was not confirmed, the end of the array among it', async () => {
    for (const extension of ['.json', '.json.gz']) {
      const { path, folder } = sinkFor(`out${extension}`);
      const first = await openChanges(path, undefined, { runId: 'run-1' });
      await first.write(page('a', 2));
      const position = positionOf(first);
      await first.write(page('b', 2));
      await first.close('complete');
      const final = join(folder, position.file);
      renameSync(final, join(folder, position.partial)); // before it was renamed
      const second = await openChanges(path, position, { runId: 'run-2' });
      await second.write(page('c', 1));
      await second.close('complete');
      expect(wellFormed(final)).toEqual([...page('a', 2), ...page('c', 1)]);
    }
  });

  it('replaces no file, whatever ids runs have', async () => {
    const { path, folder, files } = sinkFor('out.json');
    for (const name of ['a', 'b']) {
      const open = await openChanges(path, undefined, { runId: 'same' });
      await open.write(page(name, 1));
      await open.close('complete');
    }
    const open = await openChanges(path, undefined, { runId: 'late' });
    await open.write(page('c', 1));
    writeFileSync(join(folder, 'out.late.json'), 'of somebody else');
    await open.close('complete');
    expect(files()).toEqual([
      'out.late.2.json',
      'out.late.json',
      'out.same.2.json',
      'out.same.json',
    ]);
    expect(readFileSync(join(folder, 'out.late.json'), 'utf8')).toBe('of somebody else');
    expect(wellFormed(join(folder, 'out.same.json'))).toEqual(page('a', 1));
    expect(wellFormed(join(folder, 'out.late.2.json'))).toEqual(page('c', 1));
  });

  it('makes a name of any id that a run may have', async () => {
    const { path, files } = sinkFor('out.JSON.gz');
    for (const runId of ['../a/b c', 'x'.repeat(300)]) {
      const open = await openChanges(path, undefined, { runId });
      await open.write(page('a', 1));
      await open.close('complete');
    }
    expect(files()).toEqual(['out..._a_b_c.JSON.gz', `out.${'x'.repeat(100)}.JSON.gz`]);
  });

  it('does not touch what runs without state left, nor they what it left', async () => {
    const { path, folder, files } = sinkFor('out.json');
    const first = await openChanges(path, undefined, { runId: 'run-1' });
    await first.write(page('a', 1));
    await first.close('interrupted');
    const position = positionOf(first);
    // Of the same target, and of one that is called as the complete file would be.
    await write(path, page('full', 1));
    await write(join(folder, position.file), page('other', 1));
    expect(existsSync(join(folder, position.partial))).toBe(true);
    unlinkSync(join(folder, position.file));
    const host = hostname()
      .replace(/[^\w-]/g, '_')
      .slice(0, 32);
    const leftover = `out.json.${host}-${process.pid}-ab12.partial`; // of nobody, any more
    writeFileSync(join(folder, leftover), 'x');
    const second = await openChanges(path, position);
    await second.close('complete');
    expect(files()).toEqual(['out.json', leftover, position.file].sort());
    expect(wellFormed(path)).toEqual(page('full', 1));
    expect(wellFormed(join(folder, position.file))).toEqual(page('a', 1));
  });

  it('writes beside a link, not where it leads', async () => {
    const { path, folder, files } = sinkFor('link.json');
    mkdirSync(join(folder, 'real'));
    for (const [runId, exists] of [
      ['run-1', false],
      ['run-2', true],
    ] as const) {
      if (exists) writeFileSync(join(folder, 'real', 'out.json'), 'earlier');
      else symlinkSync(join('real', 'out.json'), path);
      const open = await openChanges(path, undefined, { runId });
      await open.write(page('a', 1));
      await open.close('complete');
    }
    expect(files()).toEqual(['link.json', 'link.run-1.json', 'link.run-2.json', 'real']);
    expect(readdirSync(join(folder, 'real'))).toEqual(['out.json']);
  });

  it('goes on in a folder that was moved', async () => {
    const { folder } = sinkFor('x.json');
    mkdirSync(join(folder, 'a'));
    const open = await openChanges(join(folder, 'a', 'out.json'), undefined, { runId: 'run-1' });
    await open.write(page('a', 1));
    await open.close('interrupted');
    renameSync(join(folder, 'a'), join(folder, 'b'));
    const next = await openChanges(join(folder, 'b', 'out.json'), positionOf(open));
    await next.close('complete');
    expect(wellFormed(join(folder, 'b', 'out.run-1.json'))).toEqual(page('a', 1));
  });

  it('gives the new file the permissions of the one at the path', async () => {
    const { path, folder } = sinkFor('out.json');
    writeFileSync(path, '');
    for (const mode of [0o600, 0o666, 0o440]) {
      chmodSync(path, mode);
      const runId = mode.toString(8);
      const open = await openChanges(path, undefined, { runId });
      await open.write(page('a', 1));
      await open.close('complete');
      expect(statSync(join(folder, `out.${runId}.json`)).mode & 0o777).toBe(mode | 0o600);
    }
  });

  it('can be written by one sink at a time', async () => {
    const { path } = sinkFor('out.json');
    const open = await openChanges(path);
    await expect(openChanges(path)).rejects.toMatchObject({
      code: 'SAME_TARGET',
      category: 'usage',
    });
    await open.close('complete');
    const next = await openChanges(path);
    await next.close('complete');
  });

  it('has a gzip member a page, whatever its size', async () => {
    const { path, folder } = sinkFor('out.ndjson.gz');
    const open = await openChanges(path);
    const ends: number[] = [];
    const sizes = [1, 10_000, 3];
    for (const size of sizes) {
      await open.write(page(`${size}`, size));
      ends.push(positionOf(open).bytes);
    }
    await open.close('interrupted');
    const bytes = readFileSync(join(folder, positionOf(open).partial));
    let start = 0;
    for (const [index, end] of ends.entries()) {
      const { length, text } = firstMember(bytes.subarray(start));
      expect(length).toBe(end - start);
      expect(text.split('\n')).toHaveLength((sizes[index] ?? 0) + 1);
      start = end;
    }
  });
});

/** Of a gzip file: ten bytes, the content, eight bytes. */
function firstMember(bytes: Buffer): { length: number; text: string } {
  const { buffer, engine } = inflateRawSync(bytes.subarray(10), { info: true }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  return { length: 10 + engine.bytesWritten + 8, text: buffer.toString('utf8') };
}
