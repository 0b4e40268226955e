/**
 * SQLite, loaded when the first database is opened: many a run opens none.
 */

import { createRequire } from 'node:module';
import type Libsql from 'libsql';

const requireHere = createRequire(import.meta.url);

/** As `new Libsql(path)`. */
export function openSqlite(path: string): Libsql.Database {
  const Database = requireHere('libsql') as typeof Libsql;
  return new Database(path);
}
