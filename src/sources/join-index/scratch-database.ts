/**
 * A database in the folder for temporary files that is gone when it is closed.
 *
 * Everything happens in one transaction that is never committed: nothing is written before the
 * page cache is full, so little content never touches the disk and much of it spills.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type Libsql from 'libsql';
import { openSqlite } from '../../core/sqlite.js';
import { messageOf, PipelineError } from '../../core/errors.js';

const CACHE_KIB = 4 * 1024;

export type Parameter = string | number | null;
export type Row = readonly Parameter[];

/** Every method throws a `PipelineError` with code `SCRATCH_UNAVAILABLE` where the disk fails. */
export class ScratchDatabase {
  readonly #database: Libsql.Database;
  readonly #folder: string;
  readonly #statements = new Map<string, Libsql.Statement>();

  private constructor(database: Libsql.Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
  }

  /** @param parent Where the file goes; the folder for temporary files unless given. */
  static open(schema: string, parent: string = tmpdir()): ScratchDatabase {
    let folder: string | undefined;
    try {
      // A file, for libsql keeps all of `:memory:` and of the nameless database in memory.
      folder = mkdtempSync(join(parent, 'mlflow-datahub-'));
      const database = openSqlite(join(folder, 'scratch.db'));
      for (const setting of [
        'journal_mode=OFF',
        'synchronous=OFF',
        'locking_mode=EXCLUSIVE',
        'temp_store=FILE',
        `cache_size=-${CACHE_KIB}`,
      ]) {
        database.prepare(`PRAGMA ${setting}`).all();
      }
      database.exec('BEGIN EXCLUSIVE');
      database.exec(schema);
      // Unlinked while open where the platform allows it: then even a crash leaves nothing behind.
      removeFolder(folder);
      return new ScratchDatabase(database, folder);
    } catch (error) {
      if (folder !== undefined) removeFolder(folder);
      throw scratchError(error, parent);
    }
  }

  run(sql: string, parameters: Row = []): void {
    try {
      this.#prepare(sql).run([...parameters]);
    } catch (error) {
      throw scratchError(error, dirname(this.#folder));
    }
  }

  all(sql: string, parameters: Row = []): Row[] {
    try {
      return this.#prepare(sql)
        .raw()
        .all([...parameters]) as Row[];
    } catch (error) {
      throw scratchError(error, dirname(this.#folder));
    }
  }

  /** May be called again; nothing else may be. */
  close(): void {
    this.#statements.clear();
    if (this.#database.open) this.#database.close();
    removeFolder(this.#folder);
  }

  #prepare(sql: string): Libsql.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** A text as a key. libsql ends a text at its first NUL: two keys would become one. */
export function key(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\u0001\u0001') : text;
}

function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Windows refuses while the file is open; `close` tries again, and nothing depends on it.
  }
}

function scratchError(error: unknown, place: string): PipelineError {
  return new PipelineError(
    `The scratch file in ${place} can't be written: ${messageOf(error)}. Free some space there, or set TMPDIR to a folder with room.`,
    { code: 'SCRATCH_UNAVAILABLE', category: 'unavailable', cause: error },
  );
}
