import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stdoutSink } from '../../src/sinks/stdout-sink.js';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { describeSink } from '../support/sink-kit.js';
import { proposalsIn } from './delivered.js';

/** A stream that keeps what it took, and can be made to take nothing for a while, or to break. */
function reader() {
  let text = '';
  let stalled = false;
  let waiting: (() => void) | undefined;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      const take = () => {
        text += chunk.toString('utf8');
        callback();
      };
      if (stalled) waiting = take;
      else setImmediate(take);
    },
  });
  return {
    stream,
    read: () => proposalsIn(text),
    stall: () => {
      stalled = true;
      return () => {
        stalled = false;
        waiting?.();
      };
    },
    fail: () => {
      stream.destroy(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    },
  };
}

/** Of a Node process that writes to its standard output without end, from the sources. */
const childArguments = [
  '--import',
  fileURLToPath(import.meta.resolve('jiti/register')),
  fileURLToPath(new URL('stdout-sink-child.ts', import.meta.url)),
];

describeSink('stdoutSink', {
  faults: ['stall', 'fail'],
  open: () => {
    const other = reader();
    return { sink: stdoutSink({ stream: other.stream }), ...other };
  },
});

describe('stdoutSink', () => {
  it('writes a proposal a line and leaves the stream open', async () => {
    const stream = new PassThrough();
    const open = await stdoutSink({ stream }).open(runContext());
    await open.write([tagProposal('a'), tagProposal('b')]);
    await open.close('complete');
    expect(stream.writable).toBe(true);
    expect(stream.listenerCount('error')).toBe(0);
    const lines = (stream.read() as Buffer).toString('utf8').split('\n');
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      entityUrn: 'urn:li:tag:b',
      systemMetadata: { lastObserved: 1_700_000_000_000, runId: 'test-run' },
    });
  });

  it('says that the reader went away, and does not end the process by its event', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, callback) {
        callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const open = await stdoutSink({ stream }).open(runContext());
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(open.write([tagProposal('a')])).rejects.toMatchObject({
        code: 'OUTPUT_CLOSED',
        message: 'standard output was closed by whoever read it',
      });
    }
    await open.close('failed');
    await new Promise((resolve) => setImmediate(resolve));
    await expect(stdoutSink({ stream }).check(runContext())).rejects.toMatchObject({
      code: 'OUTPUT_CLOSED',
    });
  });

  it('says that the disk behind a redirection is full', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, callback) {
        callback(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }));
      },
    });
    const open = await stdoutSink({ stream }).open(runContext());
    await expect(open.write([tagProposal('a')])).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringMatching(/standard output.*no space is left/) as string,
    });
  });

  it.skipIf(!existsSync('/dev/full'))('says so on a disk that is really full', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, childArguments, { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect({ errors, status }).toEqual({ errors: 'SINK_FAILED\n', status: 0 });
  });

  it("works on the process's own standard output, up to a reader that goes away", async () => {
    const child = spawn(process.execPath, childArguments, { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    const first = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve));
    expect(JSON.parse(first.toString('utf8').split('\n')[0] ?? '')).toMatchObject({
      entityType: 'tag',
    });
    child.stdout.destroy();
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(errors).toBe('OUTPUT_CLOSED\n');
    expect(status).toBe(0);
  });
});
