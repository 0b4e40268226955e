/**
 * A process that writes pages to a file of each format and remembers, as runs with state do, what
 * was confirmed: for file-changes-crash.test.ts. What is in its state is not written again. It kills
 * itself at the moment that it is told, by a signal that no process can do anything about.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import type { SinkMemory } from '../../src/stream/memory.js';
import { runContext, tagProposal } from '../../src/testing/index.js';

interface State {
  runs: number;
  readonly sinks: Record<string, { position?: JsonValue; readonly pages: number[] }>;
}

/** What the process is started with, as JSON. */
export interface ChildOptions {
  readonly folder: string;
  readonly extensions: readonly string[];
  readonly pages: number;
  readonly maxInFlight: number;
  readonly kill?: {
    /** Of those that this process stores; the files are closed after `all` of them. */
    readonly afterPages: number | 'all';
    /** Milliseconds after that, in which further pages are written, synced and confirmed. */
    readonly delayMs: number;
  };
}

const { folder, extensions, pages, maxInFlight, kill } = JSON.parse(
  process.argv[2] ?? '',
) as ChildOptions;
const path = join(folder, 'state');
let stored = 0;
const state = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as State)
  : { runs: 0, sinks: {} };

function store(): void {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

function killIf(moment: number | 'all'): void {
  if (kill?.afterPages !== moment) return;
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), kill.delayMs);
}

/** The same each time; some pages are long enough to be written in several pieces. */
function page(number: number) {
  const size = number % 7 === 3 ? 3_000 : ((number * 37) % 100) + 1;
  return Array.from({ length: size }, (_, index) => tagProposal(`${number}-${index}`));
}

async function deliver(extension: string): Promise<() => Promise<void>> {
  const sink = (state.sinks[extension] ??= { pages: [] });
  const memory: SinkMemory = sink.position === undefined ? {} : { position: sink.position };
  const context = runContext({ runId: `run-${state.runs}` });
  const open = await fileSink({ path: join(folder, `out${extension}`) }).open(context, memory);
  const remember = (): void => {
    const position = open.position?.();
    if (position === undefined) delete sink.position;
    else sink.position = position;
    store();
  };
  remember();
  const known = new Set(sink.pages);
  const left = Array.from({ length: pages }, (_, index) => index).filter(
    (number) => !known.has(number),
  );
  const lane = async (): Promise<void> => {
    for (let number = left.shift(); number !== undefined; number = left.shift()) {
      await open.write(page(number));
      sink.pages.push(number);
      remember();
      stored += 1;
      killIf(stored);
    }
  };
  await Promise.all(Array.from({ length: maxInFlight }, lane));
  return async () => {
    await open.close('complete');
    remember();
  };
}

state.runs += 1;
store();
const closes = await Promise.all(extensions.map(deliver));
killIf('all');
await Promise.all(closes.map((close) => close()));
