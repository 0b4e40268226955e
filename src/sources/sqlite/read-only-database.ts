/**
 * A SQLite database that can only be read, in short reads that never hold up who writes to it.
 */

import { accessSync, constants, statSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type Libsql from 'libsql';
import { openSqlite } from '../../core/sqlite.js';
import { messageOf, PipelineError } from '../../core/errors.js';
import type { RunContext } from '../../stream/contracts.js';
import { databaseFailure } from './failures.js';

/** A value as JSON has it. A BLOB comes as a list that holds its hexadecimal text. */
export type Cell = string | number | null | readonly [string];
export type Row = readonly Cell[];
/** Bytes stand for the text that they encode: libsql ends a text at its first NUL. */
export type Parameter = string | number | Uint8Array;

/** Gives all rows of a query made by `select`. */
export type Query = (sql: string, parameters?: readonly Parameter[]) => readonly Row[];

/** How long SQLite itself waits for a lock, milliseconds: nothing else can happen meanwhile. */
const BUSY_TIMEOUT_MS = 20;
const MIN_WAIT_MS = 50;
const MAX_WAIT_MS = 1000;

export class ReadOnlyDatabase {
  readonly #database: Libsql.Database;
  readonly #path: string;
  readonly #lockTimeoutMs: number;
  readonly #context: RunContext;
  readonly #statements = new Map<string, Libsql.Statement>();
  readonly #query: Query = (sql, parameters = []) => this.#rows(sql, parameters);

  private constructor(
    database: Libsql.Database,
    path: string,
    lockTimeoutMs: number,
    context: RunContext,
  ) {
    this.#database = database;
    this.#path = path;
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#context = context;
  }

  /** @throws PipelineError when there is no such file or it can't be opened */
  static open(path: string, lockTimeoutMs: number, context: RunContext): ReadOnlyDatabase {
    checkFile(path);
    try {
      // libsql ignores the options `readonly` and `fileMustExist`; SQLite obeys `mode=ro`.
      const database = openSqlite(`${pathToFileURL(path).href}?mode=ro`);
      database.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}`);
      database.exec('PRAGMA query_only=ON');
      database.exec('PRAGMA trusted_schema=OFF');
      return new ReadOnlyDatabase(database, path, lockTimeoutMs, context);
    } catch (error) {
      throw databaseFailure(error, path);
    }
  }

  /**
   * Calls `work` once it has the read lock, in a transaction of its own: all its queries see the
   * same state. It must not wait for anything, so that nobody has to wait for it.
   *
   * @throws PipelineError; `SOURCE_LOCKED` after `lockTimeoutMs`
   */
  async read<T>(work: (query: Query) => T): Promise<T> {
    const { signal, recorder } = this.#context;
    const deadline = Date.now() + this.#lockTimeoutMs;
    // Pages follow each other without any waiting: lets signals and timers have their turn.
    await nextTurn();
    for (let waitMs = MIN_WAIT_MS; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      signal.throwIfAborted();
      try {
        return this.#transaction(work);
      } catch (error) {
        const failure = databaseFailure(error, this.#path);
        if (!isRetryable(failure) || Date.now() + waitMs > deadline) throw failure;
      }
      recorder.retries += 1;
      await wait(waitMs * (0.5 + Math.random() / 2), signal);
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.open) this.#database.close();
  }

  #transaction<T>(work: (query: Query) => T): T {
    this.#database.exec('BEGIN');
    try {
      // Takes the lock, and is the only statement that can find it taken. libsql leaves such a
      // statement half-way, where it holds the lock for good once anyone gets it, until the very
      // same statement is run again: as the next transaction does.
      this.#statement('SELECT count(*) FROM sqlite_master').all([]);
      return work(this.#query);
    } finally {
      // There is nothing to roll back: this only lets go of the lock, also after an error.
      this.#database.exec('COMMIT');
    }
  }

  #rows(sql: string, parameters: readonly Parameter[]): readonly Row[] {
    const [row] = this.#statement(sql).all([...parameters]) as [unknown][];
    const cell = row?.[0];
    const bytes = cell instanceof ArrayBuffer ? Buffer.from(cell) : (cell as Buffer);
    return JSON.parse(bytes.toString('utf8')) as Row[];
  }

  #statement(sql: string): Libsql.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql).raw();
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** A column of a `select` that holds a floating-point number, with all its digits. */
export interface Real {
  readonly real: string;
}

/**
 * A query whose rows come as one JSON text, cast to bytes. That is faster than rows one by one,
 * and safe: libsql ends a text at its first NUL, and a text that is not UTF-8 crashes the process.
 * Here the one arrives whole, and what is not UTF-8 arrives as U+FFFD.
 *
 * @param columns - SQL expressions
 * @param from - what follows FROM
 */
export function select(columns: readonly (string | Real)[], from: string): string {
  const cells = columns.map((column) =>
    typeof column === 'string'
      ? // JSON has no BLOBs, and SQLite fails on one.
        `iif(typeof(${column}) = 'blob', json_array(hex(${column})), ${column})`
      : `CASE typeof(${column.real})
         WHEN 'real' THEN printf('%!.17g', ${column.real})
         WHEN 'integer' THEN ${column.real}
         WHEN 'null' THEN NULL
         ELSE json_array(hex(${column.real})) END`,
  );
  return `SELECT CAST(json_group_array(json_array(${cells.join(', ')})) AS BLOB) FROM ${from}`;
}

/** The number in a cell that a `Real` was selected for; anything else as it is. */
export function realOf(cell: Cell | undefined): Cell | undefined {
  if (typeof cell !== 'string') return cell;
  return cell === 'Inf' ? Infinity : cell === '-Inf' ? -Infinity : Number(cell);
}

/** Says what is wrong in words where SQLite has but one code for all of it. */
function checkFile(path: string): void {
  const failure = (text: string, cause?: unknown): PipelineError =>
    new PipelineError(`${path} ${text}`, {
      code: 'SOURCE_NOT_FOUND',
      category: 'unavailable',
      cause,
    });
  try {
    if (statSync(path).isDirectory()) {
      throw failure('is a folder: give the database file, such as mlflow.db in it');
    }
    accessSync(path, constants.R_OK);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw failure(
        'does not exist: check the path; in a URI an absolute one has four slashes, ' +
          'sqlite:////data/mlflow.db',
        error,
      );
    }
    throw failure(`can't be read: ${messageOf(error)}`, error);
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof PipelineError && error.retryable;
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
