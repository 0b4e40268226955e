import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { proposalsIn, textOf } from './delivered.js';
import { childArguments, writeUntilFull } from './file-sink-process.js';
import { handles, sinkFor } from './file-target.js';

describe('what fileSink can not write', () => {
  it.each(['out', 'out.txt', 'out.gz', 'out.csv.gz', '/dev/stdout'])(
    'is refused as usage where the name says no format: %s',
    (path) => {
      expect(() => fileSink({ path })).toThrow(
        expect.objectContaining({
          code: 'UNKNOWN_FORMAT',
          category: 'usage',
          message: expect.stringContaining('.json, .ndjson or .jsonl') as string,
        }) as Error,
      );
    },
  );

  it('is refused as usage where an option is mistyped', () => {
    expect(() => fileSink({ pth: 'out.json' } as never)).toThrow(/did you mean "path"/);
  });

  it('is told with the folder to create', async () => {
    const { folder } = sinkFor('x.json');
    const sink = fileSink({ path: join(folder, 'missing', 'out.json') });
    const wanted = {
      code: 'SINK_UNWRITABLE',
      category: 'unavailable',
      message: expect.stringMatching(/missing\/out\.json.*create it first/) as string,
    };
    await expect(sink.open(runContext())).rejects.toMatchObject(wanted);
    await expect(sink.check(runContext())).rejects.toMatchObject(wanted);
  });

  it('is told where the target is a folder, a file stands for its folder, or links circle', async () => {
    const { folder } = sinkFor('x.json');
    mkdirSync(join(folder, 'folder.json'));
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('circle.json', join(folder, 'circle.json'));
    for (const [name, message] of [
      ['folder.json', /it is a folder/],
      ['file/out.json', /is not a folder/],
      ['circle.json', /circle/],
      [`${'x'.repeat(248)}.json`, /too long/],
    ] as const) {
      const sink = fileSink({ path: join(folder, name) });
      await expect(sink.open(runContext())).rejects.toMatchObject({
        code: 'SINK_UNWRITABLE',
        message: expect.stringMatching(message) as string,
      });
    }
  });

  it('is told where permission is missing, for the folder or for a file made read-only', async () => {
    const { folder, path, sink, files } = sinkFor('out.json');
    const denied = {
      code: 'SINK_UNWRITABLE',
      category: 'unavailable',
      message: expect.stringMatching(/permission denied.*check who may write/) as string,
    };
    chmodSync(folder, 0o555);
    await asOrdinaryUser(() => expect(sink.open(runContext())).rejects.toMatchObject(denied));
    chmodSync(folder, 0o777);
    writeFileSync(path, 'earlier');
    chmodSync(path, 0o444);
    if (process.getuid?.() !== 0) {
      await expect(sink.open(runContext())).rejects.toMatchObject(denied);
    }
    expect(files()).toEqual(['out.json']);
  });

  it('is told where it is a socket, which is left alone', async () => {
    const { path, sink } = sinkFor('socket.json');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      await expect(sink.open(runContext())).rejects.toThrow(/no ordinary file/);
    } finally {
      server.close();
    }
  });
});

/** As root, who may write anywhere, with another's rights; otherwise just so. */
async function asOrdinaryUser(run: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return run();
  process.seteuid?.(65534);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
}

describe('fileSink in a process that comes to harm', () => {
  it('leaves the target as it was when it is killed in mid-write', async () => {
    const { path, sink, files } = sinkFor('out.json');
    writeFileSync(path, 'earlier');
    const child = spawn(process.execPath, childArguments(path), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve)); // it has confirmed a page
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(readFileSync(path, 'utf8')).toBe('earlier');
    const [, partial = '', ...others] = files();
    expect(partial).toContain(`-${child.pid ?? 0}-`);
    expect(others).toEqual([]);
    // What was confirmed had left the process.
    expect(proposalsIn(wholeLines(join(path, '..', partial))).length).toBeGreaterThan(0);

    const open = await sink.open(runContext());
    await open.close('complete');
    expect(files()).toEqual(['out.json']);
  });

  it('tells that the disk took no more, and keeps what was confirmed', async () => {
    for (const name of ['out.json', 'out.ndjson.gz']) {
      const { path, files } = sinkFor(name);
      writeFileSync(path, 'earlier');
      const result = await writeUntilFull(path);
      expect(result.error).toMatchObject({ code: 'SINK_FAILED', category: 'unavailable' });
      expect(result.message).toContain(path);
      expect(result.message).toMatch(/larger than files may be|no space is left/);
      expect(readFileSync(path, 'utf8')).toBe('earlier');
      expect(files()).toEqual([name, `${name}.incomplete`]);
      const kept = textOf(`${path}.incomplete`);
      if (name === 'out.json') JSON.parse(kept);
      expect(proposalsIn(kept).length).toBeGreaterThanOrEqual(result.confirmed);
      expect(result.confirmed).toBeGreaterThan(0);
    }
  });
});

describe('fileSink on a disk that fails', () => {
  it('keeps what was confirmed whole, even where the half page can not be cut off', async () => {
    for (const name of ['out.json', 'out.ndjson.gz']) {
      const { path, sink, files } = sinkFor(name);
      const open = await sink.open(runContext());
      await open.write([tagProposal('a')]);
      const prototype = await handles();
      const write = vi.spyOn(prototype, 'write').mockImplementation(function half(
        this: FileHandle,
        ...[bytes, offset, length, position]: unknown[]
      ) {
        const part = [Number(offset), Math.floor(Number(length) / 2), Number(position)] as const;
        writeSync(this.fd, bytes as Uint8Array, ...part);
        return Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
      });
      const truncate = vi.spyOn(prototype, 'truncate').mockRejectedValueOnce(new Error('EIO'));
      const large = Array.from({ length: 100 }, (_, index) => tagProposal(`${index}`));
      await expect(open.write(large)).rejects.toMatchObject({ code: 'SINK_FAILED' });
      expect(truncate).toHaveBeenCalledTimes(1);
      write.mockRestore();
      truncate.mockRestore();
      await open.close('failed');
      expect(files()).toEqual([`${name}.incomplete`]);
      const kept = textOf(`${path}.incomplete`);
      if (name === 'out.json') expect(JSON.parse(kept)).toHaveLength(1);
      expect(proposalsIn(kept)).toEqual([tagProposal('a')]);
    }
  });

  it('waits for what is being written when the grace time of a run is over', async () => {
    const { path, sink, files } = sinkFor('out.json');
    const open = await sink.open(runContext());
    const page = Array.from({ length: 5_000 }, (_, index) => tagProposal(`${index}`));
    const writing = open.write(page);
    await open.close('interrupted');
    await writing;
    expect(files()).toEqual(['out.json.incomplete']);
    expect(JSON.parse(textOf(`${path}.incomplete`))).toHaveLength(5_000);
  });
});

function wholeLines(path: string): string {
  const text = readFileSync(path, 'utf8');
  return text.slice(0, text.lastIndexOf('\n'));
}
