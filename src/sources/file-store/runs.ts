/**
 * Runs: a folder each in that of their experiment, with a file for each tag, parameter and metric.
 */

import { join } from 'node:path';
import { RUN } from '../../mlflow/parse.js';
import { compareText } from '../../mlflow/parse-values.js';
import type { Run } from '../../mlflow/types.js';
import type { PagePosition } from '../../stream/memory.js';
import { PageSize } from '../page-size.js';
import type { StorePage } from '../store.js';
import { BrokenFile } from './broken-file.js';
import {
  isEmpty,
  isOneName,
  type Outcome,
  pageOf,
  readEntity,
  rejectionOf,
  timeOf,
} from './entities.js';
import { type ExperimentFolder, isExperimentId, stageOf } from './experiments.js';
import type { Meta } from './meta-yaml.js';
import type { RunPlace } from './run-place.js';
import { SortedNames } from './sorted-names.js';
import type { KeyValueJson, StoreFolder } from './store-folder.js';

/** As MLflow allows them; no path can be hidden in one. */
const RUN_ID = /^[a-z0-9][\w-]{0,255}$/i;
/** What else is in an experiment's folder. */
const RESERVED = new Set(['tags', 'datasets', 'traces', 'models']);

/** In the order of MLflow's enumeration, from 1. */
const STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];

const NAMES_IN_A_PIECE = 1000;

export function isRunId(name: string): boolean {
  return RUN_ID.test(name) && !RESERVED.has(name);
}

export interface RunReading {
  readonly root: string;
  readonly pageSize: number;
  /** Milliseconds since 1970; the `meta.yaml` of each run has to be read to know. */
  readonly since?: number | undefined;
  /** Reading goes on behind it. */
  readonly start?: RunPlace | undefined;
  readonly positionBehind?: ((place: RunPlace) => PagePosition) | undefined;
  /** Called where an experiment's folder has vanished. */
  readonly onVanished: () => Promise<void>;
  /** Listings that are open; a reading that is abandoned leaves its own in it. */
  readonly listings: Set<SortedNames>;
}

/** A run whose `meta.yaml` has been read. */
interface Candidate {
  readonly place: RunPlace;
  readonly meta: Outcome<Meta>;
}

/** Active runs of the experiments, by experiment and by id. */
export async function* runPages(
  folder: StoreFolder,
  experimentIds: readonly string[],
  reading: RunReading,
): AsyncGenerator<StorePage<Run>> {
  const { pageSize, positionBehind } = reading;
  const size = new PageSize(pageSize);
  const waiting: Candidate[] = [];
  const page = async (candidates: readonly Candidate[]): Promise<StorePage<Run>> => {
    const datasets: Datasets = new Map();
    const before = folder.lengthRead;
    const outcomes = await Promise.all(
      candidates.map(async ({ place, meta }): Promise<Outcome<Run>> => {
        if (meta?.item === undefined) return meta;
        const experiment = { id: place.experimentId, path: join(reading.root, place.experimentId) };
        return readRun(folder, experiment, place.runId, meta.item, datasets);
      }),
    );
    size.saw(candidates.length, folder.lengthRead - before);
    const last = candidates.at(-1);
    if (last === undefined || positionBehind === undefined) return pageOf(outcomes);
    return { ...pageOf(outcomes), position: positionBehind(last.place) };
  };
  for await (const candidates of candidatePieces(folder, experimentIds, reading)) {
    waiting.push(...candidates);
    while (waiting.length >= size.current) {
      const made = await page(waiting.splice(0, size.current));
      if (!isEmpty(made)) yield made;
    }
  }
  const rest = await page(waiting);
  if (!isEmpty(rest)) yield rest;
}

/** Runs that are asked for, and those that can't be known to be, a page's worth looked at in one go. */
async function* candidatePieces(
  folder: StoreFolder,
  experimentIds: readonly string[],
  { root, pageSize, since, start, onVanished, listings }: RunReading,
): AsyncGenerator<readonly Candidate[]> {
  for (const experimentId of [...experimentIds].filter(isExperimentId).sort(compareText)) {
    if (start !== undefined && experimentId < start.experimentId) continue;
    const path = join(root, experimentId);
    const names = new SortedNames();
    listings.add(names);
    try {
      const found = await folder.eachSubfolder(path, NAMES_IN_A_PIECE, (piece) => {
        names.add(piece.filter(isRunId));
        return true;
      });
      if (!found) await onVanished();
      let after = experimentId === start?.experimentId ? start.runId : '';
      for (;;) {
        const runIds = names.after(after, pageSize);
        const last = runIds.at(-1);
        if (last === undefined) break;
        const candidates = await Promise.all(
          runIds.map(async (runId): Promise<Candidate> => {
            const meta = await readMeta(folder, { id: experimentId, path }, runId);
            return {
              place: { experimentId, runId },
              meta: isAskedFor(meta, since) ? meta : undefined,
            };
          }),
        );
        yield candidates.filter(({ meta }) => meta !== undefined);
        after = last;
      }
    } catch (error) {
      if (!(error instanceof BrokenFile)) throw error;
      const rejection = rejectionOf(
        error,
        'UNREADABLE_FOLDER',
        `runs of experiment ${experimentId}`,
      );
      yield [{ place: { experimentId, runId: '' }, meta: { rejection } }];
    } finally {
      names.close();
      listings.delete(names);
    }
  }
}

function isAskedFor(meta: Outcome<Meta>, since: number | undefined): boolean {
  if (meta?.item === undefined) return meta !== undefined;
  if (stageOf(meta.item) !== 'active') return false;
  if (since === undefined) return true;
  const start = Number(meta.item['start_time'] ?? 0);
  // What is no time is rejected later on.
  return !(start < since);
}

/** Not the whole run yet: most may turn out not to be asked for. */
export async function readMeta(
  folder: StoreFolder,
  experiment: ExperimentFolder,
  runId: string,
): Promise<Outcome<Meta>> {
  const meta: Outcome<unknown> = await readEntity(
    { ...RUN, read: (json) => json, idOf: () => runId },
    runId,
    async () => {
      const found = await folder.meta(join(experiment.path, runId));
      if (found === undefined) return undefined;
      if ((found['run_id'] ?? found['run_uuid']) !== runId) {
        throw new BrokenFile(`meta.yaml: its run_id is not ${runId}, as its folder is called`);
      }
      if (found['experiment_id'] !== experiment.id) {
        throw new BrokenFile(
          `meta.yaml: its experiment_id is not ${experiment.id}, in whose folder it is`,
        );
      }
      return found;
    },
  );
  return meta as Outcome<Meta>;
}

/** What runs of a page share; a dataset's schema may be long. */
export type Datasets = Map<string, Promise<Meta | undefined>>;

/** None where it has vanished meanwhile. */
export function readRun(
  folder: StoreFolder,
  experiment: ExperimentFolder,
  runId: string,
  meta: Meta,
  datasets: Datasets,
): Promise<Outcome<Run>> {
  return readEntity(RUN, runId, async () => {
    const path = join(experiment.path, runId);
    const status = statusOf(meta['status']);
    const [params, metrics, tags, inputs] = await Promise.all([
      folder.keyValues(join(path, 'params')),
      folder.metrics(join(path, 'metrics')),
      folder.keyValues(join(path, 'tags')),
      datasetInputs(folder, experiment, path, datasets),
    ]);
    // Either is made with the run.
    if ((params === undefined || metrics === undefined) && !(await folder.hasMeta(path))) {
      return undefined;
    }
    return {
      info: {
        run_id: runId,
        experiment_id: experiment.id,
        run_name: meta['run_name'],
        user_id: meta['user_id'],
        status,
        start_time: meta['start_time'],
        end_time: timeOf(meta['end_time']),
        lifecycle_stage: stageOf(meta),
        artifact_uri: meta['artifact_uri'],
      },
      data: { params, metrics, tags },
      inputs: { dataset_inputs: inputs },
    };
  });
}

/** A number in the file, and RUNNING where there is none. */
function statusOf(value: unknown): string {
  const name = STATUSES[Number(value ?? 1) - 1];
  if (name === undefined) throw new BrokenFile('meta.yaml: its status is none of 1 to 5');
  return name;
}

interface DatasetInputJson {
  readonly dataset: Meta;
  readonly tags: readonly KeyValueJson[];
}

/** Models that a run uses are among its inputs as well, and an input's dataset may be missing. */
async function datasetInputs(
  folder: StoreFolder,
  experiment: ExperimentFolder,
  runPath: string,
  datasets: Datasets,
): Promise<readonly DatasetInputJson[]> {
  const inputsPath = join(runPath, 'inputs');
  const names = (await folder.subfolders(inputsPath)) ?? [];
  const inputs = await Promise.all(
    names.map(async (name): Promise<DatasetInputJson | undefined> => {
      const input = await folder.meta(join(inputsPath, name));
      const id = input?.['source_id'];
      if (input?.['source_type'] !== 'DATASET' || typeof id !== 'string' || !isOneName(id)) {
        return undefined;
      }
      const path = join(experiment.path, 'datasets', id);
      let reading = datasets.get(path);
      if (reading === undefined) datasets.set(path, (reading = folder.meta(path)));
      const dataset = await reading;
      if (dataset === undefined) return undefined;
      const tags = Object.entries(input['tags'] ?? {}).map(([key, value]) => ({
        key,
        value: String(value ?? ''),
      }));
      return { dataset, tags };
    }),
  );
  return inputs.filter((input) => input !== undefined);
}
