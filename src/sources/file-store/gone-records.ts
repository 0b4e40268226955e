/**
 * Which records a store has no folder of, or marks as deleted.
 */

import { join } from 'node:path';
import { isModelId } from '../../mlflow/parse-logged-model.js';
import { parseRecordKey, type RecordKey } from '../../mlflow/record-key.js';
import { BrokenFile } from './broken-file.js';
import { isOneName } from './entities.js';
import {
  type ExperimentFolder,
  experimentFolders,
  isExperimentId,
  stageOf,
  trashedFolders,
} from './experiments.js';
import { type LocatedRuns, locateRuns } from './located-runs.js';
import type { Meta } from './meta-yaml.js';
import { loggedModelPath } from './logged-models.js';
import { DELETED_STAGE, modelPath, versionPath } from './registry.js';
import { isRunId } from './runs.js';
import type { StoreFolder } from './store-folder.js';

/**
 * Those of the records that are gone. What can't be read may be there, and so is not among them.
 *
 * @returns nothing is gone where the store itself is
 */
export async function goneRecords(
  folder: StoreFolder,
  root: string,
  keys: readonly RecordKey[],
): Promise<ReadonlySet<RecordKey>> {
  const experiments = await experimentFolders(folder, root);
  if (experiments === undefined) return new Set();
  const trashed = await trashedFolders(folder, root);
  const runIds = keys.flatMap((key) => {
    const record = parseRecordKey(key);
    return record.kind === 'run' ? [record.id] : [];
  });
  const runs = await locateRuns(folder, experiments, runIds);
  const isActive = once((id: string) => isActiveExperiment(folder, root, id));

  const isGone = async (key: RecordKey): Promise<boolean> => {
    const record = parseRecordKey(key);
    switch (record.kind) {
      case 'experiment':
        return isExperimentId(record.id) && !(await isActive(record.id));
      case 'run':
        return isRunId(record.id) && isRunGone(folder, record.id, runs, isActive);
      case 'loggedModel':
        return isModelId(record.id) && isLoggedModelGone(folder, record.id, experiments, isActive);
      case 'model':
        return (
          isOneName(record.name) &&
          isMissing(await folder.meta(modelPath(root, record.name)), () =>
            folder.exists(modelPath(root, record.name)),
          )
        );
      case 'version': {
        if (!isOneName(record.name) || !/^\d+$/.test(record.version)) return false;
        const path = versionPath(root, record.name, record.version);
        const meta = await folder.meta(path);
        if (meta?.['current_stage'] === DELETED_STAGE) return true;
        return isMissing(meta, () => folder.exists(path));
      }
    }
  };

  const answers = await Promise.all(
    keys.map(async (key) => ((await unlessBroken(isGone(key))) ? [key] : [])),
  );
  // An empty folder is what a drive leaves behind that is not there any more.
  if (experiments.length === 0 && trashed.length === 0) return new Set();
  return new Set(answers.flat());
}

/** Without its `meta.yaml` a thing may be in the making. */
async function isMissing(meta: Meta | undefined, exists: () => Promise<boolean>): Promise<boolean> {
  return meta === undefined && !(await exists());
}

async function isActiveExperiment(folder: StoreFolder, root: string, id: string): Promise<boolean> {
  const path = join(root, id);
  const meta = await folder.meta(path);
  return meta === undefined ? folder.exists(path) : stageOf(meta) !== 'deleted';
}

/** In no experiment that is active, or marked as deleted there. */
async function isRunGone(
  folder: StoreFolder,
  runId: string,
  { found, complete }: LocatedRuns,
  isActive: (experimentId: string) => Promise<boolean>,
): Promise<boolean> {
  const places: readonly ExperimentFolder[] = found.get(runId) ?? [];
  for (const { id, path } of places) {
    const meta = await folder.meta(join(path, runId));
    if (meta !== undefined && meta['experiment_id'] !== id) continue;
    const isThere =
      meta === undefined ? await folder.exists(join(path, runId)) : stageOf(meta) !== 'deleted';
    if (isThere && (await isActive(id))) return false;
  }
  return complete;
}

/** In none of the experiments that are not deleted, or marked as deleted there. */
async function isLoggedModelGone(
  folder: StoreFolder,
  modelId: string,
  experiments: readonly ExperimentFolder[],
  isActive: (experimentId: string) => Promise<boolean>,
): Promise<boolean> {
  for (const experiment of experiments) {
    const path = loggedModelPath(experiment, modelId);
    const meta = await folder.meta(path);
    const isThere = meta === undefined ? await folder.exists(path) : stageOf(meta) !== 'deleted';
    if (isThere && (await isActive(experiment.id))) return false;
  }
  return true;
}

/** The answer is no where there is none. */
async function unlessBroken(answer: Promise<boolean>): Promise<boolean> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof BrokenFile) return false;
    throw error;
  }
}

function once<T>(ask: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (id) => {
    let answer = answers.get(id);
    if (answer === undefined) answers.set(id, (answer = ask(id)));
    return answer;
  };
}
