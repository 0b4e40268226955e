/**
 * The command with a state file that a run has made.
 */

import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StateFacts } from '../../src/state/options.js';
import { StateDatabase } from '../../src/state/state-database.js';
import { change, copyOf, databaseOf } from '../support/mlflow-database.js';
import { config, run, temporaryFolder } from './support.js';

/** A folder with the state of one run in it. */
async function kept(): Promise<{ cwd: string; path: string }> {
  const cwd = temporaryFolder();
  const path = join(cwd, 'a.state');
  const { status } = await run(['--state', path], { cwd, config: config() });
  expect(status).toBe(0);
  return { cwd, path };
}

function hold(path: string): void {
  const database = StateDatabase.open(path, { create: false });
  onTestFinished(() => {
    database.close();
  });
}

describe('a run with a state', () => {
  it('sends nothing twice, and says so', async () => {
    const { cwd, path } = await kept();
    const again = await run(['--state', path], { cwd, config: config() });
    expect(again.status).toBe(0);
    const summary = again.lines.find(({ msg }) => msg === 'summary');
    expect(summary).toMatchObject({
      state: { path, sweep: 2, kind: 'full', resumed: false, unchanged: { 'file out.json': 20 } },
    });
    expect(summary?.['counts']).toMatchObject({ read: { run: 20 } });
    const pretty = await run(['--state', path, '--log-format', 'pretty'], {
      cwd,
      config: config(),
    });
    expect(pretty.stderr).toContain('to    file out.json: 0 proposals, 20 unchanged\n');
    expect(pretty.stderr).toContain('    sweep 3, full: every run\n');
    const full = await run(['--state', path, '--full', '--log-format', 'pretty'], {
      cwd,
      config: config(),
    });
    expect(full.stderr).toContain('to    file out.json: 20 proposals\n');
  });

  it('changes nothing of it in a dry run', async () => {
    const { cwd, path } = await kept();
    const before = readFileSync(path);
    const { status } = await run(['--state', path, '--dry-run'], { cwd, config: config() });
    expect(status).toBe(0);
    expect(readFileSync(path).equals(before)).toBe(true);
    const fresh = join(cwd, 'b.state');
    await run(['--state', fresh, '--dry-run'], { cwd, config: config() });
    expect(existsSync(fresh)).toBe(false);
  });

  it('goes on where a run broke off, but for --fresh', async () => {
    const cwd = temporaryFolder();
    const path = join(cwd, 'a.state');
    const args = ['--state', path, '--log-format', 'pretty'];
    const failing = config('', `countingSink({ fail: 'disk full' })`);
    const broken = await run(args, { cwd, config: failing });
    expect(broken.status).toBe(3);
    expect(broken.stderr).toContain('sweep 1, full: every run; the next run goes on with it');
    const check = await run(['check', '--state', path], { cwd, config: config() });
    expect(check.stdout).toContain('no sweep is complete yet');
    expect(check.stdout).toContain(
      'the next run: goes on with sweep 1, which broke off (full: every run)',
    );
    const anew = await run(['check', '--state', path, '--fresh'], { cwd, config: config() });
    expect(anew.stdout).toContain('the next run: sweep 2 (full: every run)');
    const next = await run(args, { cwd, config: config() });
    expect(next.stderr).toContain('sweep 1, full: every run, from where an earlier run broke off');
  });

  it('is refused while another has the file', async () => {
    const { cwd, path } = await kept();
    hold(path);
    const { status, stderr } = await run(['--state', path], { cwd, config: config() });
    expect(status).toBe(3);
    expect(stderr).toContain('is in use by another process');
  });
});

describe('check with a state that is there', () => {
  it('says what it holds and which sweep comes, and changes nothing', async () => {
    const { cwd, path } = await kept();
    const before = readFileSync(path);
    const configured = config('', undefined, `state: { path: '${path}', lookbackDays: 7 },`);
    const { status, stdout } = await run(['check'], { cwd, config: configured });
    expect(status).toBe(0);
    expect(stdout).toContain(`✔ state  ${path}\n    it can be opened: 20 entities in DataHub, 0`);
    expect(stdout).toMatch(/last complete sweep: 1 \(full\), \d{4}-\d\d-\d\d \d\d:\d\d UTC\n/);
    expect(stdout).toMatch(/the next run: sweep 2 \(lookback: runs since \d{4}-.* UTC\)\n/);
    const full = await run(['check', '--full'], { cwd, config: configured });
    expect(full.stdout).toContain('the next run: sweep 2 (full: every run)\n');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('says that it is in use, or of another pipeline', async () => {
    const { cwd, path } = await kept();
    const other = await run(['check', '--state', path], {
      cwd,
      config: config(`{ uri: 'http://another:5000' }`),
    });
    expect(other.status).toBe(2);
    expect(other.stdout.replace(/\s+/g, ' ')).toContain(
      'belongs to a pipeline that reads http://host:5000, and this one reads http://another:5000',
    );
    hold(path);
    const used = await run(['check', '--state', path], { cwd, config: config() });
    expect(used.status).toBe(3);
    expect(used.stdout).toContain(`✖ state  ${path}`);
    expect(used.stdout).toContain('is in use by another process');
  });
});

describe('state show', () => {
  it('says for people on a terminal what the file holds', async () => {
    const { cwd, path } = await kept();
    const { status, stdout, stderr } = await run(['state', 'show', '--state', path], {
      cwd,
      tty: true,
      env: { NO_COLOR: '1' },
    });
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(`state  ${path} (`);
    expect(stdout).toContain('of     http://host:5000\n');
    expect(stdout).toMatch(/\n {5}1 {2}full {6}\d{4}-\d\d-\d\d \d\d:\d\d UTC, in \d/);
    expect(stdout).toMatch(/\n {2}tag +20\n {2}marked as removed +0\n/);
    expect(stdout).toContain('\n  file out.json: 20 entities, last full sweep 1\n');
    expect(stdout).toContain('\n0 runs had not ended when read last\n');
  });

  it('names the workspaces of each sweep', async () => {
    const cwd = temporaryFolder();
    const state = ['--state', join(cwd, 'a.state')];
    const from = ['--from', `sqlite:///${databaseOf('3.17.2')}`, '--to', join(cwd, 'out.json')];
    for (const workspace of [[], ['--workspace', '*'], ['--workspace', 'default']]) {
      const { status } = await run([...from, ...state, ...workspace], { cwd, config: config() });
      expect(status).toBe(0);
    }
    const { stdout } = await run(['state', 'show', ...state], { cwd });
    expect((JSON.parse(stdout) as StateFacts).sweeps.map((each) => each.workspaces)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const path = copyOf('3.17.2');
    change(path, `INSERT INTO workspaces(name) VALUES ('team-a')`);
    const two = ['--from', path, '--workspace', '*', '--to', join(cwd, 'out.json')];
    const other = ['--state', join(cwd, 'b.state')];
    await run([...two, ...other], { cwd, config: config() });
    const shown = await run(['state', 'show', ...other, '--log-format', 'pretty'], { cwd });
    expect(shown.stdout).toMatch(/, workspaces default, team-a\n/);
  });

  it('is JSON for programs, and as --log-format has it', async () => {
    const { cwd, path } = await kept();
    const piped = await run(['state', 'show', '--state', path], { cwd });
    const json = await run(['state', 'show', '--state', path, '--log-format', 'json'], {
      cwd,
      tty: true,
    });
    expect(json.stdout).toBe(piped.stdout);
    const facts = JSON.parse(piped.stdout) as StateFacts;
    expect(facts).toMatchObject({
      path,
      bytes: statSync(path).size,
      entities: { tag: 20 },
      removed: 0,
      sinks: [{ sink: 'file out.json', entities: 20, lastFullSweep: 1 }],
    });
    expect(facts.sweeps).toHaveLength(1);
    const pretty = await run(['state', 'show', '--state', path, '--log-format', 'pretty'], { cwd });
    expect(pretty.stdout).toContain(`state  ${path} (`);
  });

  it('takes the file of the configuration, and needs none where --state is given', async () => {
    const { cwd, path } = await kept();
    const configured = config('', undefined, `state: { path: '${path}' },`);
    const { status, stdout } = await run(['state', 'show'], { cwd, config: configured });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ path });
    const broken = await run(['state', 'show', '--state', path], { cwd, config: 'no pipeline {' });
    expect(broken.status).toBe(0);
  });

  it('says of a sweep that it is not complete', async () => {
    const cwd = temporaryFolder();
    const path = join(cwd, 'a.state');
    const failing = config('', `countingSink({ fail: 'disk full' })`);
    await run(['--state', path], { cwd, config: failing });
    const { stdout } = await run(['state', 'show', '--state', path, '--log-format', 'pretty'], {
      cwd,
    });
    expect(stdout).toMatch(/UTC, not complete\n/);
    expect(stdout).toContain('file out.json: 0 entities, part of no full sweep yet\n');
  });
});

describe('state reset', () => {
  it('deletes the file and what SQLite left beside it, and says so', async () => {
    const { cwd, path } = await kept();
    writeFileSync(`${path}-shm`, '');
    const { status, stdout } = await run(
      ['state', 'reset', '--state', path, '--log-format', 'pretty'],
      { cwd },
    );
    expect(status).toBe(0);
    expect(stdout).toContain(`deleted ${path}, ${path}-shm\n`);
    expect(stdout).toContain('The next run reads and sends everything.');
    expect(readdirSync(cwd)).toEqual(['pipeline.config.ts']);
    const again = await run(['state', 'reset', '--state', path], { cwd });
    expect(again.status).toBe(2);
    expect(again.stderr).toContain('is not there');
  });

  it('says it as JSON for programs', async () => {
    const { cwd, path } = await kept();
    const { stdout } = await run(['state', 'reset', '--state', path], { cwd });
    expect(JSON.parse(stdout)).toEqual({ deleted: [path] });
  });

  it('leaves the file where another process has it', async () => {
    const { cwd, path } = await kept();
    hold(path);
    for (const command of ['show', 'reset']) {
      const { status, stdout, stderr } = await run(['state', command, '--state', path], { cwd });
      expect(status).toBe(3);
      expect(stdout).toBe('');
      expect(stderr).toContain('is in use by another process');
    }
    expect(existsSync(path)).toBe(true);
  });

  it('deletes a damaged file, which show says to be one', async () => {
    const { cwd, path } = await kept();
    truncateSync(path, 5000);
    const show = await run(['state', 'show', '--state', path], { cwd });
    expect(show.status).toBe(3);
    expect(show.stderr).toContain('is damaged');
    expect((await run(['state', 'reset', '--state', path], { cwd })).status).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it('leaves what is no state file', async () => {
    const cwd = temporaryFolder();
    const path = join(cwd, 'mine.db');
    writeFileSync(path, 'mine '.repeat(1000));
    for (const command of ['show', 'reset']) {
      const { status, stderr } = await run(['state', command, '--state', path], { cwd });
      expect(status).toBe(2);
      expect(stderr).toContain('is something else');
    }
    expect(readFileSync(path, 'utf8')).toBe('mine '.repeat(1000));
  });
});

describe('the state commands', () => {
  it.each([
    [['state'], 'Commands:\n  show'],
    [['state', 'shw'], "unknown command 'shw'\n(Did you mean show?)"],
    [['state', 'show'], 'state show needs the file: give --state FILE'],
    [['state', 'reset'], 'since pipeline.config.ts keeps no `state: { path }`'],
    [['state', 'show', 'a.state'], 'The state file is given with --state'],
    [['state', 'show', '--state', 'missing.state'], 'missing.state is not there'],
    [['state', 'reset', '--to', 'a.json'], '--to has no meaning for state reset'],
    [['state', 'reset', '--dry-run'], '--dry-run has no meaning for state reset'],
    [['state', 'show', '--full'], '--full has no meaning for state show'],
    [['stat'], 'unknown command "stat", did you mean "state"?'],
    [['check', 'state'], 'only one command at a time'],
  ])('refuse %j', async (args, message) => {
    const { status, stdout, stderr } = await run(args, { config: config() });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.replaceAll('\\"', '"')).toContain(message);
  });
});
