/**
 * The command with DataHub at its end, and replay.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { awkwardProposals, tagProposal } from '../../src/testing/index.js';
import { proposalJson } from '../../src/datahub/proposal-json.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import { GmsServer, type GmsServerOptions } from '../support/gms-server.js';
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
    const { status } = await run(['replay', deadIn(cwd), '--to', `datahub+${gms.url}`], {
      cwd,
    });
    expect(status).toBe(0);
    expect(gms.received).toEqual(five);
  });

  it('says what it has no use for, and what is not there', async () => {
    const dry = await run(['replay', 'dead.ndjson', '--dry-run'], { config: config() });
    expect(dry.status).toBe(2);
    expect(dry.stderr).toContain('--dry-run has no meaning for replay');
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
