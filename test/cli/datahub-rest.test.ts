/**
 * The command with DataHub at its end: replay, and that no secret is ever shown.
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

describe('secrets', () => {
  const SECRETS = [
    'tok-S3CRET-env-1',
    'tok-S3CRET-uri-2',
    'tok-S3CRET-hdr-3',
    'S3CRET%2Fpw',
    'S3CRET/pw',
  ];
  const env = { DATAHUB_GMS_TOKEN: 'tok-S3CRET-env-1' };
  const repeats = { status: 400, body: `{"message":"refused for ${SECRETS.join(' and ')}"}` };

  /** Each with a DataHub that repeats what it was told, or something else that goes wrong. */
  const cases: readonly [string, GmsServerOptions, (url: string) => string][] = [
    ['it works', {}, (url) => `datahub+${url}`],
    ['the token is wrong', { token: 'another' }, (url) => `datahub+${url}`],
    [
      'the token of the URI is wrong',
      { token: 'another' },
      (url) => `datahub+${url.replace('//', '//tok-S3CRET-uri-2@')}`,
    ],
    [
      'user and password are wrong',
      { token: 'another' },
      (url) => `datahub+${url.replace('//', '//ann:S3CRET%2Fpw@')}`,
    ],
    ['DataHub repeats it', { fault: () => repeats }, (url) => `datahub+${url}`],
    [
      'DataHub repeats what the URI said',
      { fault: () => repeats },
      (url) => `datahub+${url.replace('//', '//tok-S3CRET-uri-2@')}`,
    ],
    [
      'it redirects with it',
      {
        fault: () => ({
          status: 302,
          headers: { location: 'http://sso/?t=tok-S3CRET-env-1', 'x-a': 'b' },
        }),
      },
      (url) => `datahub+${url}`,
    ],
    ['nobody is there', {}, () => 'datahub+http://tok-S3CRET-uri-2@127.0.0.1:1'],
    ['the URI is wrong', {}, () => 'datahub+http://tok-S3CRET-uri-2@127.0.0.1:1?nonsense=1'],
    ['the scheme is wrong', {}, () => 'datahb+http://tok-S3CRET-uri-2@127.0.0.1:1'],
    ['the query holds it', {}, () => 'datahub+http://host:1?token=tok-S3CRET-uri-2'],
  ];

  it.each(cases)('are nowhere where %s', async (_, options, uri) => {
    const gms = await start(options);
    const cwd = temporaryFolder();
    const from = fileOf(cwd, five);
    const short = 'deliveryTimeoutMs=300&minDelayMs=1';
    const target = uri(gms.url);
    const to = target.includes('?') ? target : `${target}?${short}`;
    const dead = deadIn(cwd);
    const shown: string[] = [];
    for (const format of ['json', 'pretty']) {
      const logs = ['--log-level', 'debug', '--log-format', format];
      for (const command of [
        ['run', '--from', from, '--to', to, '--report', 'report.json', '--dead-letter', dead],
        ['run', '--from', from, '--to', `${to}&onError=dead-letter`, '--dead-letter', dead],
        ['check', '--from', from, '--to', to],
        ['graph', '--from', from, '--to', to],
        ['replay', dead, '--to', to],
      ]) {
        const { stdout, stderr } = await run([...command, ...logs], { cwd, env, config: plain });
        shown.push(stdout, stderr);
      }
    }
    for (const path of [join(cwd, 'report.json'), dead]) {
      if (existsSync(path)) shown.push(readFileSync(path, 'utf8'));
    }
    const all = shown.join('');
    expect(all.length).toBeGreaterThan(1_000);
    // What the server says of others' secrets nobody can know.
    const given = `${to} ${JSON.stringify(env)}`;
    for (const secret of SECRETS) {
      if (given.includes(encodeURIComponent(secret))) expect(all).not.toContain(secret);
    }
  });
});
