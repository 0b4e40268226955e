/**
 * A file of some 45,000 proposals that a real database of MLflow gave.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../test/live/processes.js';
import { readProposals, type FiledProposal } from '../test/live/proposals.js';
import { seedBulk } from '../test/live/seed.js';

const CONTENT = { experiments: 27, runs: 5_042, models: 103, versions: 1_008 };
const COMMAND = fileURLToPath(new URL('../dist/pipeline.js', import.meta.url));

export interface ProposalFile {
  readonly path: string;
  readonly proposals: readonly FiledProposal[];
  /** For the table: `44,014 proposals of a file`. */
  readonly name: string;
}

export async function makeProposals(folder: string): Promise<ProposalFile> {
  const database = join(folder, 'mlflow.db');
  const path = join(folder, 'proposals.json');
  await seedBulk('2.22.5', database, CONTENT);
  await run(process.execPath, [COMMAND, '--from', `sqlite:///${database}`, '--to', path], {
    cwd: folder,
  });
  const proposals = await readProposals(path);
  return { path, proposals, name: `${proposals.length.toLocaleString('en')} proposals of a file` };
}
