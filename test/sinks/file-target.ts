/**
 * A file sink in a folder of its own.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Proposal } from '../../src/datahub/proposal.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
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
  const open = await fileSink({ path }).open(runContext());
  await open.write(proposals);
  await open.close('complete');
}
