/**
 * The command as a process of its own: signals, pipes, and what is left of it afterwards.
 */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { StateFacts } from '../../src/state/options.js';
import { startMlflowServer } from '../support/mlflow-server.js';
import { buildInto } from './build.js';
import { transcribe } from '../support/transcript.js';
import { temporaryFolder } from './support.js';

let packageFolder: string;
let entry: string;

beforeAll(() => {
  packageFolder = mkdtempSync(join(tmpdir(), 'cli-build-'));
  entry = buildInto(packageFolder);
}, 120_000);

afterAll(() => {
  rmSync(packageFolder, { recursive: true, force: true });
});

/** Pages of ten proposals without end, unless PAGES says how many. Tells its process id by a file. */
const ENDLESS = `
import { writeFileSync } from 'node:fs';
import { mergeMap } from 'rxjs';
import { definePipeline, fileSink } from 'mlflow-datahub';
const server = { uri: 'x:', versionText: '3.0.0', searchesExperiments: true };
const pages = Number(process.env['PAGES'] ?? Infinity);
async function* read() {
  for (let page = 0; page < pages; page += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (page === 10) writeFileSync('reading', '');
    yield { records: Array.from({ length: 10 }, (_, index) => page * 10 + index), rejected: [] };
  }
}
const open = async () => ({ server, read, count: async () => ({}), close: async () => {} });
// Something that the user's own code forgot to close must not keep the command from ending.
setInterval(() => {}, 1000);
export default definePipeline({
  source: { label: 'endless', open },
  operators: [
    mergeMap((id) => [{
      entityType: 'tag', entityUrn: 'urn:li:tag:' + id, changeType: 'UPSERT',
      aspectName: 'tagProperties', aspect: { name: 'x'.repeat(2000) },
    }]),
  ],
  sinks: [fileSink({ path: 'out.json' })],
});
`;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: string[],
  { env = {}, config = ENDLESS }: { env?: Record<string, string>; config?: string | null } = {},
): { cwd: string; child: ChildProcess; ended: Promise<Ended> } {
  const cwd = temporaryFolder();
  if (config !== null) writeFileSync(join(cwd, 'pipeline.config.ts'), config);
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (written[name] += text));
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject).on('close', (status) => {
      transcribe('stdout', written.stdout);
      transcribe('stderr', written.stderr);
      resolve({ status, ...written });
    });
  });
  return { cwd, child, ended };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('the process', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: delivers what is on its way and ends with %d', async (signal, status) => {
    const { cwd, child, ended } = start([]);
    await until(() => readdirSync(cwd).includes('reading'));
    child.kill(signal);
    const { status: actual, stderr } = await ended;
    expect(actual).toBe(status);
    expect(stderr).toContain('"outcome":"interrupted"');
    // The target is untouched; what was delivered lies beside it, whole.
    expect(readdirSync(cwd).sort()).toEqual([
      'out.json.incomplete',
      'pipeline.config.ts',
      'reading',
    ]);
    const kept = JSON.parse(readFileSync(join(cwd, 'out.json.incomplete'), 'utf8')) as unknown[];
    expect(kept.length).toBeGreaterThanOrEqual(100);
    expect(kept.length % 10).toBe(0);
  });

  it('keeps others from its state until it is killed, and what it noted', async () => {
    const { cwd, child, ended } = start(['--state', 'a.state']);
    await until(() => readdirSync(cwd).includes('reading'));
    const other = (...args: string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [entry, ...args, '--state', 'a.state'], {
        cwd,
        encoding: 'utf8',
      });
    for (const args of [['state', 'reset'], []]) {
      const { status, stderr } = other(...args);
      expect(stderr).toContain('is in use by another process');
      expect(status).toBe(3);
    }
    child.kill('SIGKILL');
    await ended;
    const show = other('state', 'show');
    expect(show.status).toBe(0);
    const { entities, sweeps } = JSON.parse(String(show.stdout)) as StateFacts;
    expect(entities['tag']).toBeGreaterThan(0);
    expect(sweeps[0]).not.toHaveProperty('completedAt');
    expect(other('state', 'reset').status).toBe(0);
    expect(readdirSync(cwd).filter((name) => name.startsWith('a.state'))).toEqual([]);
  });

  it('lists in a dry run what is gone from MLflow, and removes it', () => {
    const cwd = temporaryFolder();
    const path = join(cwd, 'mlflow.db');
    copyFileSync(join(packageFolder, 'examples', 'store', 'mlflow.db'), path);
    const run = (...args: string[]): ReturnType<typeof spawnSync> => {
      const given = ['--from', path, '--to', 'out.json', '--state', 'a.state', ...args];
      return spawnSync(process.execPath, [entry, ...given], { cwd, encoding: 'utf8' });
    };
    expect(run().status).toBe(0);
    const database = new Libsql(path);
    const { id } = database.prepare('SELECT min(run_uuid) AS id FROM runs').get() as { id: string };
    database.prepare(`UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?`).run(id);
    database.close();
    const dry = run('--dry-run', '--log-format', 'pretty');
    expect(dry.status).toBe(0);
    expect(dry.stderr).toMatch(
      /1 entity would be marked as removed\n {6}urn:li:dataProcessInstance:[0-9a-f]{32}\n/,
    );
    const real = run('--log-format', 'pretty');
    expect(real.status).toBe(0);
    expect(real.stderr).toContain('    1 entity marked as removed\n');
    expect(run('--log-format', 'pretty').stderr).not.toContain('marked as removed');
  });

  // A device that only Linux has: always full.
  it.skipIf(!existsSync('/dev/full'))('says that its output has no room', () => {
    const full = openSync('/dev/full', 'w');
    try {
      for (const args of [['--to', '-'], ['--help']]) {
        const { status, stderr } = spawnSync(process.execPath, [entry, ...args], {
          cwd: temporaryFolder(),
          stdio: ['ignore', full, 'pipe'],
          encoding: 'utf8',
        });
        expect(status).toBe(3);
        expect(stderr).not.toMatch(/ at .*\.js:/); // no stack trace
      }
    } finally {
      closeSync(full);
    }
  });

  it('is quiet when the reader of its output goes away', async () => {
    const { child, ended } = start(['--to', '-']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const { status, stderr } = await ended;
    expect(stderr).toBe('');
    expect(status).toBe(3);
  });

  it('writes all of its output before it ends, to a slow reader too, and ends by itself', async () => {
    const { child, ended } = start(['--to', '-', '--log-level', 'error'], {
      env: { PAGES: '100' },
    });
    child.stdout?.pause();
    setTimeout(() => child.stdout?.resume(), 1500);
    const { status, stdout, stderr } = await ended;
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1000);
    for (const line of lines) JSON.parse(line);
  });

  it('with nothing configured reads the bundled store, and leaves one file', async () => {
    const { cwd, ended } = start([], { config: null });
    const { status, stdout, stderr } = await ended;
    expect(stdout).toBe('');
    expect(stderr).toContain('"outcome":"complete"');
    expect(status).toBe(0);
    expect(readdirSync(cwd)).toEqual(['mlflow-proposals.json']);
    const proposals = JSON.parse(readFileSync(join(cwd, 'mlflow-proposals.json'), 'utf8')) as {
      entityType: string;
    }[];
    const types = new Set(proposals.map(({ entityType }) => entityType));
    for (const type of ['container', 'dataProcessInstance', 'mlModel', 'mlModelGroup', 'tag']) {
      expect(types).toContain(type);
    }
  });

  it('with nothing configured but MLFLOW_TRACKING_URI reads that server', async () => {
    const server = await startMlflowServer({
      flavour: '1.27.0',
      authorization: 'Bearer s3cret-one',
    });
    onTestFinished(() => server.close());
    const env = { MLFLOW_TRACKING_URI: server.uri, MLFLOW_TRACKING_TOKEN: 's3cret-one' };
    const { cwd, ended } = start([], { config: null, env });
    const { status, stderr } = await ended;
    expect(status).toBe(0);
    expect(stderr).toContain('MLflow 1.28.0 or newer is needed');
    expect(stderr).not.toContain('s3cret');
    const text = readFileSync(join(cwd, 'mlflow-proposals.json'), 'utf8');
    expect(text).toContain('"mlModelProperties"');
    expect(text).not.toContain('"containerProperties"');
  });

  it('reads a database by URI, checks it and draws it', async () => {
    const from = `sqlite:///${join(packageFolder, 'examples', 'store', 'mlflow.db')}`;
    const run = start(
      ['--from', from, '--to', 'a.ndjson.gz', '--to', '-', '--log-level', 'error'],
      { config: null },
    );
    const { status, stdout, stderr } = await run.ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n').length).toBeGreaterThan(100);
    expect(readdirSync(run.cwd).sort()).toEqual(['a.ndjson.gz']);
    const check = await start(['check', '--from', from], { config: null }).ended;
    expect(check).toMatchObject({ status: 0, stderr: '' });
    expect(check.stdout).toMatch(/✔ source {2}mlflow sqlite:/);
    expect(check.stdout).toMatch(/24 runs/);
    const graph = await start(['graph', '--from', from], { config: null }).ended;
    expect(graph.stdout).toContain('flowchart LR');
  });

  it('loads a compiler for a configuration of one’s own only, and no library of an unused source or sink', async () => {
    const spy = join(packageFolder, 'spy.cjs');
    writeFileSync(
      spy,
      `const { Module } = require('node:module');
      const { load } = Module.prototype;
      Module.prototype.load = function (path) {
        process.stdout.write(path + '\\n');
        return load.call(this, path);
      };`,
    );
    const env = { NODE_OPTIONS: `--require ${spy}` };
    const loadedBy = async (config: string | null): Promise<string[]> => {
      const { status, stdout } = await start(['--dry-run'], { config, env }).ended;
      expect(status).toBe(0);
      return ['/libsql/', '/undici/', '/jiti/', '/kafkajs/', '/@kafkajs/'].filter((part) =>
        stdout.includes(`/node_modules/${part}`.replaceAll('//', '/')),
      );
    };
    expect(await loadedBy(null)).toEqual(['/libsql/']);
    const own = readFileSync(join(packageFolder, 'pipeline.config.ts'), 'utf8')
      .replace('uri: example', `uri: 'sqlite:///${packageFolder}/examples/store/mlflow.db'`)
      .replace(/const example.*/, '');
    expect(await loadedBy(own)).toEqual(['/libsql/', '/jiti/']);
  });

  it('runs its own configuration as it is now, not as it was when the package was built', async () => {
    const path = join(packageFolder, 'pipeline.config.ts');
    const before = readFileSync(path, 'utf8');
    try {
      writeFileSync(path, before.replace('mlflow-proposals.json', 'edited.json'));
      const { cwd, ended } = start([], { config: null });
      expect((await ended).status).toBe(0);
      expect(readdirSync(cwd)).toEqual(['edited.json']);
    } finally {
      writeFileSync(path, before);
    }
  });

  it('says its version and its help', async () => {
    const version = await start(['--version']).ended;
    expect(version).toMatchObject({ status: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await start(['--help']).ended).toMatchObject({ status: 0, stderr: '' });
  });
});
