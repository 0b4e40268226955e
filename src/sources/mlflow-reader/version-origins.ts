/**
 * What model versions were made from: their runs, and of those that have none the logged models that
 * their sources name.
 */

import { modelIdOfSource } from '../../mlflow/parse-logged-model.js';
import type { LoggedModel, ModelVersion, Run } from '../../mlflow/types.js';
import { inWorkspace } from '../../mlflow/workspace.js';
import type { Rejection } from '../../stream/contracts.js';
import type { Recorder } from '../../stream/recorder.js';
import type { MlflowStore } from '../store.js';

export interface VersionOrigins {
  /** That the versions name, deleted ones too. */
  readonly runs: readonly Run[];
  /** Of versions that name no run, or one that is gone. */
  readonly loggedModels: readonly LoggedModel[];
  /** That logged models came from whose versions name no run. */
  readonly sourceRuns: readonly Run[];
  /** Runs. A logged model that can't be read is a warning. */
  readonly rejected: readonly Rejection[];
}

const NOTHING = { items: [], rejected: [] } as const;

/**
 * @param versions - as many as one lookup of runs can name
 * @param recorder - takes the warning `LOGGED_MODEL_NOT_READ`
 */
export async function originsOfVersions(
  store: MlflowStore,
  versions: readonly ModelVersion[],
  recorder: Recorder,
): Promise<VersionOrigins> {
  const runIds = new Set(versions.flatMap(({ runId }) => runId ?? []));
  const runs = runIds.size === 0 ? NOTHING : await store.runsById([...runIds]);
  const known = new Set(runs.items.map(({ runId }) => runId));
  const lost = versions.filter(({ runId }) => runId === undefined || !known.has(runId));
  const modelIds = new Set(lost.flatMap(({ source }) => modelIdOfSource(source) ?? []));
  const models =
    modelIds.size === 0 || store.loggedModels === undefined
      ? NOTHING
      : await store.loggedModels.byId([...modelIds]);
  // Rejected it is where logged models are read for themselves. Where they are not, a rejection would
  // keep whatever is gone from being removed, for something that nobody asked for.
  for (const { identity } of models.rejected) {
    recorder.warn(
      'LOGGED_MODEL_NOT_READ',
      'a version is sent without what the logged model says that it was made from: it could not be read',
      inWorkspace(identity, store.server.workspace),
    );
  }
  const sourceIds = new Set(models.items.flatMap(({ sourceRunId }) => sourceRunId ?? []));
  const unread = [...sourceIds].filter((id) => !runIds.has(id));
  const sourceRuns = unread.length === 0 ? NOTHING : await store.runsById(unread);
  return {
    runs: runs.items,
    loggedModels: models.items,
    sourceRuns: sourceRuns.items,
    rejected: [...runs.rejected, ...sourceRuns.rejected],
  };
}
