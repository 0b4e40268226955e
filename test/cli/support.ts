/**
 * Runs the command in this process, with a stand-in for the process around it.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as rxjs from 'rxjs';
import { onTestFinished } from 'vitest';
import { main } from '../../src/cli/main.js';
import type { CommandContext, StopSignal } from '../../src/cli/terminal.js';
import { definePipeline } from '../../src/config/define-pipeline.js';
import { PipelineError } from '../../src/core/errors.js';
import type { Proposal } from '../../src/datahub/proposal.js';
import type { OpenSource, Page, RunContext, Sink, Source } from '../../src/stream/contracts.js';
import { transcribe, transcribeFolder } from '../support/transcript.js';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was logged as JSON. */
  readonly lines: readonly Record<string, unknown>[];
  /** Statuses that the process was told to end with at once. */
  readonly exits: readonly number[];
}

export interface RunCommandOptions {
  readonly config?: string;
  readonly env?: Record<string, string>;
  readonly tty?: boolean;
  /** Sends a signal; called back once the command listens. */
  readonly onListening?: (send: (signal: StopSignal) => void) => void;
  readonly cwd?: string;
  /** What configurations can import beside the stand-ins. */
  readonly components?: object;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cli-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export async function run(args: string[], options: RunCommandOptions = {}): Promise<Outcome> {
  const cwd = options.cwd ?? temporaryFolder();
  if (options.config !== undefined) writeFileSync(join(cwd, 'pipeline.config.ts'), options.config);
  const written = { stdout: '', stderr: '' };
  const exits: number[] = [];
  const stream = (name: 'stdout' | 'stderr'): CommandContext['stdout'] => ({
    isTTY: options.tty ?? false,
    columns: 80,
    write: (text) => (written[name] += text),
  });
  const status = await main({
    args,
    env: options.env ?? {},
    cwd,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    program: 'mlflow-datahub',
    version: '1.2.3',
    packageRoot: cwd,
    modules: () =>
      Promise.resolve({
        'mlflow-datahub': { definePipeline, ...options.components, ...standIns },
        rxjs,
      }),
    onSignal: (listener) => {
      options.onListening?.(listener);
      return () => undefined;
    },
    exit: (early) => exits.push(early),
  });
  transcribe('stdout', written.stdout);
  transcribe('stderr', written.stderr);
  transcribeFolder(cwd);
  const lines = written.stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, ...written, lines, exits };
}

interface StandInOptions {
  readonly label?: string;
  readonly uri?: string;
  readonly pages?: number;
  /** Rejected on the first page. */
  readonly rejected?: number;
  /** Before each page. */
  readonly waitMs?: number;
  readonly fail?: string;
}

/** Numbers, ten a page, counted as runs. */
function countingSource(options: StandInOptions = {}): Source<number> {
  const server = {
    uri: options.uri ?? 'http://host:5000',
    version: '2.22.5',
    versionText: '2.22.5',
    searchesExperiments: true,
  };
  const open = (context: RunContext): Promise<OpenSource<number>> => {
    if (options.fail !== undefined) {
      return Promise.reject(
        new PipelineError(options.fail, { code: 'SOURCE_UNREACHABLE', category: 'unavailable' }),
      );
    }
    async function* read(): AsyncIterable<Page<number>> {
      for (let page = 0; page < (options.pages ?? 2); page += 1) {
        await new Promise((resolve) => setTimeout(resolve, options.waitMs ?? 0));
        context.recorder.read('run', 10);
        context.recorder.requests += 1;
        yield {
          records: Array.from({ length: 10 }, (_, index) => page * 10 + index),
          rejected: Array.from(
            { length: page === 0 ? (options.rejected ?? 0) : 0 },
            (_, index) => ({
              kind: 'record' as const,
              code: 'MALFORMED_RECORD',
              message: 'a run could not be read',
              identity: `run ${index}`,
              content: {},
            }),
          ),
        };
      }
    }
    return Promise.resolve({
      server,
      read,
      count: () => Promise.resolve({ run: 20, experiment: 1 }),
      close: () => Promise.resolve(),
    });
  };
  return { label: options.label ?? 'stand-in http://host:5000', open };
}

interface SinkOptions {
  readonly label?: string;
  readonly fail?: string;
  readonly code?: string;
}

/** Takes everything, or fails as told. */
function countingSink(options: SinkOptions = {}): Sink {
  const fail = (): Promise<never> =>
    Promise.reject(
      new PipelineError(options.fail ?? '', {
        code: options.code ?? 'SINK_FAILED',
        category: 'unavailable',
      }),
    );
  return {
    label: options.label ?? 'file out.json',
    open: () =>
      Promise.resolve({
        write: () => (options.fail === undefined ? Promise.resolve([]) : fail()),
        close: () => Promise.resolve(),
      }),
    check: () => (options.fail === undefined ? Promise.resolve('it can be written') : fail()),
  };
}

const toProposal = Object.assign(
  rxjs.map((id: number): Proposal => ({
    entityType: 'tag',
    entityUrn: `urn:li:tag:${id}`,
    changeType: 'UPSERT',
    aspectName: 'tagProperties',
    aspect: { name: String(id) },
  })),
  { label: 'toProposal' },
);

const standIns = { countingSource, countingSink, toProposal };

/** A configuration made of the stand-ins. */
export function config(source = '', sinks = 'countingSink()', extra = ''): string {
  return `
import { definePipeline, countingSource, countingSink, toProposal } from 'mlflow-datahub';
export default definePipeline({
  source: countingSource(${source}),
  operators: [toProposal],
  sinks: [${sinks}],
  ${extra}
});
`;
}
