#!/usr/bin/env node
/**
 * The command `mlflow-datahub`. The one place that touches the process: its arguments, its
 * environment, its signals.
 */

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepHeapSmall, letHeapGrow } from './cli/heap.js';
import { main } from './cli/main.js';
import type { StopSignal } from './cli/terminal.js';

keepHeapSmall();

const packageRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as {
    version: string;
  };
  return version;
}

/** How this was called, so that hints can be pasted: by its own name, or as a script of Node's. */
function programName(): string {
  const script = process.argv[1];
  if (script === undefined || !/\.[cm]?[jt]s$/.test(script)) return 'mlflow-datahub';
  const short = relative(process.cwd(), script);
  return `node ${short.startsWith('..') ? script : short}`;
}

function onSignal(listener: (signal: StopSignal) => void): () => void {
  const interrupt = (): void => {
    listener('SIGINT');
  };
  const terminate = (): void => {
    listener('SIGTERM');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', terminate);
  return () => {
    process.off('SIGINT', interrupt).off('SIGTERM', terminate);
  };
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else {
      stream.write('', () => {
        resolve();
      });
    }
  });
}

// No reason for a stack trace: a sink that writes there is told as well, and says it in its words.
// What else is written (help, a diagram) may be cut off by a reader that has seen enough (`| head`),
// but not by a full disk.
const lost: unknown[] = [];
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') lost.push(error);
});

const status = await main({
  args: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  program: programName(),
  version: versionOfPackage(),
  packageRoot,
  modules: async () => ({
    'mlflow-datahub': await import('./index.js'),
    rxjs: await import('rxjs'),
  }),
  onSignal,
  exit: (early) => process.exit(early),
  preferSpeed: letHeapGrow,
});

// All is delivered and told: a connection that a component of the user's left open must not keep
// the command from ending. Only what is still buffered for a slow reader is waited for.
await Promise.all([drained(process.stdout), drained(process.stderr)]);
process.exit(status === 0 && lost.length > 0 ? 3 : status);
