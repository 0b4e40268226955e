/**
 * The file that a pipeline's state is in: a SQLite database that one process has to itself.
 *
 * A transaction is whole or not there, whatever happens: a kill, a crash of the machine. The last
 * ones may be lost with the machine's power, which costs no more than sending something again.
 */

import { existsSync, statSync } from 'node:fs';
import type Libsql from 'libsql';
import { openSqlite } from '../core/sqlite.js';
import { damaged, notOurs, stateError, stateFailure } from './failures.js';
import { APPLICATION_ID, MIGRATIONS } from './migrations.js';

export type Parameter = string | number | null;

/** SQLite's memory for pages of the file, whatever the file's size. */
const CACHE_KIB = 8 * 1024;

/**
 * Pages of the log, 4 KiB each, after which it is worked into the file: what its indexes are made of
 * is scattered, so that a page of the source touches much of them, and the same again the next time.
 */
const LOG_PAGES = 8_000;

/** A larger file is checked only after a run that did not end by itself. */
const CHECKED_BYTES = 32 * 1024 * 1024;

/** How many rows a statement inserts: a few statements serve any number of rows. */
const INSERTED_ROWS = [50, 10, 1];

export interface OpenOptions {
  /** Whether a file that is not there is made. */
  readonly create: boolean;
  /** Nothing that is changed stays: for a dry run. */
  readonly discard?: boolean;
}

export class StateDatabase {
  readonly #statements = new Map<string, Libsql.Statement>();
  /** Set by an error of the disk: what SQLite would do next is not known. */
  #failure: unknown;

  private constructor(
    readonly path: string,
    private readonly database: Libsql.Database,
    private readonly discards: boolean,
  ) {}

  /**
   * @throws PipelineError `STATE_NOT_FOUND`, `NOT_A_STATE_FILE`, `STATE_NEWER` (usage);
   * `STATE_LOCKED`, `STATE_DAMAGED`, `STATE_UNWRITABLE` (unavailable)
   */
  static open(path: string, { create, discard = false }: OpenOptions): StateDatabase {
    const isThere = existsSync(path);
    if (!isThere && !create) {
      throw stateError(
        path,
        'STATE_NOT_FOUND',
        'usage',
        'is not there: check the path; the first run with state makes it',
      );
    }
    let database: Libsql.Database | undefined;
    try {
      // A dry run leaves no file behind where there was none.
      database = openSqlite(discard && !isThere ? ':memory:' : path);
      const opened = new StateDatabase(path, database, discard);
      opened.#begin(isThere && !discard);
      return opened;
    } catch (error) {
      if (database?.open === true) release(database);
      throw stateFailure(error, path);
    }
  }

  /**
   * All of its statements take effect, or none. They must not wait for anything.
   *
   * A kill undoes nothing of it; a power cut may undo the last ones that are not `durable`.
   */
  transaction(work: () => void, { durable = false } = {}): void {
    this.#throwIfUnusable();
    try {
      if (!this.discards && durable) this.#pragma('synchronous=FULL');
      if (!this.discards) this.database.exec('BEGIN IMMEDIATE');
      work();
      if (!this.discards) this.database.exec('COMMIT');
      if (!this.discards && durable) this.#pragma('synchronous=NORMAL');
    } catch (error) {
      this.#failure = error;
      if (!this.discards && this.database.inTransaction) this.#rollback();
      throw stateFailure(error, this.path);
    }
  }

  run(sql: string, ...parameters: readonly Parameter[]): void {
    this.#throwIfUnusable();
    this.#prepare(sql).run([...parameters]);
  }

  /**
   * Inserts rows, many with a call. In a transaction.
   *
   * @param into - what follows INSERT INTO, up to the values
   * @param conflict - what follows the values
   */
  insert(into: string, rows: readonly (readonly Parameter[])[], conflict = ''): void {
    const row = `(${(rows[0] ?? []).map(() => '?').join()})`;
    let start = 0;
    for (const size of INSERTED_ROWS) {
      if (start + size > rows.length) continue;
      const sql = `INSERT INTO ${into} VALUES ${Array<string>(size).fill(row).join()} ${conflict}`;
      for (; start + size <= rows.length; start += size) {
        this.run(
          sql,
          ...rows
            .slice(start, start + size)
            .flat()
            .map(bindable),
        );
      }
    }
  }

  /**
   * The rows of a query, each a list of its columns. They come as one JSON text, which is far faster
   * than rows one by one.
   *
   * @param columns - SQL expressions
   * @param from - what follows FROM
   */
  select<Row extends readonly unknown[]>(
    columns: readonly string[],
    from: string,
    ...parameters: readonly Parameter[]
  ): Row[] {
    this.#throwIfUnusable();
    const sql = `SELECT json_group_array(json_array(${columns.join(', ')})) FROM ${from}`;
    try {
      const [row] = this.#prepare(sql)
        .raw()
        .all([...parameters]) as [string][];
      return JSON.parse(row?.[0] ?? '[]') as Row[];
    } catch (error) {
      throw error instanceof SyntaxError
        ? damaged(this.path, error)
        : stateFailure(error, this.path);
    }
  }

  /** May be called again; nothing else may be. */
  close(): void {
    if (!this.database.open) return;
    try {
      if (this.discards) this.database.exec('ROLLBACK');
      else if (this.#failure === undefined) this.#markClosed(true);
    } finally {
      this.#statements.clear();
      release(this.database);
    }
  }

  /** A page may come in when the run is over, and libsql ends the process where a file is closed. */
  #throwIfUnusable(): void {
    if (this.#failure !== undefined) throw stateFailure(this.#failure, this.path);
    if (this.database.open) return;
    throw stateError(this.path, 'STATE_CLOSED', 'unavailable', 'is closed: the run is over');
  }

  #begin(check: boolean): void {
    const { database, path } = this;
    database.exec('PRAGMA busy_timeout=200');
    // Held until the file is closed, and let go of by the system when the process dies.
    this.#pragma('locking_mode=EXCLUSIVE');
    const applicationId = this.#number('PRAGMA application_id');
    const version = this.#number('PRAGMA user_version');
    const tables = this.#number('SELECT count(*) FROM sqlite_master');
    if (applicationId !== APPLICATION_ID && (tables > 0 || version > 0)) throw notOurs(path);
    if (version > MIGRATIONS.length) {
      throw stateError(
        path,
        'STATE_NEWER',
        'usage',
        `was written by a newer mlflow-datahub (its version is ${version}, this one knows up to ${MIGRATIONS.length}): upgrade, or give another file`,
      );
    }
    if (!this.discards) this.#pragma('journal_mode=WAL');
    this.#pragma('synchronous=NORMAL');
    this.#pragma(`wal_autocheckpoint=${LOG_PAGES}`);
    this.#pragma(`cache_size=-${CACHE_KIB}`);
    this.#pragma('temp_store=FILE');
    database.exec('BEGIN EXCLUSIVE');
    if (tables > 0 && check) this.#check();
    for (const [index, step] of MIGRATIONS.entries()) if (index >= version) database.exec(step);
    database.exec(`PRAGMA application_id=${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version=${MIGRATIONS.length}`);
    if (this.discards) return; // all that follows is part of this transaction
    database.exec('COMMIT');
    this.#markClosed(false);
  }

  /** SQLite itself finds a file that is too short; this finds what is wrong inside. */
  #check(): void {
    const [closed] = this.select<[string]>(['value'], `facts WHERE name = 'closed'`);
    if (closed?.[0] === '1' && statSync(this.path).size > CHECKED_BYTES) return;
    const [[found] = ['ok']] = this.database
      .prepare('PRAGMA quick_check(1)')
      .raw()
      .all() as string[][];
    if (found !== 'ok') throw damaged(this.path, new Error(found));
  }

  #markClosed(closed: boolean): void {
    this.transaction(() => {
      this.run(`INSERT OR REPLACE INTO facts VALUES ('closed', ?)`, closed ? '1' : '0');
    });
  }

  #rollback(): void {
    try {
      this.database.exec('ROLLBACK');
    } catch {
      // SQLite rolled back by itself, or can't: either way the failure is what is told.
    }
  }

  #pragma(setting: string): void {
    this.database.prepare(`PRAGMA ${setting}`).all();
  }

  #number(sql: string): number {
    const [row] = this.database.prepare(sql).raw().all() as [number][];
    return Number(row?.[0]);
  }

  #prepare(sql: string): Libsql.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Sources of one's own may give anything, and libsql ends the process where it can't bind a value. */
function bindable(value: unknown): Parameter {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean' || value instanceof Date) return Number(value);
  return typeof value === 'object' ? JSON.stringify(value) : null;
}

/**
 * Closes it so that it can be opened again at once. libsql lets go of the lock only when garbage is
 * collected, but for a database that is in no mode to keep it; and without its log it is one file.
 */
function release(database: Libsql.Database): void {
  try {
    if (database.inTransaction) database.exec('ROLLBACK');
    for (const setting of ['journal_mode=DELETE', 'locking_mode=NORMAL']) {
      database.prepare(`PRAGMA ${setting}`).all();
    }
    database.prepare('SELECT count(*) FROM sqlite_master').all();
  } catch {
    // It is damaged, or another process has it: there is nothing to let go of.
  }
  database.close();
}
