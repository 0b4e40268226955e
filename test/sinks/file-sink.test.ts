import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { PipelineError } from '../../src/core/errors.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import type { Logger } from '../../src/stream/contracts.js';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { describeSink } from '../support/sink-kit.js';
import { deliveredTo, proposalsIn, temporaryFolder, textOf } from './delivered.js';

const NAMES = ['out.json', 'out.ndjson', 'out.jsonl', 'out.json.gz', 'out.ndjson.gz'];

for (const name of NAMES) {
  describeSink(`fileSink to ${name}`, {
    open: () => {
      const path = join(temporaryFolder(), name);
      return { sink: fileSink({ path }), read: () => deliveredTo(path) };
    },
  });
}

/** A folder, a path in it, and the sink for that path. */
function sinkFor(name: string) {
  const folder = temporaryFolder();
  const path = join(folder, name);
  return { folder, path, sink: fileSink({ path }), files: () => readdirSync(folder).sort() };
}

async function write(path: string, proposals: readonly Proposal[]): Promise<void> {
  const open = await fileSink({ path }).open(runContext());
  await open.write(proposals);
  await open.close('complete');
}

/** A logger that keeps what it was told, as `level message`. */
function keepingLog() {
  const lines: string[] = [];
  const keep = (level: string) => (_fields: object, message: string) => {
    lines.push(`${level} ${message}`);
  };
  const log: Logger = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  };
  return { log, lines };
}

describe('what fileSink writes', () => {
  it('is an array with a proposal a line in .json', async () => {
    const { path } = sinkFor('out.json');
    await write(path, [tagProposal('a'), tagProposal('b')]);
    const line = (tag: string) =>
      `{"entityType":"tag","entityUrn":"urn:li:tag:${tag}","changeType":"UPSERT",` +
      `"aspectName":"tagProperties","aspect":{"json":{"name":"${tag}"}},` +
      `"systemMetadata":{"lastObserved":1700000000000,"runId":"test-run"}}`;
    expect(readFileSync(path, 'utf8')).toBe(`[\n${line('a')},\n${line('b')}\n]\n`);
  });

  it.each([
    ['out.json', '[]\n'],
    ['out.ndjson', ''],
    ['out.json.gz', '[]\n'],
    ['out.ndjson.gz', ''],
  ])('is well-formed in %s where there is no proposal', async (name, text) => {
    const { path } = sinkFor(name);
    await write(path, []);
    expect(textOf(path)).toBe(text);
    if (name.endsWith('.gz')) expect(statSync(path).size).toBeGreaterThan(0);
  });

  it('is one proposal a line whatever the reader takes for the end of a line', async () => {
    const { path } = sinkFor('out.ndjson');
    await write(path, [tagProposal('a', { name: 'a\u2028b\u2029c\u0085d\ne\rf' })]);
    expect(readFileSync(path, 'utf8').split(/[\n\r\u2028\u2029\u0085]/)).toHaveLength(2);
  });

  it('is refused where a proposal has no JSON, and its neighbours are written', async () => {
    const { path, sink } = sinkFor('out.json');
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const odd = [cycle, { big: 1n }, null, undefined, 'text'].map(
      (aspect) => ({ ...tagProposal('odd'), aspect }) as Proposal,
    );
    const open = await sink.open(runContext());
    const refusals = await open.write([...odd, tagProposal('a'), ...odd, tagProposal('b')]);
    await open.close('complete');
    expect(refusals.map(({ proposal }) => proposal)).toEqual([...odd, ...odd]);
    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['NOT_JSON']));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveLength(2);
  });
});

describe('the target of fileSink', () => {
  it('has its name only when the run is complete', async () => {
    const { path, sink, files } = sinkFor('out.json');
    writeFileSync(path, 'earlier');
    const open = await sink.open(runContext());
    await open.write([tagProposal('a')]);
    expect(readFileSync(path, 'utf8')).toBe('earlier');
    expect(files()).toEqual(['out.json', `out.json.${process.pid}.partial`]);
    await open.close('complete');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveLength(1);
    expect(files()).toEqual(['out.json']);
  });

  it.each(['interrupted', 'failed'] as const)(
    'stays as it was when the run is %s, and what was delivered is kept and named',
    async (outcome) => {
      for (const name of NAMES) {
        const { path, sink, files } = sinkFor(name);
        writeFileSync(path, 'earlier');
        const { log, lines } = keepingLog();
        const open = await sink.open(runContext({ log }));
        await open.write([tagProposal('a')]);
        await open.close(outcome);
        expect(readFileSync(path, 'utf8')).toBe('earlier');
        expect(files()).toEqual([name, `${name}.incomplete`]);
        const kept = textOf(`${path}.incomplete`);
        if (name.includes('.json') && !name.includes('.jsonl')) {
          expect(JSON.parse(kept)).toHaveLength(1);
        }
        expect(proposalsIn(kept)).toEqual([tagProposal('a')]);
        expect(lines.join('\n')).toContain(`${name}.incomplete`);
      }
    },
  );

  it('leaves nothing where a run ended before anything was delivered', async () => {
    const { path, sink, files } = sinkFor('out.json');
    writeFileSync(`${path}.incomplete`, 'of an earlier run');
    const open = await sink.open(runContext());
    await open.close('interrupted');
    expect(files()).toEqual(['out.json.incomplete']);
    expect(readFileSync(`${path}.incomplete`, 'utf8')).toBe('of an earlier run');
  });

  it('keeps the permissions of the file it replaces', async () => {
    const { path } = sinkFor('out.json');
    writeFileSync(path, '');
    chmodSync(path, 0o660);
    await write(path, [tagProposal('a')]);
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('may be a symbolic link, which stays one', async () => {
    for (const exists of [true, false]) {
      const { folder, path, files } = sinkFor('link.json');
      mkdirSync(join(folder, 'real'));
      if (exists) writeFileSync(join(folder, 'real', 'out.json'), 'earlier');
      symlinkSync(join('real', 'out.json'), path);
      await write(path, [tagProposal('a')]);
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      expect(JSON.parse(readFileSync(join(folder, 'real', 'out.json'), 'utf8'))).toHaveLength(1);
      expect(files()).toEqual(['link.json', 'real']);
      expect(readdirSync(join(folder, 'real'))).toEqual(['out.json']);
    }
  });

  it('can be written by one sink at a time', async () => {
    const { path, sink, files } = sinkFor('out.json');
    const open = await sink.open(runContext());
    await expect(fileSink({ path }).open(runContext())).rejects.toMatchObject({
      code: 'SAME_TARGET',
      category: 'usage',
    });
    await open.write([tagProposal('a')]);
    await open.close('complete');
    expect(files()).toEqual(['out.json']);
  });

  it('is freed of what dead processes left, and of nothing else', async () => {
    const { path, sink, folder, files } = sinkFor('out.json');
    const dead = await deadPid();
    for (const name of [
      `out.json.${dead}.partial`,
      `out.json.${process.pid}.partial`,
      `out.json.${process.ppid}.partial`, // alive
      `other.json.${dead}.partial`,
      'out.json.backup.partial',
      'out.json.incomplete',
    ]) {
      writeFileSync(join(folder, name), 'x');
    }
    const { log, lines } = keepingLog();
    const open = await sink.open(runContext({ log }));
    await open.close('complete');
    expect(files()).toEqual(
      [
        `other.json.${dead}.partial`,
        basename(path),
        `out.json.${process.ppid}.partial`,
        'out.json.backup.partial',
        'out.json.incomplete',
      ].sort(),
    );
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  });
});

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  const { pid } = child;
  await new Promise((resolve) => child.once('exit', resolve));
  if (pid === undefined) throw new Error('no process');
  return pid;
}

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

const childFile = fileURLToPath(new URL('file-sink-child.ts', import.meta.url));
const jiti = fileURLToPath(import.meta.resolve('jiti/register'));

/** The arguments of a Node process that writes to a file without end, from the sources. */
function childArguments(path: string): string[] {
  return ['--import', jiti, childFile, path];
}

describe('fileSink in a process that comes to harm', () => {
  it('leaves the target as it was when it is killed in mid-write', async () => {
    const { path, sink, files } = sinkFor('out.json');
    writeFileSync(path, 'earlier');
    const child = spawn(process.execPath, childArguments(path), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve)); // it has confirmed a page
    const partial = `out.json.${child.pid ?? 0}.partial`;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(readFileSync(path, 'utf8')).toBe('earlier');
    expect(files()).toEqual(['out.json', partial]);
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
      // The shell sets a limit on the size of files (in KiB or half of them): a disk that is full.
      const { stdout } = await promisify(execFile)('sh', [
        '-c',
        'ulimit -f 700; exec "$@"',
        'sh',
        process.execPath,
        ...childArguments(path),
      ]);
      const result = JSON.parse(stdout.split('\n').at(-2) ?? '') as {
        confirmed: number;
        error: PipelineError;
        message: string;
      };
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

function wholeLines(path: string): string {
  const text = readFileSync(path, 'utf8');
  return text.slice(0, text.lastIndexOf('\n'));
}

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

describe('fileSink.check', () => {
  it('says what will happen to the target', async () => {
    const { path, sink, files } = sinkFor('out.json');
    await expect(sink.check(runContext())).resolves.toMatch(/out\.json will be made/);
    writeFileSync(path, 'earlier');
    await expect(sink.check(runContext())).resolves.toMatch(/out\.json will be replaced/);
    expect(files()).toEqual(['out.json']);
    expect(readFileSync(path, 'utf8')).toBe('earlier');
  });
});
