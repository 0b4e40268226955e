import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { stdoutSink } from '../../src/sinks/stdout-sink.js';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { proposalsIn, textOf } from './delivered.js';
import { openChanges, positionOf, wellFormed, type Position } from './file-changes.js';
import { writeUntilFull } from './file-sink-process.js';
import { handles, sinkFor } from './file-target.js';

/** A run that broke off, with its position. */
async function brokenOff(name = 'out.json') {
  const target = sinkFor(name);
  const open = await openChanges(target.path, undefined, { runId: 'run-1' });
  await open.write([tagProposal('a'), tagProposal('b')]);
  await open.close('failed');
  const position = positionOf(open);
  return { ...target, position, partial: join(target.folder, position.partial) };
}

describe('fileSink that can not go on', () => {
  it('says what to do where the partial file is gone', async () => {
    const { path, partial, position, files } = await brokenOff();
    renameSync(partial, `${partial}.moved`);
    await expect(openChanges(path, position)).rejects.toMatchObject({
      code: 'PARTIAL_FILE_GONE',
      category: 'usage',
      message:
        `${partial} is gone, and what it held (2 proposals) counts as delivered: put it back, or ` +
        'run once with --full, which sends everything again',
    });
    expect(files()).toEqual([`${position.partial}.moved`]);
    renameSync(`${partial}.moved`, partial); // done as it says
    const open = await openChanges(path, position);
    await open.close('complete');
    expect(files()).toEqual(['out.run-1.json']);
  });

  it('does not take a file of the same name, but too short, for the complete one', async () => {
    const { path, partial, folder, position } = await brokenOff();
    unlinkSync(partial);
    writeFileSync(join(folder, position.file), '[]');
    await expect(openChanges(path, position)).rejects.toMatchObject({ code: 'PARTIAL_FILE_GONE' });
  });

  it('says how much is missing where the partial file is too short, and leaves it so', async () => {
    const { path, partial, position } = await brokenOff();
    truncateSync(partial, position.bytes - 1);
    const before = readFileSync(partial);
    await expect(openChanges(path, position)).rejects.toMatchObject({
      code: 'PARTIAL_FILE_GONE',
      category: 'usage',
      message: expect.stringContaining(
        `${partial} has only ${position.bytes - 1} of the ${position.bytes} bytes that it had`,
      ) as string,
    });
    expect(readFileSync(partial)).toEqual(before);
  });

  it('does not guess what a position of another version means', async () => {
    const { path, partial, position } = await brokenOff();
    for (const odd of [
      'text',
      { ...position, bytes: -1 },
      { ...position, partial: `../${position.partial}` },
      { ...position, file: undefined },
    ]) {
      await expect(openChanges(path, odd as never)).rejects.toMatchObject({
        code: 'POSITION_UNKNOWN',
        category: 'usage',
      });
    }
    expect(existsSync(partial)).toBe(true);
  });
});

describe.skipIf(process.platform === 'win32')('what fileSink with state can not write', () => {
  const refused = {
    code: 'NOT_RESUMABLE',
    category: 'usage',
    message: expect.stringMatching(/with state, name an ordinary file/) as string,
  };

  it('is refused as usage where it is a device, a pipe or a socket', async () => {
    const { folder, files } = sinkFor('x.json');
    symlinkSync('/dev/null', join(folder, 'device.json'));
    execFileSync('mkfifo', [join(folder, 'pipe.json')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket.json'), resolve));
    try {
      for (const name of ['device.json', 'pipe.json', 'socket.json']) {
        await expect(openChanges(join(folder, name))).rejects.toMatchObject(refused);
      }
      expect(files()).toEqual(['device.json', 'pipe.json', 'socket.json']);
    } finally {
      server.close();
    }
  });

  it('is refused as usage where it is standard output', async () => {
    await expect(stdoutSink().open(runContext(), {})).rejects.toMatchObject({
      code: 'NOT_RESUMABLE',
      category: 'usage',
      message: expect.stringMatching(/standard output.*with state, write to a file/) as string,
    });
  });

  it('is told with the folder to create, or where it is a folder', async () => {
    const { folder } = sinkFor('x.json');
    mkdirSync(join(folder, 'folder.json'));
    for (const [name, message] of [
      ['missing/out.json', /missing\/out\.json.*create it first/],
      ['folder.json', /it is a folder/],
      [`${'x'.repeat(240)}.json`, /too long/],
    ] as const) {
      const attempt = async () => {
        const open = await openChanges(join(folder, name));
        await open.write([tagProposal('a')]).finally(() => open.close('failed'));
      };
      await expect(attempt()).rejects.toMatchObject({
        category: 'unavailable',
        message: expect.stringMatching(message) as string,
      });
    }
  });
});

describe('fileSink with state and a disk that is slow or broken', () => {
  it('confirms a page only when it is on the disk', async () => {
    const { path } = sinkFor('out.ndjson');
    const datasync = vi.spyOn(await handles(), 'datasync');
    onTestFinished(() => {
      datasync.mockRestore();
    });
    let release = (): void => undefined;
    datasync.mockImplementation(() => new Promise<void>((resolve) => (release = resolve)));
    const open = await openChanges(path);
    let confirmed = false;
    const writing = open.write([tagProposal('a')]).then(() => (confirmed = true));
    await vi.waitUntil(() => datasync.mock.calls.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(confirmed).toBe(false);
    expect(positionOf(open)).toMatchObject({ bytes: 0, proposals: 0 });
    release();
    await writing;
    expect(positionOf(open)).toMatchObject({ proposals: 1 });
    datasync.mockResolvedValue(undefined);
    await open.close('complete');
  });

  it('confirms nothing any more after the disk has failed once', async () => {
    for (const name of ['out.json', 'out.ndjson.gz']) {
      const { path, folder } = sinkFor(name);
      const open = await openChanges(path, undefined, { runId: 'run-1' });
      await open.write([tagProposal('a')]);
      const before = positionOf(open);
      const datasync = vi
        .spyOn(await handles(), 'datasync')
        .mockRejectedValue(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
      await expect(open.write([tagProposal('b')])).rejects.toMatchObject({
        code: 'SINK_FAILED',
        category: 'unavailable',
      });
      datasync.mockRestore(); // it may well say that all is fine the next time
      await expect(open.write([tagProposal('c')])).rejects.toMatchObject({ code: 'SINK_FAILED' });
      await expect(open.close('complete')).rejects.toMatchObject({ code: 'SINK_FAILED' });
      expect(positionOf(open)).toEqual(before);
      const partial = join(folder, before.partial);
      expect(readFileSync(partial)).toHaveLength(before.bytes);
      const next = await openChanges(path, before);
      await next.write([tagProposal('b')]);
      await next.close('complete');
      const final = join(folder, before.file);
      expect(wellFormed(final)).toEqual([tagProposal('a'), tagProposal('b')]);
    }
  });

  it('keeps what was confirmed where the file can not be given its name', async () => {
    const { path, folder, files } = sinkFor('out.json');
    const open = await openChanges(path, undefined, { runId: 'run-1' });
    await open.write([tagProposal('a')]);
    const position = positionOf(open);
    const sync = vi
      .spyOn(await handles(), 'sync')
      .mockRejectedValueOnce(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const closing = open.close('complete');
    await expect(closing).rejects.toThrow(/no space is left/);
    sync.mockRestore();
    expect(positionOf(open)).toEqual(position);
    expect(files()).toEqual([position.partial]);
    const next = await openChanges(path, position);
    await next.write([tagProposal('b')]);
    await next.close('complete');
    expect(wellFormed(join(folder, position.file))).toHaveLength(2);
  });

  it('keeps exactly what was confirmed where the disk is full, and goes on when it is not', async () => {
    for (const name of ['out.json', 'out.ndjson.gz']) {
      const { path, folder, files } = sinkFor(name);
      const { confirmed, error, message, position } = await writeUntilFull(path, 'state');
      expect(error).toMatchObject({ code: 'SINK_FAILED', category: 'unavailable' });
      expect(message).toMatch(/larger than files may be|no space is left/);
      const { file, partial, bytes, proposals } = position as Position;
      expect(proposals).toBe(confirmed);
      expect(confirmed).toBeGreaterThan(0);
      expect(files()).toEqual([partial]);
      expect(readFileSync(join(folder, partial))).toHaveLength(bytes);
      const next = await openChanges(path, position as Position);
      await next.write([tagProposal('last')]);
      await next.close('complete');
      const urns = wellFormed(join(folder, file)).map(({ entityUrn }) => entityUrn);
      expect(urns).toHaveLength(confirmed + 1);
      expect(new Set(urns).size).toBe(confirmed + 1);
      expect(urns.at(-1)).toBe('urn:li:tag:last');
    }
  });

  it('waits for what is being written when the grace time of a run is over', async () => {
    const { path, folder } = sinkFor('out.json.gz');
    const open = await openChanges(path);
    const page = Array.from({ length: 5_000 }, (_, index) => tagProposal(`${index}`));
    const writing = open.write(page);
    await open.close('interrupted');
    expect(positionOf(open).proposals).toBe(5_000);
    await writing;
    expect(proposalsIn(textOf(join(folder, positionOf(open).partial)))).toEqual(page);
  });

  it('goes back to the last confirmed page when the run is broken off within one', async () => {
    for (const name of ['out.json', 'out.json.gz']) {
      const { path, folder } = sinkFor(name);
      const abort = new AbortController();
      const open = await openChanges(path, undefined, { signal: abort.signal });
      await open.write([tagProposal('a')]);
      abort.abort();
      const large = Array.from({ length: 20_000 }, (_, index) => tagProposal(`${index}`));
      await expect(open.write(large)).rejects.toMatchObject({ code: 'ABORTED' });
      await open.close('interrupted');
      const position = positionOf(open);
      expect(position.proposals).toBe(1);
      const partial = join(folder, position.partial);
      expect(readFileSync(partial)).toHaveLength(position.bytes);
      expect(proposalsIn(textOf(partial))).toEqual([tagProposal('a')]);
    }
  });
});

describe('fileSink with state and others who touch its file', () => {
  const touched = {
    code: 'SINK_FAILED',
    message: expect.stringMatching(/taken away or changed by another process/) as string,
  };

  it.each([
    [
      'removed it',
      (partial: string) => {
        unlinkSync(partial);
      },
    ],
    [
      'cut it',
      (partial: string) => {
        truncateSync(partial, 1);
      },
    ],
    [
      'wrote to it',
      (partial: string) => {
        appendFileSync(partial, 'x');
      },
    ],
    [
      'put another in its place',
      (partial: string) => {
        copyFileSync(partial, `${partial}.copy`);
        renameSync(`${partial}.copy`, partial);
      },
    ],
  ] as const)('confirms nothing more after one %s, and changes it no more', async (_, touch) => {
    const { path, folder, files } = sinkFor('out.ndjson');
    const open = await openChanges(path);
    await open.write([tagProposal('a')]);
    const { partial } = positionOf(open);
    touch(join(folder, partial));
    const contents = () => files().map((name) => readFileSync(join(folder, name), 'utf8'));
    const before = contents();
    await expect(open.write([tagProposal('b')])).rejects.toMatchObject(touched);
    await expect(open.close('complete')).rejects.toMatchObject(touched);
    expect(contents()).toEqual(before);
  });

  it('does not confirm what went into a file that was removed meanwhile', async () => {
    const { path, folder } = sinkFor('out.ndjson');
    const open = await openChanges(path);
    await open.write([tagProposal('a')]);
    const position = positionOf(open);
    const datasync = vi.spyOn(await handles(), 'datasync').mockImplementationOnce(() => {
      unlinkSync(join(folder, position.partial));
      return Promise.resolve();
    });
    await expect(open.write([tagProposal('b')])).rejects.toMatchObject(touched);
    datasync.mockRestore();
    expect(positionOf(open)).toEqual(position);
    await open.close('failed');
  });

  it('finds at the end, too, that it is gone', async () => {
    const { path, folder, files } = sinkFor('out.ndjson');
    const open = await openChanges(path);
    await open.write([tagProposal('a')]);
    unlinkSync(join(folder, positionOf(open).partial));
    await expect(open.close('complete')).rejects.toMatchObject(touched);
    expect(files()).toEqual([]);
  });

  it('lets two processes with copies of one state not mix their pages', async () => {
    for (const name of ['out.json', 'out.ndjson.gz']) {
      const { path, folder, position } = await brokenOff(name);
      const open = await openChanges(path, position);
      await open.write([tagProposal('c'), tagProposal('d')]);
      vi.resetModules(); // as another process, it knows nothing of what this one is writing
      const another = await import('./file-changes.js');
      const other = await another.openChanges(path, position);
      await expect(open.write([tagProposal('e')])).rejects.toMatchObject(touched);
      await open.close('failed');
      await other.write([tagProposal('f')]);
      await other.close('complete');
      expect(wellFormed(join(folder, position.file))).toEqual(
        ['a', 'b', 'f'].map((tag) => tagProposal(tag)),
      );
    }
  });
});
