/**
 * What becomes of a run whose sink gives up, for each sink of the command line.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { proposalJson } from '../../src/datahub/proposal-json.js';
import { tagProposal } from '../../src/testing/index.js';
import { config, run, temporaryFolder } from './support.js';

const tags = ['a', 'b', 'c'].map((tag) => tagProposal(tag));
const plain = config().replace('operators: [toProposal]', 'operators: []');

/** Each unreachable. */
const sinks: readonly [uri: string, label: string, code: string][] = [
  ['missing/out.json', 'file missing/out.json', 'SINK_UNWRITABLE'],
  [
    'kafka://127.0.0.1:1/Topic?registry=http://127.0.0.1:1',
    'kafka 127.0.0.1:1/Topic',
    'KAFKA_UNREACHABLE',
  ],
  ['datahub+http://127.0.0.1:1?minDelayMs=1', 'datahub http://127.0.0.1:1', 'SINK_UNREACHABLE'],
];

function proposalFile(folder: string): string {
  const toJson = proposalJson({ lastObserved: 1, runId: 'earlier' });
  const path = join(folder, 'in.ndjson');
  writeFileSync(path, tags.map((each) => `${toJson(each)}\n`).join(''));
  return path;
}

function linesOf(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

it('is refused where what is read is the dead-letter file', async () => {
  const cwd = temporaryFolder();
  const path = proposalFile(cwd);
  writeFileSync(path, '{"bad": oops}\n');
  // Each line that is rejected would make another one.
  const endless = await run(['--from', path, '--dead-letter', path], { cwd, config: plain });
  expect(endless.status).toBe(2);
  expect(endless.stderr).toContain("is read, and so can't be the dead-letter file");
  expect(readFileSync(path, 'utf8')).toBe('{"bad": oops}\n');
});

describe.each(sinks)('%s, which gives up,', (uri, label, code) => {
  it('ends the run', async () => {
    const cwd = temporaryFolder();
    const other = join(cwd, 'other.ndjson');
    const args = ['--from', proposalFile(cwd), '--to', uri, '--to', other];
    const { status, lines } = await run(args, { cwd, config: plain });
    expect(status).toBe(3);
    expect(lines.find(({ level }) => level === 'error')).toMatchObject({ code });
    expect(existsSync(other)).toBe(false);
  });

  it('leaves what was for it to the dead-letter file where it is to, and the others go on', async () => {
    const cwd = temporaryFolder();
    const [other, dead] = [join(cwd, 'other.ndjson'), join(cwd, 'dead.ndjson')];
    const tolerant = `${uri}${uri.includes('?') ? '&' : '?'}onError=dead-letter`;
    const args = ['--from', proposalFile(cwd), '--to', tolerant, '--to', other];
    const { status, lines } = await run([...args, '--dead-letter', dead], { cwd, config: plain });
    expect(status).toBe(1);
    expect(lines.find(({ msg }) => msg === 'summary')).toMatchObject({
      outcome: 'complete',
      counts: { delivered: { [label]: 0, [`file ${other}`]: 3 }, rejected: 3 },
    });
    expect(linesOf(other).map(({ entityUrn }) => entityUrn)).toEqual(
      tags.map(({ entityUrn }) => entityUrn),
    );
    expect(linesOf(dead)).toEqual(
      tags.map((content) => expect.objectContaining({ sink: label, code, content }) as unknown),
    );

    // Mended, which of a file can be done here: its folder is made. Its path is given in full.
    if (!label.startsWith('file')) return;
    mkdirSync(join(cwd, 'missing'));
    const mended = join(cwd, uri);
    const replay = ['replay', dead, '--to', mended, '--any-sink'];
    expect((await run(replay, { cwd })).status).toBe(0);
    expect(existsSync(dead)).toBe(false);
    expect(JSON.parse(readFileSync(mended, 'utf8'))).toHaveLength(3);
  });
});
