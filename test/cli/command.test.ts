import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { databaseOf } from '../support/mlflow-database.js';
import { config, run, temporaryFolder } from './support.js';

describe('run', () => {
  it('runs the pipeline of the current folder and logs one summary', async () => {
    const { status, stdout, lines } = await run([], { config: config() });
    expect(status).toBe(0);
    expect(stdout).toBe('');
    const summaries = lines.filter((line) => line['msg'] === 'summary');
    expect(summaries).toHaveLength(1);
    expect(summaries[0]).toMatchObject({
      level: 'info',
      exitStatus: 0,
      outcome: 'complete',
      counts: { read: { run: 20 }, delivered: { 'file out.json': 20 } },
    });
    expect((await run(['run'], { config: config() })).status).toBe(0);
  });

  it('ends with 1 when some were rejected', async () => {
    const deadLetters = join(temporaryFolder(), 'dead.ndjson');
    const { status, stderr } = await run(['--log-format', 'pretty', '--dead-letter', deadLetters], {
      config: config('{ rejected: 2 }'),
    });
    expect(status).toBe(1);
    expect(stderr).toContain('2 things were rejected');
    expect(stderr).toContain(deadLetters);
  });

  it('ends with 3 and says why when the source or a sink is unavailable', async () => {
    const source = await run([], { config: config(`{ fail: 'http://host:5000 is down' }`) });
    expect(source.status).toBe(3);
    expect(source.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        code: 'SOURCE_UNREACHABLE',
        msg: 'http://host:5000 is down',
      }),
    );
    const sink = await run(['--log-format=pretty'], {
      config: config('', `countingSink({ fail: 'disk full' })`),
    });
    expect(sink.status).toBe(3);
    expect(sink.stderr).toContain('✖ Failed after');
    expect(sink.stderr).toContain('disk full');
  });

  it('is quiet when the reader of standard output has had enough', async () => {
    const { status, stderr } = await run([], {
      config: config('', `countingSink({ fail: 'closed', code: 'OUTPUT_CLOSED' })`),
    });
    expect(status).toBe(3);
    expect(stderr).toBe('');
  });

  it('writes nothing in a dry run', async () => {
    const cwd = temporaryFolder();
    const { status, stderr } = await run(['--dry-run', '--log-format', 'pretty'], {
      cwd,
      config: config('{ rejected: 1 }', `countingSink({ fail: 'must not be opened' })`),
    });
    expect(status).toBe(1);
    expect(stderr).toContain('Dry run: nothing was written');
    expect(readdirSync(cwd)).toEqual(['pipeline.config.ts']);
  });

  it('writes the report, also of a run that failed, and leaves nothing beside it', async () => {
    const cwd = temporaryFolder();
    await run(['--report', 'report.json'], { cwd, config: config() });
    expect(JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'))).toMatchObject({
      version: '1.2.3',
      exitStatus: 0,
      outcome: 'complete',
      counts: { aspects: { tagProperties: 20 } },
    });
    await run(['--report', 'report.json'], { cwd, config: config(`{ fail: 'down' }`) });
    expect(JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'))).toMatchObject({
      exitStatus: 3,
      error: { code: 'SOURCE_UNREACHABLE', message: 'down' },
    });
    expect(readdirSync(cwd).sort()).toEqual(['pipeline.config.ts', 'report.json']);
  });

  it('finds out before the run that the report has no place', async () => {
    const cwd = temporaryFolder();
    const missing = await run(['--report', 'no/where.json'], { cwd, config: config() });
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('--report no/where.json');
    expect(missing.stderr).not.toContain('summary');
    const folder = await run(['--report', '.'], { cwd, config: config() });
    expect(folder.status).toBe(2);
    expect(folder.stderr).toContain('that is a folder');
  });

  it('keeps rejected things where --dead-letter says', async () => {
    const cwd = temporaryFolder();
    const path = join(cwd, 'rejected.ndjson');
    const { status } = await run(['--dead-letter', path], {
      cwd,
      config: config('{ rejected: 1 }'),
    });
    expect(status).toBe(1);
    expect(existsSync(path)).toBe(true);
  });

  it('shows no credentials, wherever they come from', async () => {
    const cwd = temporaryFolder();
    const secret = 'correct-horse';
    const all: string[] = [];
    for (const args of [[], ['--log-format', 'pretty'], ['--log-level', 'debug']]) {
      const { stdout, stderr } = await run([...args, '--report', 'report.json'], {
        cwd,
        env: { MLFLOW_TRACKING_TOKEN: secret },
        config: config(
          `{ label: 'http://ann:s3cret@host', fail: 'no access to http://ann:s3cret@host with ${secret}' }`,
        ),
      });
      all.push(stdout, stderr, readFileSync(join(cwd, 'report.json'), 'utf8'));
    }
    expect(all.join('')).toContain('***');
    expect(all.join('')).not.toMatch(/s3cret|correct-horse/);
  });
});

describe('a terminal', () => {
  it('shows progress in place, and the summary in at most 80 columns', async () => {
    const { status, stderr } = await run([], {
      tty: true,
      env: { NO_COLOR: '1' },
      config: config('{ pages: 4, waitMs: 150 }'),
    });
    expect(status).toBe(0);
    const redrawn = stderr.split('\r\u001b[2K').slice(1, -1);
    expect(redrawn.at(-1)).toMatch(/^. \d+ read · \d+ mapped · \d+ written · \d+\/s/);
    const summary = stderr.slice(stderr.lastIndexOf('\u001b[2K') + 4);
    expect(summary).toContain('✔ Done in');
    expect(summary).not.toContain('\u001b');
    for (const line of summary.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('has no progress when it is dumb, when JSON or when nothing is wanted', async () => {
    const slow = config('{ pages: 2, waitMs: 150 }');
    for (const [args, env] of [
      [[], { TERM: 'dumb' }],
      [['--log-format', 'json'], {}],
      [['--log-level', 'silent'], {}],
    ] as const) {
      const { stderr } = await run([...args], { tty: true, env: { ...env }, config: slow });
      expect(stderr).not.toContain('\u001b');
    }
  });

  it('colours unless NO_COLOR is set', async () => {
    const { stderr } = await run([], { tty: true, config: config() });
    expect(stderr).toContain('\u001b[32m');
  });
});

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s stops the reading and delivers what is on its way: %d',
    async (signal, expected) => {
      const { status, lines } = await run([], {
        config: config('{ pages: 1000, waitMs: 20 }'),
        onListening: (send) => {
          setTimeout(() => {
            send(signal);
          }, 150);
        },
      });
      expect(status).toBe(expected);
      const summary = lines.find((line) => line['msg'] === 'summary');
      expect(summary).toMatchObject({ outcome: 'interrupted', exitStatus: expected });
      const { counts } = summary as {
        counts: { pages: number; delivered: Record<string, number> };
      };
      expect(counts.delivered['file out.json']).toBe(counts.pages * 10);
      expect(counts.pages).toBeLessThan(1000);
    },
  );

  it('the second ends at once', async () => {
    const { exits } = await run([], {
      config: config('{ pages: 3, waitMs: 50 }'),
      onListening: (send) => {
        send('SIGINT');
        send('SIGTERM');
      },
    });
    expect(exits).toEqual([143]);
  });
});

describe('wrong usage', () => {
  it.each([
    [['--form', 'x'], "unknown option '--form'\n(Did you mean --from?)"],
    [['chek'], 'unknown command "chek", did you mean "check"?'],
    [['http://host:5000'], 'Sources are given with --from'],
    [['run', 'check'], 'only one command at a time'],
    [['check', '--dry-run'], '--dry-run has no meaning for check'],
    [['graph', '--report', 'x'], '--report has no meaning for graph'],
    [['--log-level', 'loud'], 'Allowed choices are debug, info, warn, error, silent'],
    [['--from'], 'argument missing'],
    [['--config', 'nope.ts'], 'the configuration nope.ts does not exist'],
    [['--from', 'kafka://ann:s3cret@host/topic'], 'unknown scheme'],
    [['--to', 'out.txt'], 'not understood. Allowed: '],
    [['--workspace', 'team-a'], '--workspace belongs to --from'],
    [['--from', 'http://host', '--workspace', 'Team A'], 'such as team-a, or * for all'],
    [['--from', './mlruns', '--workspace', '*'], 'a folder of files has no workspaces'],
    [['--from', 'a.json', '--workspace', '*'], 'unknown option "workspace"'],
    [['replay', 'a.ndjson', '--workspace', '*'], '--workspace has no meaning for replay'],
  ])('%j', async (args, message) => {
    const { status, stderr, stdout } = await run(args, { config: config() });
    expect(status).toBe(2);
    expect(stderr.replaceAll('\\"', '"')).toContain(message);
    expect(stderr).not.toContain('s3cret');
    expect(stdout).toBe('');
  });

  it('says where a configuration is wrong, for people in lines of their own', async () => {
    const { status, stderr } = await run(['--log-format', 'pretty'], {
      config: config('', 'countingSink()', 'maxInFlightPage: 3, deadletter: {}'),
    });
    expect(status).toBe(2);
    expect(stderr).toContain('error: pipeline.config.ts:3: definePipeline:\n    - unknown option');
    expect(stderr).toContain('did you mean "maxInFlightPages"?');
    expect(stderr).toContain('did you mean "deadLetter"?');
  });
});

describe('help and version', () => {
  it('are on standard output, with examples', async () => {
    const help = await run(['--help']);
    expect(help.status).toBe(0);
    expect(help.stderr).toBe('');
    expect(help.stdout).toContain('Examples:\n  mlflow-datahub\n');
    expect(help.stdout).toContain('--dead-letter <file>');
    expect(await run(['--version'])).toMatchObject({ status: 0, stdout: '1.2.3\n' });
    expect((await run(['check', '--help'])).stdout).toContain('--from <uri>');
  });
});

describe('check', () => {
  it('says which workspaces are read', async () => {
    const store = databaseOf('3.17.2');
    for (const from of [`sqlite:///${store}`, store]) {
      const { status, stdout } = await run(['check', '--from', from, '--workspace', '*'], {
        config: config(),
      });
      expect(status).toBe(0);
      expect(stdout).toContain('workspaces: default');
    }
    const missing = await run(['check', '--from', store, '--workspace', 'team-x'], {
      config: config(),
    });
    expect(missing).toMatchObject({ status: 2 });
    expect(missing.stdout).toMatch(/has\s+no\s+workspace\s+team-x/);
  });

  it('says what it found and changes nothing', async () => {
    const cwd = temporaryFolder();
    const { status, stdout } = await run(['check'], { cwd, config: config() });
    expect(status).toBe(0);
    expect(stdout).toContain('✔ source  stand-in http://host:5000');
    expect(stdout).toContain('MLflow 2.22.5');
    expect(stdout).toContain('20 runs, 1 experiment\n');
    expect(stdout).toContain('✔ sink  file out.json\n    it can be written');
    expect(readdirSync(cwd)).toEqual(['pipeline.config.ts']);
  });

  it('shows all the others when one fails, and ends with 3', async () => {
    const { status, stdout } = await run(['check'], {
      config: config(
        `{ fail: 'the source is down' }`,
        `countingSink({ label: 'one', fail: 'disk full' }), countingSink({ label: 'two' })`,
      ),
    });
    expect(status).toBe(3);
    expect(stdout).toContain('✖ source');
    expect(stdout).toContain('the source is down');
    expect(stdout).toContain('✖ sink  one\n    disk full');
    expect(stdout).toContain('✔ sink  two\n    it can be written');
  });
});

describe('graph', () => {
  it('is Mermaid, from labels, without credentials', async () => {
    const { status, stdout } = await run(['graph'], {
      config: config(
        `{ label: 'http://ann:s3cret@host "x"' }`,
        `countingSink(), countingSink({ label: 'two' })`,
      ),
    });
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        'flowchart LR',
        '  source[("http://***@host #34;x#34;")]',
        '  operator1["toProposal"]',
        '  sink1[("file out.json")]',
        '  sink2[("two")]',
        '  rejected[/"dead letters mlflow-proposals.dead-letter.ndjson"/]',
        '  source --> operator1',
        '  operator1 --> sink1',
        '  operator1 --> sink2',
        '  operator1 -. could not be mapped or delivered .-> rejected',
        '',
      ].join('\n'),
    );
  });
});

describe('--to', () => {
  it('replaces the sinks of the configuration, and can be repeated', async () => {
    const cwd = temporaryFolder();
    const files = ['a.json', 'b.ndjson'].map((name) => join(cwd, name));
    const { status } = await run(['--to', files[0] ?? '', '--to', files[1] ?? ''], {
      cwd,
      config: config('', `countingSink({ fail: 'must not be opened' })`),
    });
    expect(status).toBe(0);
    expect(JSON.parse(readFileSync(files[0] ?? '', 'utf8'))).toHaveLength(20);
    expect(
      readFileSync(files[1] ?? '', 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(20);
  });

  it('is refused before anything is done when it is wrong', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'a.json'), 'mine');
    const { status } = await run(['--to', join(cwd, 'a.json'), '--to', 'b.txt'], {
      cwd,
      config: config(),
    });
    expect(status).toBe(2);
    expect(readFileSync(join(cwd, 'a.json'), 'utf8')).toBe('mine');
  });

  it.each([['--report'], ['--dead-letter'], ['--to']])(
    'is refused where %s would write the same file',
    async (option) => {
      const cwd = temporaryFolder();
      const target = join(cwd, 'a.json');
      writeFileSync(target, 'mine');
      const same = join(cwd, '.', 'a.json');
      const { status } = await run(['--to', target, option, same], { cwd, config: config() });
      expect(status).toBe(2);
      expect(readFileSync(target, 'utf8')).toBe('mine');
    },
  );
});
