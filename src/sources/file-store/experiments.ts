/**
 * Experiments: a folder each, named by its id; deleted ones are in the folder `.trash`.
 */

import { join } from 'node:path';
import { EXPERIMENT } from '../../mlflow/parse.js';
import { compareText } from '../../mlflow/parse-values.js';
import type { Experiment } from '../../mlflow/types.js';
import { BrokenFile } from './broken-file.js';
import { type Outcome, readEntity, timeOf } from './entities.js';
import type { Meta } from './meta-yaml.js';
import type { StoreFolder } from './store-folder.js';

const TRASH = '.trash';
/** The registry's folder. */
export const MODELS = 'models';

/** As MLflow allows them. */
const EXPERIMENT_ID = /^[a-z0-9][\w-]{0,63}$/i;

export interface ExperimentFolder {
  readonly id: string;
  readonly path: string;
}

/** Folders that may be an experiment's, by id; absent where the store itself has vanished. */
export async function experimentFolders(
  folder: StoreFolder,
  root: string,
): Promise<readonly ExperimentFolder[] | undefined> {
  const names = await folder.subfolders(root);
  return names?.filter(isExperimentId).sort(compareText).map(inFolder(root));
}

/** The same of deleted experiments. */
export async function trashedFolders(
  folder: StoreFolder,
  root: string,
): Promise<readonly ExperimentFolder[]> {
  const trash = join(root, TRASH);
  const names = (await folder.subfolders(trash)) ?? [];
  return names.filter(isExperimentId).sort(compareText).map(inFolder(trash));
}

export function isExperimentId(name: string): boolean {
  return EXPERIMENT_ID.test(name) && name !== MODELS;
}

function inFolder(parent: string): (id: string) => ExperimentFolder {
  return (id) => ({ id, path: join(parent, id) });
}

/** An active experiment; none for a folder that is no experiment's. */
export function readExperiment(
  folder: StoreFolder,
  { id, path }: ExperimentFolder,
): Promise<Outcome<Experiment>> {
  return readEntity(EXPERIMENT, id, async () => {
    const meta = await folder.meta(path);
    if (meta === undefined) {
      if (!/^\d+$/.test(id) || !(await folder.exists(path))) return undefined;
      throw new BrokenFile('it has no meta.yaml');
    }
    if (stageOf(meta) !== 'active') return undefined;
    if (meta['experiment_id'] !== id) {
      throw new BrokenFile(`meta.yaml: its experiment_id is not ${id}, as its folder is called`);
    }
    return {
      experiment_id: id,
      name: meta['name'],
      artifact_location: meta['artifact_location'],
      lifecycle_stage: 'active',
      creation_time: timeOf(meta['creation_time']),
      last_update_time: timeOf(meta['last_update_time']),
      tags: await folder.keyValues(join(path, 'tags')),
    };
  });
}

/** Runs of before there were stages have none. */
export function stageOf(meta: Meta): unknown {
  return meta['lifecycle_stage'] ?? 'active';
}
