/**
 * What has to be remembered while a store is read, so that its entities can be joined: the model
 * versions that wait for their run, and the best description seen of each dataset.
 *
 * Kept in a scratch database: memory does not grow with the store, but for one bit for each version.
 */

import type { DatasetUse } from '../mlflow/records.js';
import type { ModelAlias, ModelVersion } from '../mlflow/types.js';
import { DATASET_SCHEMA, DatasetUses } from './join-index/dataset-uses.js';
import { key, type Parameter, type Row, ScratchDatabase } from './join-index/scratch-database.js';

/** Rows in one INSERT: a call costs more than a row. */
const INSERT_ROWS = 50;
/** Keys looked at in one go while searching for versions that were not given. */
const SCAN_ROWS = 2000;

const SCHEMA = `
  CREATE TABLE versions(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, number REAL NOT NULL, run_id TEXT, content TEXT NOT NULL);
  CREATE TABLE aliases(
    name TEXT NOT NULL, version TEXT NOT NULL, alias TEXT NOT NULL,
    PRIMARY KEY (name, version, alias)) WITHOUT ROWID;
`;

/**
 * A scratch index on disk. Names are in the order of their UTF-8 bytes, as databases sort them.
 *
 * Every method throws a `PipelineError` with code `SCRATCH_UNAVAILABLE` when the folder for
 * temporary files is full or can't be written; the index is of no use then and must be closed.
 *
 * @example
 * const index = JoinIndex.open();
 * index.addVersions(versions);
 * const byRun = index.takeVersionsOfRuns(runs.map((run) => run.runId));
 * for (let rest; (rest = index.remainingVersions(500)).length > 0; ) console.log(rest);
 * index.close();
 */
export class JoinIndex {
  readonly #scratch: ScratchDatabase;
  readonly #datasets: DatasetUses;
  /** A bit for each version by its row's id: marking rows themselves would rewrite the file. */
  #taken = new Uint8Array(1024);
  #versions = 0;
  #untaken = 0;
  readonly #indexes = new Set<string>();
  #hasAliases = false;
  /** Where the search for versions that were not given goes on. */
  #cursor: Row | undefined;

  private constructor(scratch: ScratchDatabase) {
    this.#scratch = scratch;
    this.#datasets = new DatasetUses(scratch);
  }

  /** @param folder Where the scratch file goes; the folder for temporary files unless given. */
  static open(folder?: string): JoinIndex {
    return new JoinIndex(ScratchDatabase.open(SCHEMA + DATASET_SCHEMA, folder));
  }

  /** Each version once: adding one again would give it twice. */
  addVersions(versions: readonly ModelVersion[]): void {
    for (let start = 0; start < versions.length; start += INSERT_ROWS) {
      const rows = versions.slice(start, start + INSERT_ROWS);
      const parameters: Parameter[] = [];
      for (const version of rows) {
        this.#versions += 1;
        parameters.push(
          this.#versions,
          key(version.name),
          numberOf(version.version),
          version.runId === undefined ? null : key(version.runId),
          JSON.stringify(version),
        );
      }
      const tuples = Array<string>(rows.length).fill('(?,?,?,?,?)').join(',');
      this.#scratch.run(`INSERT INTO versions VALUES ${tuples}`, parameters);
    }
    this.#untaken += versions.length;
    this.#cursor = undefined;
    if (this.#versions >= this.#taken.length * 8) {
      const grown = new Uint8Array(Math.max(this.#taken.length * 2, (this.#versions >> 3) + 1));
      grown.set(this.#taken);
      this.#taken = grown;
    }
  }

  /** All aliases of a model, in place of those it had. May come before or after its versions. */
  setAliases(modelName: string, aliases: readonly ModelAlias[]): void {
    const name = key(modelName);
    if (this.#hasAliases) this.#scratch.run('DELETE FROM aliases WHERE name = ?', [name]);
    for (const { alias, version } of aliases) {
      this.#scratch.run('INSERT OR IGNORE INTO aliases VALUES (?,?,?)', [name, version, alias]);
      this.#hasAliases = true;
    }
  }

  /** Versions, added or not, with the aliases that their models were given so far, sorted. */
  withAliases(versions: readonly ModelVersion[]): readonly ModelVersion[] {
    if (!this.#hasAliases || versions.length === 0) return versions;
    const names = new Set(versions.map(({ name }) => key(name)));
    const rows = this.#scratch.all(
      `SELECT name, version, alias FROM aliases WHERE name IN (SELECT value FROM json_each(?))`,
      [JSON.stringify([...names])],
    );
    const found = new Map<string, string[]>();
    for (const [name, version, alias] of rows) {
      const id = `${String(version)} ${String(name)}`;
      found.set(id, [...(found.get(id) ?? []), String(alias)]);
    }
    return versions.map((version) =>
      withAliases(version, found.get(`${version.version} ${key(version.name)}`) ?? []),
    );
  }

  /**
   * The versions that came from these runs and were not given yet, by run id. Runs without any are
   * left out. Versions are in the order of (name, number), their aliases filled in and sorted.
   */
  takeVersionsOfRuns(runIds: readonly string[]): Map<string, ModelVersion[]> {
    if (this.#untaken === 0) return new Map();
    return this.#versionsOfRuns(runIds, (id) => !this.#isTaken(id));
  }

  /** The same with those that were given before: what a run refers to must be all of them. */
  allVersionsOfRuns(runIds: readonly string[]): Map<string, ModelVersion[]> {
    return this.#versionsOfRuns(runIds, () => true);
  }

  /** Those of the versions named that were never added. */
  unknownVersions<V extends Pick<ModelVersion, 'name' | 'version'>>(named: readonly V[]): V[] {
    this.#index('versions_by_name', 'name, number');
    const list = named.map(({ name, version }) => [key(name), numberOf(version), version]);
    const known = this.#scratch.all(
      `SELECT j.key FROM json_each(?) AS j WHERE EXISTS (
         SELECT 1 FROM versions WHERE name = j.value ->> 0 AND number = j.value ->> 1
         AND content ->> 'version' = j.value ->> 2)`,
      [JSON.stringify(list)],
    );
    const places = new Set(known.map(([place]) => Number(place)));
    return named.filter((_, place) => !places.has(place));
  }

  /** The next `limit` versions that were not given yet, by (name, number); none when all were. */
  remainingVersions(limit: number): ModelVersion[] {
    if (this.#untaken === 0) return [];
    return this.#scratch
      .all(
        `SELECT id, content, ${this.#aliasColumn()} FROM versions
         WHERE id IN (SELECT value FROM json_each(?)) ORDER BY name, number, id`,
        [JSON.stringify(this.#nextUntaken(limit))],
      )
      .map((row) => this.#take(row));
  }

  /**
   * Keeps for each dataset name and source type the use by the run with the greatest (start time,
   * id), and the greatest digest where one run uses several.
   */
  addDatasetUses(uses: readonly DatasetUse[]): void {
    this.#datasets.add(uses);
  }

  /**
   * The next `limit` datasets after the one named, by name; none when that was the last. Their
   * uses are in ascending order of (start time, run id): the last one wins over all.
   */
  datasets(limit: number, afterName?: string): { name: string; uses: DatasetUse[] }[] {
    return this.#datasets.list(limit, afterName);
  }

  /** Frees memory and disk. Nothing may be called afterwards but `close` again. */
  close(): void {
    this.#scratch.close();
  }

  #versionsOfRuns(
    runIds: readonly string[],
    isWanted: (rowId: unknown) => boolean,
  ): Map<string, ModelVersion[]> {
    const found = new Map<string, ModelVersion[]>();
    if (this.#versions === 0 || runIds.length === 0) return found;
    this.#index('versions_by_run', 'run_id');
    const rows = this.#scratch.all(
      `SELECT id, content, ${this.#aliasColumn()} FROM versions
       WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY name, number, id`,
      [JSON.stringify(runIds.map(key))],
    );
    for (const row of rows) {
      if (!isWanted(row[0])) continue;
      const version = this.#take(row);
      if (version.runId === undefined) continue;
      const list = found.get(version.runId);
      if (list === undefined) found.set(version.runId, [version]);
      else list.push(version);
    }
    return found;
  }

  /** Row ids of the next versions that were not given. Reads keys only: most were given long ago. */
  #nextUntaken(limit: number): Parameter[] {
    this.#index('versions_by_name', 'name, number');
    const ids: Parameter[] = [];
    while (ids.length < limit) {
      const keys = this.#scratch.all(
        `SELECT id, name, number FROM versions
         ${this.#cursor === undefined ? '' : 'WHERE (name, number, id) > (?2, ?3, ?1)'}
         ORDER BY name, number, id LIMIT ${SCAN_ROWS}`,
        this.#cursor,
      );
      for (const row of keys) {
        this.#cursor = row;
        if (!this.#isTaken(row[0])) ids.push(row[0] ?? null);
        if (ids.length === limit) break;
      }
      if (keys.length < SCAN_ROWS) break;
    }
    return ids;
  }

  #isTaken(id: unknown): boolean {
    const bit = Number(id);
    return ((this.#taken[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }

  #take([id, content, aliasList]: Row): ModelVersion {
    if (!this.#isTaken(id)) {
      const bit = Number(id);
      this.#taken[bit >> 3] = (this.#taken[bit >> 3] ?? 0) | (1 << (bit & 7));
      this.#untaken -= 1;
    }
    const version = JSON.parse(String(content)) as ModelVersion;
    if (typeof aliasList !== 'string') return version;
    return withAliases(version, JSON.parse(aliasList) as string[]);
  }

  /** The list of a version's aliases as JSON; not even looked for while there are none at all. */
  #aliasColumn(): string {
    return this.#hasAliases
      ? `(SELECT json_group_array(alias) FROM aliases
          WHERE aliases.name = versions.name AND aliases.version = versions.content ->> 'version')`
      : 'NULL';
  }

  /** Made when first needed: sorting once is far cheaper than inserting at random places. */
  #index(name: string, columns: string): void {
    if (this.#indexes.has(name)) return;
    this.#scratch.run(`CREATE INDEX ${name} ON versions(${columns})`);
    this.#indexes.add(name);
  }
}

function withAliases(version: ModelVersion, aliases: readonly string[]): ModelVersion {
  if (aliases.length === 0) return version;
  return { ...version, aliases: [...new Set([...version.aliases, ...aliases])].sort() };
}

/** Versions are whole numbers as text; anything else comes first. */
function numberOf(version: string): number {
  const number = Number(version);
  return Number.isNaN(number) ? -1 : number;
}
