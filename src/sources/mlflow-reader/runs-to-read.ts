/**
 * Which runs a reading with a memory asks for by their ids, beside those that it reads in a row.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseRecordKey, runKey, type RecordKey } from '../../mlflow/record-key.js';
import type { ReadMemory } from '../../stream/memory.js';
import type { JoinIndex } from '../join-index.js';
import { RecentIds } from '../rest/recent-ids.js';

/** How much of a memory's lists is looked at in one go. */
export const PIECE = 500;

/** As many as one lookup of runs can name. */
export const LOOKUP = 500;

/** Ids remembered to drop repeats by; one that comes again later is read again, and no harm done. */
const RECENT_IDS = 10_000;

/**
 * Of a lookback: runs that had not ended, and runs of versions that are gone, for they refer to
 * them. What was delivered is left out. `LOOKUP` ids at a time.
 *
 * @param workspace - that the memory is of; undefined for `default`
 * @param index - with all versions that there are; absent where these were not read
 */
export async function* runsToRead(
  memory: ReadMemory,
  workspace: string | undefined,
  index?: JoinIndex,
): AsyncGenerator<string[]> {
  const keyOf = (id: string): RecordKey => runKey(id, workspace);
  const recent = new RecentIds(RECENT_IDS);
  let batch: string[] = [];
  const sources = [openRuns(memory)];
  if (index !== undefined) sources.push(runsOfGoneVersions(memory, index));
  for (const source of sources) {
    for (const ids of source) {
      const delivered = memory.delivered(ids.map(keyOf));
      for (const id of ids) {
        if (delivered.has(keyOf(id)) || !recent.add(id)) continue;
        batch.push(id);
        if (batch.length < LOOKUP) continue;
        yield batch;
        batch = [];
      }
      // There may be millions to look through: signals and timers have their turn.
      await nextTurn();
    }
  }
  if (batch.length > 0) yield batch;
}

function* openRuns(memory: ReadMemory): Generator<readonly string[]> {
  let after: string | undefined;
  do {
    const ids = memory.openRuns(PIECE, after);
    yield ids;
    after = ids.at(-1);
  } while (after !== undefined);
}

function* runsOfGoneVersions(memory: ReadMemory, index: JoinIndex): Generator<readonly string[]> {
  let after: RecordKey | undefined;
  do {
    const known = memory.knownVersions(PIECE, after);
    const named = known.flatMap(({ key, runId }) => {
      const record = parseRecordKey(key);
      if (record.kind !== 'version' || runId === undefined) return [];
      return [{ name: record.name, version: record.version, runId }];
    });
    yield index.unknownVersions(named).map(({ runId }) => runId);
    after = known.at(-1)?.key;
  } while (after !== undefined);
}
