/**
 * The command with DataHub at its end, and replay.
 */

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { awkwardProposals, tagProposal } from '../../src/testing/index.js';
import { proposalJson } from '../../src/datahub/proposal-json.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import { GmsServer, type GmsServerOptions } from '../support/gms-server.js';
import { buildUrns } from '../../src/operators/build-urns.js';
import { filter } from '../../src/operators/filter.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { config, run, temporaryFolder } from './support.js';

const servers: GmsServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: GmsServerOptions = {}): Promise<GmsServer> {
  const gms = await GmsServer.start(options);
  servers.push(gms);
  return gms;
}

function fileOf(folder: string, proposals: readonly Proposal[]): string {
  const toJson = proposalJson({ lastObserved: 1, runId: 'earlier' });
  const path = join(folder, 'in.ndjson');
  writeFileSync(path, proposals.map((each) => `${toJson(each)}\n`).join(''));
  return path;
}

/** What was counted, from the one summary that is logged. */
function summaryOf(lines: readonly Record<string, unknown>[]): Record<string, unknown> {
  return lines.find(({ msg }) => msg === 'summary') ?? {};
}

const deadIn = (folder: string): string => join(folder, 'dead.ndjson');
const plain = config().replace('operators: [toProposal]', 'operators: []');
const five = ['a', 'b', 'c', 'd', 'e'].map((tag) => tagProposal(tag));

describe('a file of proposals', () => {
  it('goes to DataHub and to a file, without the operators that take records', async () => {
    const gms = await start();
    const cwd = temporaryFolder();
    const from = fileOf(cwd, awkwardProposals());
    // Without a mark the operator stays, and spoils what is a proposal already.
    const marked = config().replace(
      'operators: [toProposal]',
      "operators: [Object.assign((records) => toProposal(records), { takes: 'record' })]",
    );
    const to = ['--to', join(cwd, 'out.json'), '--to', `datahub+${gms.url}`];
    const { status, lines } = await run(['--from', from, ...to], { cwd, config: marked });
    expect(status).toBe(0);
    expect(gms.received).toEqual(awkwardProposals());
    const written = JSON.parse(readFileSync(join(cwd, 'out.json'), 'utf8')) as unknown[];
    expect(written).toHaveLength(gms.received.length);
    expect(summaryOf(lines)).toMatchObject({
      source: `proposals ${from}`,
      counts: { read: { proposal: gms.received.length } },
    });
    expect(summaryOf(lines)).not.toHaveProperty('server');
  });
});

describe('replay', () => {
  it('sends what DataHub refused, once it takes it', async () => {
    let mended = false;
    const gms = await start({
      refuse: ({ entityUrn }) => (!mended && /[bd]$/.test(entityUrn) ? 'no such field' : undefined),
    });
    const cwd = temporaryFolder();
    const dead = deadIn(cwd);
    const args = ['--to', `datahub+${gms.url}`];
    const first = await run(['--from', fileOf(cwd, five), '--dead-letter', dead, ...args], {
      cwd,
      config: plain,
    });
    expect(first.status).toBe(1);

    const second = await run(['replay', 'dead.ndjson', ...args], { cwd });
    expect(second.status).toBe(1);
    expect(summaryOf(second.lines)).toMatchObject({ tried: 2, done: 0, left: 2 });

    mended = true;
    const third = await run(['replay', dead, ...args, '--log-format', 'pretty'], { cwd });
    expect(third.status).toBe(0);
    expect(third.stderr).toContain('✔ 2 of 2 entries delivered, nothing is left.');
    expect(existsSync(dead)).toBe(false);
    expect(new Set(gms.received.map(({ entityUrn }) => entityUrn)).size).toBe(5);
  });

  it('sends what a sink left that had given up', async () => {
    const gms = await start();
    const cwd = temporaryFolder();
    const gone = await run(
      [
        ...['--from', fileOf(cwd, five), '--dead-letter', deadIn(cwd)],
        ...['--to', 'datahub+http://127.0.0.1:1?onError=dead-letter&minDelayMs=1'],
      ],
      { cwd, config: plain },
    );
    expect(gone.status).toBe(1);
    // It has another address now: unless told, nobody knows that it is the same.
    const replay = ['replay', deadIn(cwd), '--to', `datahub+${gms.url}`];
    const careful = await run(replay, { cwd });
    expect(careful.status).toBe(0);
    expect(gms.received).toEqual([]);
    expect(summaryOf(careful.lines)).toMatchObject({
      ...{ tried: 0, done: 0, left: 5 },
      otherSinks: [{ sink: 'datahub http://127.0.0.1:1', count: 5 }],
    });
    const told = careful.lines.find(({ code }) => code === 'OTHER_SINKS');
    expect(told?.['msg']).toContain('datahub http://127.0.0.1:1 (5)');
    const pretty = await run([...replay, '--log-format', 'pretty'], { cwd });
    expect(pretty.stderr).toContain('▲ nothing was sent: 5 lines left in');

    const { status } = await run([...replay, '--any-sink'], { cwd });
    expect(status).toBe(0);
    expect(gms.received).toEqual(five);
    expect(existsSync(deadIn(cwd))).toBe(false);
  });

  it('leaves what the operators leave out in the file, and says so', async () => {
    const cwd = temporaryFolder();
    const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
    const model = { name: 'tmp', creationTimestamp: 1, lastUpdatedTimestamp: 2, tags: [] };
    const line = JSON.stringify({
      ...{ kind: 'record', code: 'UNMAPPABLE_RECORD', message: 'no', identity: 'a model' },
      content: { kind: 'registeredModel', server, model: { ...model, aliases: [] } },
      ...{ time: 'then', runId: 'run-1' },
    });
    writeFileSync(deadIn(cwd), `${line}\n`);
    const filtering = config()
      .replace('toProposal }', 'buildUrns, filter, mapToProposals }')
      .replace(
        '[toProposal]',
        "[filter({ models: { names: { deny: ['tmp'] } } }), buildUrns(), mapToProposals()]",
      );
    const components = { buildUrns, filter, mapToProposals };
    const given = { cwd, config: filtering, components };
    const json = await run(['replay', 'dead.ndjson'], given);
    expect(json.status).toBe(1);
    expect(summaryOf(json.lines)).toMatchObject({ tried: 1, done: 0, leftOut: 1, left: 1 });
    expect(json.lines.map(({ code }) => code)).toContain('LEFT_OUT');
    const pretty = await run(['replay', 'dead.ndjson', '--log-format', 'pretty'], given);
    const text = pretty.stderr.replace(/\s+/g, ' ');
    expect(text).toContain('▲ 0 of 1 entry delivered, 1 line left in dead.ndjson.');
    expect(text).toContain('1 record left out by the operators, such as filter, and still in');
    expect(readFileSync(deadIn(cwd), 'utf8')).toBe(`${line}\n`);
  });

  it('leaves what other sinks had refused to them, and says so', async () => {
    const gms = await start({
      refuse: ({ entityUrn }) => (entityUrn.endsWith('b') ? 'no' : undefined),
    });
    const cwd = temporaryFolder();
    const out = join(cwd, 'missing', 'out.json');
    const first = await run(
      [
        ...[
          '--from',
          fileOf(cwd, five),
          '--dead-letter',
          deadIn(cwd),
          '--to',
          `datahub+${gms.url}`,
        ],
        ...['--to', `${out}?onError=dead-letter`],
      ],
      { cwd, config: plain },
    );
    expect(first.status).toBe(1);

    // The file is to have them all; DataHub, which took four of them, the one that it refused.
    mkdirSync(join(cwd, 'missing'));
    const args = ['--to', out, '--log-format', 'pretty'];
    const { status, stderr } = await run(['replay', 'dead.ndjson', ...args], { cwd });
    expect(status).toBe(0);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toHaveLength(5);
    const text = stderr.replace(/\s+/g, ' ');
    expect(text).toContain(
      '✔ 5 of 5 entries delivered, 1 line left in dead.ndjson, all for other sinks.',
    );
    expect(text).toContain(
      `1 proposal left for sinks that are not part of this replay: datahub ${gms.url} (1).`,
    );
    expect(text).toContain('add --any-sink to send these to the sinks given');
    const left = JSON.parse(readFileSync(deadIn(cwd), 'utf8')) as object;
    expect(left).toMatchObject({ sink: `datahub ${gms.url}`, code: expect.any(String) as string });

    // Of the file only the next replay would be left.
    const onto = await run(['replay', 'dead.ndjson', ...args], { cwd });
    expect(onto.status).toBe(2);
    expect(onto.stderr.replace(/\s+/g, ' ')).toContain(
      'would be replaced by what is replayed alone',
    );
    expect(JSON.parse(readFileSync(out, 'utf8'))).toHaveLength(5);

    // One line that is nobody's, and it is no success any more.
    rmSync(out);
    appendFileSync(deadIn(cwd), 'no entry\n');
    const third = await run(['replay', 'dead.ndjson', ...args], { cwd });
    expect(third.status).toBe(1);
    expect(third.stderr).toContain('▲ 0 of 0 entries delivered, 2 lines left in dead.ndjson.');
  });

  it('says what it has no use for, and what is not there', async () => {
    const dry = await run(['replay', 'dead.ndjson', '--dry-run'], { config: config() });
    expect(dry.status).toBe(2);
    expect(dry.stderr).toContain('--dry-run has no meaning for replay');
    const any = await run(['--any-sink', '--to', 'a.ndjson'], { config: config() });
    expect(any.status).toBe(2);
    expect(any.stderr).toContain('--any-sink has no meaning for run');
    const missing = await run(['replay', 'missing.ndjson'], { config: config() });
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('missing.ndjson: it does not exist');
    const two = await run(['replay', 'dead.ndjson', 'more'], { config: config() });
    expect(two.status).toBe(2);
    expect((await run(['replay'], { config: config() })).status).toBe(2);
    const onto = await run(['replay', 'a.ndjson', '--to', 'a.ndjson'], { config: config() });
    expect(onto.stderr).toContain('file a.ndjson is the dead-letter file that is replayed');
  });
});
