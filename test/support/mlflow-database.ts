/**
 * Databases made by real MLflow, and copies of them that a test may change.
 */

import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Libsql from 'libsql';
import { onTestFinished } from 'vitest';

/** The MLflow versions that there is a readable database of. */
export const MLFLOW_VERSIONS = ['1.28.0', '2.22.5', '3.17.2'] as const;
export type MlflowVersion = (typeof MLFLOW_VERSIONS)[number];

/** A database as MLflow left it. Never written to: make a copy for that. */
export function databaseOf(version: MlflowVersion | '1.27.0'): string {
  return fileURLToPath(new URL(`../fixtures/stores/mlflow-${version}.db`, import.meta.url));
}

/** A folder that is gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlflow-database-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A copy of such a database, gone when the test ends. */
export function copyOf(version: MlflowVersion | '1.27.0', name = 'mlflow.db'): string {
  const path = join(temporaryFolder(), name);
  copyFileSync(databaseOf(version), path);
  chmodSync(path, 0o644);
  return path;
}

/** A connection that writes, as MLflow's own does; without foreign keys, to make what is awkward. */
export function writerOf(path: string): Libsql.Database {
  const database = new Libsql(path);
  database.exec('PRAGMA foreign_keys=OFF');
  onTestFinished(() => {
    if (database.open) database.close();
  });
  return database;
}

/** Changes a database. */
export function change(path: string, ...statements: readonly string[]): void {
  const writer = writerOf(path);
  for (const sql of statements) writer.exec(sql);
  writer.close();
}

/** The first column of a query's first row. */
export function valueOf(path: string, sql: string): unknown {
  const reader = new Libsql(path);
  try {
    return (reader.prepare(sql).raw().all([]) as unknown[][])[0]?.[0];
  } finally {
    reader.close();
  }
}
