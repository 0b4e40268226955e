/**
 * Opens a database and reads all of it, for the tests in this folder.
 */

import { onTestFinished } from 'vitest';
import type { Experiment, ModelVersion, RegisteredModel, Run } from '../../../src/mlflow/types.js';
import type { SqliteStoreOptions } from '../../../src/sources/sqlite/options.js';
import { openSqliteStore } from '../../../src/sources/sqlite/sqlite-store.js';
import type { MlflowStore, StorePage } from '../../../src/sources/store.js';
import type { Rejection, RunContext } from '../../../src/stream/contracts.js';
import { runContext } from '../../../src/testing/run-context.js';

export async function open(
  path: string,
  options: Partial<SqliteStoreOptions> = {},
  context: RunContext = runContext(),
): Promise<MlflowStore> {
  const store = await openSqliteStore({ path, ...options }, context);
  onTestFinished(() => store.close());
  return store;
}

export interface Everything {
  readonly experiments: Experiment[];
  readonly runs: Run[];
  readonly registeredModels: RegisteredModel[];
  readonly modelVersions: ModelVersion[];
  readonly rejected: Rejection[];
}

export async function collect<T>(
  pages: AsyncIterable<StorePage<T>>,
  rejected: Rejection[] = [],
): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) {
    items.push(...page.items);
    rejected.push(...page.rejected);
  }
  return items;
}

/** All that can be read, and what was rejected on the way. */
export async function readAll(store: MlflowStore): Promise<Everything> {
  const rejected: Rejection[] = [];
  const experiments = await collect(store.experiments(), rejected);
  const ids = experiments.map(({ experimentId }) => experimentId);
  return {
    experiments,
    runs: await collect(store.runs(ids), rejected),
    registeredModels: await collect(store.registeredModels(), rejected),
    modelVersions: await collect(store.modelVersions(), rejected),
    rejected,
  };
}
