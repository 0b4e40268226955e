/**
 * The best description seen of each dataset.
 */

import type { DatasetUse } from '../../mlflow/records.js';
import { key, type ScratchDatabase } from './scratch-database.js';

/** How much of what is not written yet is held, in UTF-16 code units. */
const PENDING_CHARS = 4 * 1024 * 1024;
const PENDING_ENTRIES = 4096;

export const DATASET_SCHEMA = `
  CREATE TABLE datasets(
    name TEXT NOT NULL, source_type TEXT NOT NULL, start_time REAL NOT NULL, run_id TEXT NOT NULL,
    digest TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (name, source_type)) WITHOUT ROWID;
`;

interface PendingUse {
  readonly use: DatasetUse;
  readonly chars: number;
}

/**
 * Keeps for each dataset name and source type the use by the run with the greatest (start time,
 * id), and the greatest digest where one run uses several.
 *
 * Most runs of a sweep use the same few datasets, each later than the one before: the best use of
 * those seen lately waits in memory, and is written when it has not been seen for long.
 */
export class DatasetUses {
  readonly #scratch: ScratchDatabase;
  /** The one touched last at the end. */
  readonly #pending = new Map<string, PendingUse>();
  #pendingChars = 0;

  constructor(scratch: ScratchDatabase) {
    this.#scratch = scratch;
  }

  add(uses: readonly DatasetUse[]): void {
    for (const use of uses) {
      const { dataset } = use.input;
      const id = `${dataset.name.length} ${dataset.name}${dataset.sourceType}`;
      const pending = this.#pending.get(id);
      if (pending !== undefined) {
        if (!isGreater(use, pending.use)) continue;
        this.#pending.delete(id);
        this.#pendingChars -= pending.chars;
      }
      const chars = id.length + charsOf(use);
      this.#pending.set(id, { use, chars });
      this.#pendingChars += chars;
      this.#write(PENDING_CHARS, PENDING_ENTRIES);
    }
  }

  /** The next `limit` datasets after the one named, by name; their uses in ascending order. */
  list(limit: number, afterName?: string): { name: string; uses: DatasetUse[] }[] {
    this.#write(0, 0);
    const after = afterName === undefined ? [] : [key(afterName)];
    const rows = this.#scratch.all(
      `SELECT name, content FROM datasets WHERE name IN (
         SELECT DISTINCT name FROM datasets ${after.length > 0 ? 'WHERE name > ?' : ''}
         ORDER BY name LIMIT ?)
       ORDER BY name, start_time, run_id, digest, source_type`,
      [...after, limit],
    );
    const datasets: { name: string; uses: DatasetUse[] }[] = [];
    let last: unknown;
    for (const [name, content] of rows) {
      const use = JSON.parse(String(content)) as DatasetUse;
      if (name === last) datasets.at(-1)?.uses.push(use);
      else datasets.push({ name: use.input.dataset.name, uses: [use] });
      last = name;
    }
    return datasets;
  }

  /** Writes the uses touched longest ago until no more than this is pending. */
  #write(maxChars: number, maxEntries: number): void {
    for (const [id, { use, chars }] of this.#pending) {
      if (this.#pendingChars <= maxChars && this.#pending.size <= maxEntries) return;
      this.#pending.delete(id);
      this.#pendingChars -= chars;
      const { dataset } = use.input;
      this.#scratch.run(
        `INSERT INTO datasets VALUES (?,?,?,?,?,?) ON CONFLICT (name, source_type) DO UPDATE
         SET start_time = excluded.start_time, run_id = excluded.run_id,
             digest = excluded.digest, content = excluded.content
         WHERE (excluded.start_time, excluded.run_id, excluded.digest) >
               (start_time, run_id, digest)`,
        [
          key(dataset.name),
          key(dataset.sourceType),
          use.startTime,
          key(use.runId),
          key(dataset.digest),
          JSON.stringify(use),
        ],
      );
    }
  }
}

function isGreater(a: DatasetUse, b: DatasetUse): boolean {
  if (a.startTime !== b.startTime) return a.startTime > b.startTime;
  if (a.runId !== b.runId) return a.runId > b.runId;
  return a.input.dataset.digest > b.input.dataset.digest;
}

/** About how much memory a use takes, in UTF-16 code units. */
function charsOf({ input: { dataset, tags } }: DatasetUse): number {
  let chars = 200 + dataset.source.length + (dataset.schema?.length ?? 0);
  chars += dataset.profile?.length ?? 0;
  for (const tag of tags) chars += tag.key.length + tag.value.length;
  return chars;
}
