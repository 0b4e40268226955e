/**
 * A file sink in a folder of its own.
 */

import { readdirSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proposal } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import type { Logger } from '../../src/stream/contracts.js';
import { runContext } from '../../src/testing/index.js';
import { temporaryFolder } from './delivered.js';

/** A folder, a path in it, and the sink for that path. */
export function sinkFor(name: string) {
  const folder = temporaryFolder();
  const path = join(folder, name);
  return { folder, path, sink: fileSink({ path }), files: () => readdirSync(folder).sort() };
}

/** A whole run that delivers these. */
export async function write(path: string, proposals: readonly Proposal[]): Promise<void> {
  const sink = await fileSink({ path }).open(runContext());
  await sink.write(proposals);
  await sink.close('complete');
}

/** A logger that keeps what it was told, as `level message`. */
export function keepingLog() {
  const lines: string[] = [];
  const keep = (level: string) => (_fields: object, message: string) => {
    lines.push(`${level} ${message}`);
  };
  const log: Logger = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  };
  return { log, lines };
}

/** What every open file inherits its methods from, to let one of them fail. */
export async function handles(): Promise<FileHandle> {
  const handle = await open('.', 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}
