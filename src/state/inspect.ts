/**
 * Looking into a state file, and doing away with it: `state show`, `state reset`.
 */

import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { PipelineError } from '../core/errors.js';
import { DEFAULT_WORKSPACE } from '../mlflow/workspace.js';
import { notOurs, stateFailure } from './failures.js';
import { APPLICATION_ID, MIGRATIONS } from './migrations.js';
import type { StateFacts, SweepFacts } from './options.js';
import { StateDatabase } from './state-database.js';
import { listSweeps } from './sweeps.js';
import { fromKey } from './text-key.js';

const SHOWN_SWEEPS = 10;

/**
 * Reads what a state file holds, and changes nothing.
 *
 * @throws PipelineError `STATE_NOT_FOUND`, `NOT_A_STATE_FILE`, `STATE_NEWER` (usage);
 * `STATE_LOCKED`, `STATE_DAMAGED`, `STATE_UNWRITABLE` (unavailable)
 */
export function inspectState(path: string): StateFacts {
  const database = StateDatabase.open(path, { create: false, discard: true });
  try {
    const count = (from: string): number =>
      database.select<readonly [number]>(['n'], `(SELECT count(*) AS n FROM ${from})`)[0]?.[0] ?? 0;
    const [pipeline] = database.select<readonly [string]>(
      ['value'],
      `facts WHERE name = 'pipeline'`,
    );
    const types = database.select<readonly [string, number]>(
      ['type', 'n'],
      `(SELECT substr(urn, 8, instr(substr(urn, 8), ':') - 1) AS type, count(*) AS n
        FROM entities WHERE removed <> 1 GROUP BY type ORDER BY type)`,
    );
    const sinks = database.select<readonly [string, number, number | null]>(
      ['label', 'n', 'last_full_sweep'],
      `(SELECT s.label, s.last_full_sweep, (SELECT count(*) FROM entities AS e
          WHERE json_extract(e.sent, '$."' || s.id || '"') IS NOT NULL) AS n
        FROM sinks AS s ORDER BY s.label)`,
    );
    return {
      path,
      bytes: statSync(path).size,
      schemaVersion: MIGRATIONS.length,
      pipeline: pipeline === undefined ? '' : fromKey(pipeline[0]),
      sweeps: listSweeps(database, SHOWN_SWEEPS).map(sweepFacts),
      entities: Object.fromEntries(types),
      removed: count('entities WHERE removed = 1'),
      openRuns: count('records WHERE open = 1'),
      sinks: sinks.map(([label, entities, lastFullSweep]) => ({
        sink: fromKey(label),
        entities,
        ...(lastFullSweep === null ? {} : { lastFullSweep }),
      })),
    };
  } finally {
    database.close();
  }
}

/**
 * Deletes a state file, a damaged one too. The next run with it sends everything, and takes nothing
 * for removed.
 *
 * @throws PipelineError `STATE_NOT_FOUND`, `NOT_A_STATE_FILE` (usage); `STATE_LOCKED`,
 * `STATE_UNWRITABLE` (unavailable)
 */
export function resetState(path: string): void {
  try {
    StateDatabase.open(path, { create: false, discard: true }).close();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const canGo = error.code === 'STATE_DAMAGED' || error.code === 'STATE_NEWER';
    // A file of ours whose beginning is destroyed is told from anything else by the mark in it.
    if (!canGo) throw error;
    if (!isMarked(path)) throw notOurs(path);
  }
  try {
    for (const suffix of ['-wal', '-shm', '-journal', ''])
      rmSync(`${path}${suffix}`, { force: true });
  } catch (error) {
    throw stateFailure(error, path);
  }
}

function sweepFacts(row: ReturnType<typeof listSweeps>[number]): SweepFacts {
  const { number, kind, started, completed, since, workspaces } = row;
  const isDefault = workspaces.length === 1 && workspaces[0] === DEFAULT_WORKSPACE;
  return {
    sweep: number,
    kind,
    startedAt: new Date(started).toISOString(),
    ...(completed === undefined ? {} : { completedAt: new Date(completed).toISOString() }),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(isDefault ? {} : { workspaces }),
  };
}

/** SQLite keeps the application's mark at this place of the file, highest byte first. */
const MARK_OFFSET = 68;

function isMarked(path: string): boolean {
  const bytes = Buffer.alloc(4);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, bytes, 0, 4, MARK_OFFSET);
  } finally {
    closeSync(descriptor);
  }
  return bytes.readUInt32BE() === APPLICATION_ID;
}
