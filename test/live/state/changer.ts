/**
 * Changes an MLflow store through MLflow's own client, see change.py. The client takes seconds to
 * import, so that one process makes all the changes.
 */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { binOf } from '../install.js';
import { mlflow, type MlflowVersion } from '../releases.js';
import { mlflowEnvironment } from '../servers.js';

const SCRIPT = fileURLToPath(new URL('change.py', import.meta.url));

export class Changer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  /** @param env - beside what every MLflow is run with */
  constructor(version: MlflowVersion, uri: string, env: Readonly<Record<string, string>> = {}) {
    // It ends with its input, and so with this process.
    this.#child = spawn(join(binOf(mlflow(version)), 'python'), [SCRIPT, uri], {
      env: { ...mlflowEnvironment(version), ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // It has ended, which the missing answer tells.
    this.#child.stdin.on('error', () => undefined);
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** @throws Error with Python's traceback where it fails */
  async make(change: string): Promise<void> {
    this.#child.stdin.write(`${change}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`${change}: Python has ended`);
    const problem = JSON.parse(answer.value) as string | null;
    if (problem !== null) throw new Error(`${change}: ${problem}`);
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }
}
