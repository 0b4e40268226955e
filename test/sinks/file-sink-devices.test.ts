import { execFileSync, spawn } from 'node:child_process';
import { existsSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { sinkFor, write } from './file-target.js';

describe.skipIf(process.platform === 'win32')('fileSink to what is no file', () => {
  it('writes straight to a device, and tells that it is full', async () => {
    if (!existsSync('/dev/full')) return;
    const { path, sink, files } = sinkFor('full.json');
    symlinkSync('/dev/full', path);
    await expect(sink.check(runContext())).resolves.toMatch(/device/);
    const open = await sink.open(runContext());
    await expect(open.write([tagProposal('a')])).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringMatching(/no space is left/) as string,
    });
    await open.close('failed');
    expect(files()).toEqual(['full.json']);
  });

  it('writes to /dev/null through a link', async () => {
    const { path, files } = sinkFor('null.ndjson');
    symlinkSync('/dev/null', path);
    await write(path, [tagProposal('a')]);
    expect(files()).toEqual(['null.ndjson']);
    expect(statSync(path).isCharacterDevice()).toBe(true);
  });

  it('writes straight to a named pipe, as soon as somebody reads it', async () => {
    const { path, sink } = sinkFor('pipe.json');
    execFileSync('mkfifo', [path]);
    const opening = sink.open(runContext());
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    reader.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const open = await opening;
    const batch = Array.from({ length: 2000 }, (_, index) => tagProposal(`tag-${index}`));
    await open.write(batch);
    await open.close('complete');
    await new Promise((resolve) => reader.once('close', resolve));
    expect(JSON.parse(text)).toHaveLength(2000);
  });

  it('stops waiting for the reader of a pipe when the run is broken off', async () => {
    const { path, sink } = sinkFor('pipe.json');
    execFileSync('mkfifo', [path]);
    const abort = new AbortController();
    const opening = sink.open(runContext({ signal: abort.signal }));
    setTimeout(() => {
      abort.abort();
    }, 100);
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('tells that the reader of a pipe went away', async () => {
    const { path, sink } = sinkFor('pipe.ndjson');
    execFileSync('mkfifo', [path]);
    const reader = spawn('head', ['-c', '10', path], { stdio: 'ignore' });
    const open = await sink.open(runContext());
    const batch = Array.from({ length: 2000 }, (_, index) => tagProposal(`tag-${index}`));
    await expect(
      (async () => {
        for (;;) await open.write(batch);
      })(),
    ).rejects.toMatchObject({ code: 'OUTPUT_CLOSED' });
    await open.close('failed');
    reader.kill();
  });
});
