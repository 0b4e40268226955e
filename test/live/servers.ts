/**
 * Starts real MLflow servers on loopback, and ends them with all their children.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { binOf, PYTHON_ENVIRONMENT } from './install.js';
import { freePort } from './ports.js';
import { killGroup, run, tail } from './processes.js';
import { mlflow, type MlflowVersion } from './releases.js';

export interface MlflowServer {
  readonly version: MlflowVersion;
  /** `http://127.0.0.1:PORT` */
  readonly uri: string;
  /** The SQLite database that it keeps everything in. */
  readonly database: string;
  /** The folder of files that it keeps everything in, where it was started so. */
  readonly files: string;
  /** A folder of its own, gone when it is stopped. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** Long, as a machine may be slow, and busy with other tests. */
const START_MS = 240_000;
const STOP_MS = 10_000;

/**
 * Runs a program in a group that ends when this process does, however it is ended: the guard reads
 * a pipe whose other end only this process holds.
 */
export const GUARDED = '(cat <&3 >/dev/null; kill -KILL 0) & exec 3<&-; "$@"';

/** Another database than the server's own SQLite. */
export interface Backend {
  readonly uri: string;
  /** For its driver. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * @param prepare - fills the database before the server opens it
 * @param workers - processes that answer requests; MLflow's own default is 4
 * @param backend - what it keeps everything in
 */
export async function startMlflow(
  version: MlflowVersion,
  prepare?: (database: string) => Promise<void>,
  workers = 1,
  backend?: Backend | 'files',
): Promise<MlflowServer> {
  const folder = await mkdtemp(join(tmpdir(), `mlflow-${version}-`));
  const database = join(folder, 'mlflow.db');
  try {
    await prepare?.(database);
    // Another process may take the port between our asking for it and the server's.
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await launch(version, folder, database, workers, backend);
      } catch (error) {
        if (attempt === 3 || !/address already in use/i.test(String(error))) throw error;
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function launch(
  version: MlflowVersion,
  folder: string,
  database: string,
  workers: number,
  backend: Backend | 'files' = { uri: `sqlite:///${database}` },
): Promise<MlflowServer> {
  const port = await freePort();
  const uri = `http://127.0.0.1:${port}`;
  const bin = binOf(mlflow(version));
  const files = join(folder, 'mlruns');
  const store: Backend = backend === 'files' ? { uri: files } : backend;
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'w');
  const child = spawn(
    'sh',
    [
      ['-c', GUARDED, 'guarded', join(bin, 'mlflow')],
      ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', String(workers)],
      ['--backend-store-uri', store.uri],
      ['--default-artifact-root', join(folder, 'artifacts')],
    ].flat(),
    {
      cwd: folder,
      env: { ...mlflowEnvironment(version), ...store.env },
      stdio: ['ignore', log, log, 'pipe'],
      detached: true,
    },
  );
  closeSync(log);
  try {
    await healthy(uri, child);
  } catch (error) {
    await stopGroup(child);
    const output = tail(await readFile(logFile, 'utf8'));
    throw new Error(`MLflow ${version} did not start: ${String(error)}\n${output}`, {
      cause: error,
    });
  }
  return {
    version,
    uri,
    database,
    files,
    folder,
    stop: async () => {
      await stopGroup(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What an MLflow of this version is run with: its own programs first, nothing sent home. */
export function mlflowEnvironment(version: MlflowVersion): Record<string, string> {
  return {
    ...(process.env as Record<string, string>),
    ...PYTHON_ENVIRONMENT,
    PATH: `${binOf(mlflow(version))}${delimiter}${process.env['PATH'] ?? ''}`,
    MLFLOW_DISABLE_TELEMETRY: 'true',
    // Newer versions ask whether a folder of files is meant.
    MLFLOW_ALLOW_FILE_STORE: 'true',
    // Ten more processes, for evaluations that nobody asks for here.
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    DO_NOT_TRACK: 'true',
    GIT_PYTHON_REFRESH: 'quiet',
    PYTHONWARNINGS: 'ignore',
  };
}

async function healthy(uri: string, child: ChildProcess): Promise<void> {
  const failed: { reason?: string } = {};
  child.once('error', (error) => (failed.reason = error.message));
  child.once('exit', (status) => (failed.reason = `it ended with status ${String(status)}`));
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (failed.reason !== undefined) throw new Error(failed.reason);
    try {
      const response = await fetch(`${uri}/health`, { signal: AbortSignal.timeout(5_000) });
      if (response.ok && (await response.text()) === 'OK') return;
    } catch {
      // Not listening yet.
    }
    if (Date.now() > deadline) throw new Error(`no answer from ${uri} within ${START_MS} ms`);
    await sleep(150);
  }
}

/** Ends a group that was started detached, at the latest after ten seconds. */
export async function stopGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  killGroup(pid, 'SIGTERM');
  const deadline = Date.now() + STOP_MS;
  while (groupLives(pid)) {
    if (Date.now() > deadline) killGroup(pid, 'SIGKILL');
    await sleep(50);
  }
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs a Python script with the MLflow of this version. */
export async function runWithMlflow(
  version: MlflowVersion,
  script: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await run(join(binOf(mlflow(version)), 'python'), [script, ...args], {
    env: { ...mlflowEnvironment(version), ...more },
    // Some run beside a whole test.
    timeoutMs: 1_200_000,
  });
  return stdout;
}
