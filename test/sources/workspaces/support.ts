/**
 * What sources over workspaces give, for the tests in this folder.
 */

import { RECORD_KINDS, type MlflowRecord, type RecordKind } from '../../../src/mlflow/records.js';
import type { OpenSource } from '../../../src/stream/contracts.js';

export const ALL: ReadonlySet<RecordKind> = new Set(RECORD_KINDS);

/** With several pages asked for at a time. */
export async function readAll(source: OpenSource): Promise<readonly MlflowRecord[]> {
  const records: MlflowRecord[] = [];
  const pages = source.read({ kinds: ALL })[Symbol.asyncIterator]();
  for (let ended = false; !ended;) {
    const some = await Promise.all([pages.next(), pages.next(), pages.next()]);
    for (const { done, value } of some) {
      if (done === true) ended = true;
      else records.push(...value.records);
    }
  }
  return records;
}

/** Workspaces in the order in which they come, each once. */
export function placesIn(records: readonly MlflowRecord[]): readonly string[] {
  const places: string[] = [];
  for (const { server } of records) {
    const { workspace = 'default' } = server;
    if (places.at(-1) !== workspace) places.push(workspace);
  }
  return places;
}
