/**
 * Where runs are whose experiment is not known: any experiment's folder may have them.
 */

import { join } from 'node:path';
import { BrokenFile } from './broken-file.js';
import type { ExperimentFolder } from './experiments.js';
import { isRunId } from './runs.js';
import type { StoreFolder } from './store-folder.js';

/** So many names are listed for each run that is looked for, before the runs are asked for one by one. */
const NAMES_PER_RUN = 20;
const NAMES_IN_A_PIECE = 200;

export interface LocatedRuns {
  readonly found: ReadonlyMap<string, readonly ExperimentFolder[]>;
  /** False where a folder could not be looked into: what was not found may be in it. */
  readonly complete: boolean;
}

export async function locateRuns(
  folder: StoreFolder,
  experiments: readonly ExperimentFolder[],
  runIds: Iterable<string>,
): Promise<LocatedRuns> {
  const wanted = new Set([...runIds].filter(isRunId));
  const found = new Map<string, ExperimentFolder[]>();
  const add = (runId: string, experiment: ExperimentFolder): void => {
    const known = found.get(runId);
    if (known === undefined) found.set(runId, [experiment]);
    else known.push(experiment);
  };
  let complete = true;
  for (const experiment of wanted.size === 0 ? [] : experiments) {
    try {
      for (const runId of await runsIn(folder, experiment, wanted)) add(runId, experiment);
    } catch (error) {
      if (!(error instanceof BrokenFile)) throw error;
      complete = false;
    }
  }
  return { found, complete };
}

/** A small folder is listed, which is one look; of a large one each run is asked for. */
async function runsIn(
  folder: StoreFolder,
  { path }: ExperimentFolder,
  wanted: ReadonlySet<string>,
): Promise<readonly string[]> {
  const there: string[] = [];
  let left = wanted.size * NAMES_PER_RUN;
  await folder.eachSubfolder(path, NAMES_IN_A_PIECE, (names) => {
    left -= names.length;
    for (const name of names) if (wanted.has(name)) there.push(name);
    return left > 0;
  });
  if (left > 0) return there;
  const asked = await Promise.all(
    [...wanted].map(async (runId) => ((await folder.isFolder(join(path, runId))) ? [runId] : [])),
  );
  return asked.flat();
}
