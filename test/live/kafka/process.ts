/**
 * A server in a process of its own, started until it answers and ended by its id.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Where its output goes. */
  readonly log: string;
  /** Whether it answers by now. */
  readonly ready: () => Promise<boolean>;
}

/** Long, as a machine may be slow, and busy with other tests. */
const READY_MS = 150_000;

export class ServerProcess {
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    // A test run that dies takes its servers along.
    process.once('exit', () => {
      this.signal('SIGKILL');
    });
  }

  /** @throws Error with the end of its output where it does not come up */
  async start(): Promise<void> {
    const { name, command, args, env, cwd, log, ready } = this.#options;
    const output = createWriteStream(log, { flags: 'a' });
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: an interrupt of the test run is ours to pass on.
      detached: true,
    });
    child.stdout.pipe(output, { end: false });
    child.stderr.pipe(output, { end: false });
    const ended = new AbortController();
    const end = (): void => {
      ended.abort();
    };
    child.once('exit', end);
    child.once('error', end);
    this.#child = child;
    const deadline = Date.now() + READY_MS;
    while (!(await ready().catch(() => false))) {
      if (ended.signal.aborted || Date.now() > deadline) {
        await this.stop('SIGKILL');
        const tail = readFileSync(log, 'utf8').split('\n').slice(-30).join('\n');
        const how = ended.signal.aborted ? 'ended' : 'did not come up in time';
        throw new Error(`${name} ${how}:\n${tail}`);
      }
      await sleep(200);
    }
  }

  /** Ends it and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(patience);
  }

  /** Such as SIGSTOP: it is there and does not answer. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}
