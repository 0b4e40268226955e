/**
 * Runs programs to their end, with deadlines, and with their output in the error.
 */

import { spawn } from 'node:child_process';

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Exit statuses that are no error. */
  readonly allow?: readonly number[];
}

const TAIL = 6_000; // characters of output in a message

/** Throws with the end of the output where the program fails or is not done in time. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env, timeoutMs = 300_000, allow = [0] }: RunOptions = {},
): Promise<Output & { readonly status: number }> {
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const deadline = { passed: false };
  const timer = setTimeout(() => {
    deadline.passed = true;
    killGroup(child.pid, 'SIGKILL');
  }, timeoutMs);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    clearTimeout(timer);
  });
  const output = {
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
  if (!deadline.passed && status !== null && allow.includes(status)) return { ...output, status };
  const how = deadline.passed
    ? `was not done within ${timeoutMs} ms`
    : `ended with status ${String(status)}`;
  throw new Error(
    `${[program, ...args].join(' ')} ${how}\n${tail(output.stdout)}\n${tail(output.stderr)}`,
  );
}

export function tail(text: string): string {
  return text.length <= TAIL ? text : `…${text.slice(-TAIL)}`;
}

/** Ends a process that was started detached, and its children. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It is gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
