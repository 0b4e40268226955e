/**
 * The command with a state: what is refused, and what the run is told.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { config, run, temporaryFolder } from './support.js';

// Runs as it is: only what it was called with is looked at.
vi.mock('../../src/stream/run-pipeline.js', { spy: true });

beforeEach(() => {
  vi.mocked(runPipeline).mockClear();
});

const withState = (state: string, sinks?: string): string =>
  config('', sinks, `state: { ${state} },`);

/** What the last run was told of its state. */
function told(): object {
  const [definition, options] = vi.mocked(runPipeline).mock.lastCall ?? [];
  return { state: definition?.state, fresh: options?.fresh, full: options?.full };
}

const DEFAULTS = { fullSweepEveryDays: 1, removeStale: true, staleLimitPercent: 75 };

describe('--state, --fresh and --full', () => {
  it('keep no state unless told to', async () => {
    const { status } = await run([], { config: config() });
    expect(status).toBe(0);
    expect(told()).toEqual({ state: undefined, fresh: false, full: false });
  });

  it('take the file from --state, with the defaults where nothing is configured', async () => {
    const path = join(temporaryFolder(), 'a.state');
    const { status } = await run(['--state', path, '--fresh'], { config: config() });
    expect(status).toBe(0);
    expect(told()).toEqual({ state: { path, ...DEFAULTS }, fresh: true, full: false });
  });

  it('keep what else is configured of the state', async () => {
    const path = join(temporaryFolder(), 'a.state');
    const configured = withState(`path: '/nowhere/b.state', lookbackDays: 7, removeStale: false`);
    await run(['--state', path, '--full'], { config: configured });
    expect(told()).toEqual({
      state: { ...DEFAULTS, path, lookbackDays: 7, removeStale: false },
      fresh: false,
      full: true,
    });
  });

  it('take the file that is configured', async () => {
    const path = join(temporaryFolder(), 'a.state');
    await run([], { config: withState(`path: ${JSON.stringify(path)}`) });
    expect(told()).toMatchObject({ state: { path, ...DEFAULTS } });
  });

  it.each([
    [['--fresh'], '--fresh says what to do with the state', 'give --state FILE'],
    [['--full'], '--full says what to do with the state', 'state: { path }'],
    [['check', '--full'], '--full says what to do with the state', 'give --state FILE'],
    [['--state', ''], '--state: "path" must be a text that is not empty', ''],
    [['--state', '-'], 'standard output remembers nothing', 'give a file'],
    [['--state'], "option '--state <file>' argument missing", ''],
    [['graph', '--fresh', '--state', 'a'], '--fresh has no meaning for graph', ''],
    [['graph', '--full', '--state', 'a'], '--full has no meaning for graph', ''],
    [['replay', 'a.ndjson', '--state', 'a'], '--state has no meaning for replay', ''],
    [['replay', 'a.ndjson', '--fresh'], '--fresh has no meaning for replay', ''],
    [['replay', 'a.ndjson', '--full'], '--full has no meaning for replay', ''],
  ])('refuse %j', async (args, problem, advice) => {
    const { status, stderr, stdout } = await run(args, { config: config() });
    expect(status).toBe(2);
    expect(stderr.replaceAll('\\"', '"')).toContain(problem);
    expect(stderr).toContain(advice);
    expect(stdout).toBe('');
    expect(runPipeline).not.toHaveBeenCalled();
  });
});

describe('standard output with a state', () => {
  it.each([['run'], ['check'], ['graph']])('is refused by %s, with the reason', async (command) => {
    const cwd = temporaryFolder();
    const path = join(cwd, 'a.state');
    const { status, stderr, stdout } = await run(
      [command, '--to', join(cwd, 'a.json'), '--to', '-', '--state', path],
      { cwd, config: config() },
    );
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('nobody confirms what was printed');
    expect(readdirSync(cwd)).toEqual(['pipeline.config.ts']);
  });

  it('is refused where the configuration has both', async () => {
    const sink = `{ ...countingSink({ label: 'standard output' }), path: '-' }`;
    const { status, stderr } = await run([], { config: withState(`path: 'a.state'`, sink) });
    expect(status).toBe(2);
    expect(stderr).toContain(`standard output and the state a.state don't go together`);
  });

  it('is nothing to a replay, which keeps no state', async () => {
    const cwd = temporaryFolder();
    const { status, stderr } = await run(['replay', 'missing.ndjson', '--to', '-'], {
      cwd,
      config: withState(`path: 'a.state'`),
    });
    expect(status).toBe(2);
    expect(stderr).toContain('missing.ndjson: it does not exist');
    expect(existsSync(join(cwd, 'a.state'))).toBe(false);
  });
});

describe('the state file', () => {
  it.each([
    ['a sink', '--to', 'a.json', ''],
    ['the dead-letter file', '--dead-letter', 'a.json', ''],
    ['the report', '--report', 'a.json', ''],
    ['what SQLite keeps beside it', '--report', 'b-wal', 'b'],
  ])('is refused as %s', async (_, option, name, state) => {
    const cwd = temporaryFolder();
    const target = join(cwd, name);
    writeFileSync(target, 'mine');
    const { status, stderr } = await run(
      [option, target, '--state', state === '' ? join(cwd, '.', name) : join(cwd, state)],
      { cwd, config: config() },
    );
    expect(status).toBe(2);
    expect(stderr).toContain('write the same');
    expect(readFileSync(target, 'utf8')).toBe('mine');
  });
});

describe('check with a state', () => {
  it('says which sweep comes where there is none yet, and makes no file', async () => {
    const cwd = temporaryFolder();
    const path = join(cwd, 'a.state');
    const { status, stdout } = await run(['check', '--state', path], { cwd, config: config() });
    expect(status).toBe(0);
    expect(stdout).toContain(`✔ state  ${path}\n    not there yet: the first run makes it\n`);
    expect(stdout).toContain('    the next run: sweep 1 (full: every run)\n');
    expect(readdirSync(cwd)).toEqual(['pipeline.config.ts']);
  });

  it('says nothing of it without one', async () => {
    expect((await run(['check'], { config: config() })).stdout).not.toContain('state');
  });

  it('still looks at the state where the source is down', async () => {
    const path = join(temporaryFolder(), 'a.state');
    const { status, stdout } = await run(['check', '--state', path], {
      config: config(`{ fail: 'the source is down' }`),
    });
    expect(status).toBe(3);
    expect(stdout).toContain(`✔ state  ${path}`);
    expect(stdout).toContain('which sweep comes is known once the source can be reached');
  });

  it('finds out that the file has no place', async () => {
    const path = join(temporaryFolder(), 'missing', 'a.state');
    const { status, stdout } = await run(['check', '--state', path], { config: config() });
    expect(status).toBe(3);
    expect(stdout).toContain(`✖ state  ${path}`);
    expect(stdout).toContain('this user may write the file');
    expect(stdout).toContain('✔ sink');
  });

  it('finds out that the file is something else, and leaves it as it is', async () => {
    const path = join(temporaryFolder(), 'a.state');
    writeFileSync(path, 'mine '.repeat(1000));
    const { status, stdout } = await run(['check', '--state', path], { config: config() });
    expect(status).toBe(2);
    expect(stdout).toContain(`✖ state  ${path}`);
    expect(readFileSync(path, 'utf8')).toBe('mine '.repeat(1000));
  });
});

describe('graph with a state', () => {
  it('shows what it is for', async () => {
    const { status, stdout } = await run(['graph', '--state', 'a "b".state'], {
      config: config('', `countingSink(), countingSink({ label: 'two' })`),
    });
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        '  state[("state a #34;b#34;.state")]',
        '  state -. what is known already .-> source',
        '  sink1 -. confirmed .-> state',
        '  sink2 -. confirmed .-> state',
      ]),
    );
  });
});
