/**
 * Logged models of MLflow 3: `EXPERIMENT/models/m-…`.
 */

import { join } from 'node:path';
import { isModelId, numberedStatus } from '../../mlflow/parse-logged-model.js';
import { LOGGED_MODEL } from '../../mlflow/parse.js';
import type { LoggedModel } from '../../mlflow/types.js';
import { PageSize } from '../page-size.js';
import type { StorePage } from '../store.js';
import { BrokenFile } from './broken-file.js';
import { isEmpty, type Outcome, pageOf, readEntity, rejectionOf, timeOf } from './entities.js';
import { type ExperimentFolder, MODELS, stageOf } from './experiments.js';
import type { Meta } from './meta-yaml.js';
import { SortedNames } from './sorted-names.js';
import type { StoreFolder } from './store-folder.js';

const NAMES_IN_A_PIECE = 1000;

export interface LoggedModelReading {
  readonly pageSize: number;
  /** Milliseconds since 1970; the `meta.yaml` of each has to be read to know. */
  readonly since?: number | undefined;
  /** Listings that are open; a reading that is abandoned leaves its own in it. */
  readonly listings: Set<SortedNames>;
}

export function loggedModelPath({ path }: ExperimentFolder, modelId: string): string {
  return join(path, MODELS, modelId);
}

/** Active ones of the experiments, by experiment and by id. */
export async function* loggedModelPages(
  folder: StoreFolder,
  experiments: readonly ExperimentFolder[],
  { pageSize, since, listings }: LoggedModelReading,
): AsyncGenerator<StorePage<LoggedModel>> {
  const size = new PageSize(pageSize);
  for (const experiment of experiments) {
    const names = new SortedNames();
    listings.add(names);
    try {
      await folder.eachSubfolder(join(experiment.path, MODELS), NAMES_IN_A_PIECE, (piece) => {
        names.add(piece.filter(isModelId));
        return true;
      });
      for (let after = ''; ;) {
        const ids = names.after(after, size.current);
        const last = ids.at(-1);
        if (last === undefined) break;
        const before = folder.lengthRead;
        const page = pageOf(
          await Promise.all(ids.map((id) => readLoggedModel(folder, experiment, id, since))),
        );
        size.saw(ids.length, folder.lengthRead - before);
        if (!isEmpty(page)) yield page;
        after = last;
      }
    } catch (error) {
      if (!(error instanceof BrokenFile)) throw error;
      const identity = `logged models of experiment ${experiment.id}`;
      yield { items: [], rejected: [rejectionOf(error, 'UNREADABLE_FOLDER', identity)] };
    } finally {
      names.close();
      listings.delete(names);
    }
  }
}

/** Those with these ids, wherever they are. */
export async function loggedModelsById(
  folder: StoreFolder,
  experiments: readonly ExperimentFolder[],
  modelIds: readonly string[],
): Promise<StorePage<LoggedModel>> {
  const ids = [...new Set(modelIds)].filter(isModelId);
  return pageOf(
    await Promise.all(
      ids.map(async (id) => {
        for (const experiment of experiments) {
          const found = await readLoggedModel(folder, experiment, id);
          if (found !== undefined) return found;
        }
        return undefined;
      }),
    ),
  );
}

/**
 * An active one; none where there is none.
 *
 * @param since - milliseconds since 1970: none that was made before
 */
export function readLoggedModel(
  folder: StoreFolder,
  experiment: ExperimentFolder,
  modelId: string,
  since?: number,
): Promise<Outcome<LoggedModel>> {
  return readEntity(LOGGED_MODEL, modelId, async () => {
    const path = loggedModelPath(experiment, modelId);
    const meta = await folder.meta(path);
    if (meta === undefined || stageOf(meta) === 'deleted') return undefined;
    if (since !== undefined && Number(meta['creation_timestamp'] ?? 0) < since) return undefined;
    if (meta['model_id'] !== modelId) {
      throw new BrokenFile(`meta.yaml: its model_id is not ${modelId}, as its folder is called`);
    }
    if (meta['experiment_id'] !== experiment.id) {
      throw new BrokenFile(
        `meta.yaml: its experiment_id is not ${experiment.id}, in whose folder it is`,
      );
    }
    const [params, metrics, tags] = await Promise.all([
      folder.keyValues(join(path, 'params')),
      folder.modelMetrics(join(path, 'metrics')),
      folder.keyValues(join(path, 'tags')),
    ]);
    return { info: { ...infoOf(meta), tags }, data: { params, metrics } };
  });
}

function infoOf(meta: Meta): object {
  return {
    model_id: meta['model_id'],
    experiment_id: meta['experiment_id'],
    name: meta['name'],
    artifact_uri: meta['artifact_location'],
    creation_timestamp_ms: timeOf(meta['creation_timestamp']),
    last_updated_timestamp_ms: timeOf(meta['last_updated_timestamp']),
    status: numberedStatus(meta['status']) ?? meta['status'],
    model_type: meta['model_type'],
    source_run_id: meta['source_run_id'],
    status_message: meta['status_message'],
  };
}
