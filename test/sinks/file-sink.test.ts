import { spawn } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import { runContext, tagProposal } from '../../src/testing/index.js';
import { describeSink } from '../support/sink-kit.js';
import { deliveredTo, proposalsIn, temporaryFolder, textOf } from './delivered.js';
import { keepingLog, sinkFor, write } from './file-target.js';

const NAMES = ['out.json', 'out.ndjson', 'out.jsonl', 'out.json.gz', 'out.ndjson.gz'];

for (const name of NAMES) {
  describeSink(`fileSink to ${name}`, {
    open: () => {
      const path = join(temporaryFolder(), name);
      return { sink: fileSink({ path }), read: () => deliveredTo(path) };
    },
  });
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
    const [, partial, ...others] = files();
    expect(partial).toMatch(new RegExp(`^out\\.json\\.[\\w-]+-${process.pid}-\\w+\\.partial$`));
    expect(others).toEqual([]);
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
    const host = hostname()
      .replace(/[^\w-]/g, '_')
      .slice(0, 32);
    for (const name of [
      `out.json.${host}-${dead}-ab12.partial`,
      `out.json.elsewhere-${dead}-ab12.partial`, // its processes can't be seen from here
      `out.json.${host}-${process.pid}-ab12.partial`,
      `out.json.${host}-${process.ppid}-ab12.partial`, // alive
      `other.json.${host}-${dead}-ab12.partial`,
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
        `other.json.${host}-${dead}-ab12.partial`,
        basename(path),
        `out.json.elsewhere-${dead}-ab12.partial`,
        `out.json.${host}-${process.ppid}-ab12.partial`,
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
