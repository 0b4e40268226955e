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
import type { Ask, Reading, Row, SqlDatabase } from '../sql/query.js';
import { sqliteDialect } from './dialect.js';
import { databaseFailure } from './failures.js';

/** How long SQLite itself waits for a lock, milliseconds: nothing else can happen meanwhile. */
const BUSY_TIMEOUT_MS = 20;
const MIN_WAIT_MS = 50;
const MAX_WAIT_MS = 1000;

export class ReadOnlyDatabase implements SqlDatabase {
  readonly dialect = sqliteDialect;
  readonly #database: Libsql.Database;
  readonly #path: string;
  readonly #lockTimeoutMs: number;
  readonly #context: RunContext;
  readonly #statements = new Map<string, Libsql.Statement>();

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
   * Does a reading once it has the read lock, in a transaction of its own: all its queries see the
   * same state. Nothing is waited for meanwhile, so that nobody has to wait for it.
   *
   * @throws PipelineError; `SOURCE_LOCKED` after `lockTimeoutMs`
   */
  async read<T>(reading: () => Reading<T>): Promise<T> {
    const { signal, recorder } = this.#context;
    const deadline = Date.now() + this.#lockTimeoutMs;
    // Pages follow each other without any waiting: lets signals and timers have their turn.
    await nextTurn();
    for (let waitMs = MIN_WAIT_MS; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      signal.throwIfAborted();
      try {
        return this.#transaction(reading);
      } catch (error) {
        const failure = databaseFailure(error, this.#path);
        if (!isRetryable(failure) || Date.now() + waitMs > deadline) throw failure;
      }
      recorder.retries += 1;
      await wait(waitMs * (0.5 + Math.random() / 2), signal);
    }
  }

  close(): Promise<void> {
    this.#statements.clear();
    if (this.#database.open) this.#database.close();
    return Promise.resolve();
  }

  #transaction<T>(reading: () => Reading<T>): T {
    this.#database.exec('BEGIN');
    try {
      // Takes the lock, and is the only statement that can find it taken. libsql leaves such a
      // statement half-way, where it holds the lock for good once anyone gets it, until the very
      // same statement is run again: as the next transaction does.
      this.#statement('SELECT count(*) FROM sqlite_master').all([]);
      const steps = reading();
      let step = steps.next();
      while (step.done !== true) step = steps.next(this.#rows(step.value));
      return step.value;
    } finally {
      // There is nothing to roll back: this only lets go of the lock, also after an error.
      this.#database.exec('COMMIT');
    }
  }

  #rows({ sql, parameters }: Ask): readonly Row[] {
    const [row] = this.#statement(sql).all(parameters) as [unknown][];
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
