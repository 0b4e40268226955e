/**
 * Sweeps: which one a run of the pipeline is part of, and what of the store it reads.
 */

import { forgetMetExperiments, keepNeededRuns } from './met-experiments.js';
import type { StateSettings, SweepKind } from './options.js';
import type { StateDatabase } from './state-database.js';
import { fromKey, toKey } from './text-key.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Past sweeps that are kept to be shown. */
const KEPT_SWEEPS = 100;

/** What a run is to be about. */
export interface SweepRequest {
  /** Labels of the sinks. */
  readonly sinks: readonly string[];
  /** Kinds of records that are read. */
  readonly kinds: readonly string[];
  /** Names of the workspaces that are read. */
  readonly workspaces: readonly string[];
  /**
   * What is left out of all that, and what is read beside it, as text: of sweeps with another one,
   * nothing is known of the rest.
   */
  readonly filters: string;
  /** Whether an unfinished sweep is left where it is. */
  readonly fresh: boolean;
  /** Whether everything is read and sent. */
  readonly full: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Sweep {
  readonly number: number;
  readonly kind: SweepKind;
  /** Of a lookback: the earliest start of the runs that are read, milliseconds since 1970. */
  readonly since?: number;
  readonly resumed: boolean;
  /** The full sweep that it is, or that it goes back to. */
  readonly generation: number;
}

interface SweepRow {
  readonly number: number;
  readonly kind: SweepKind;
  readonly since: number | undefined;
  readonly sendAll: boolean;
  readonly kinds: readonly string[];
  readonly workspaces: readonly string[];
  readonly filters: string;
  readonly sinks: readonly string[];
  readonly started: number;
  readonly completed: number | undefined;
}

/**
 * Goes on with a sweep that broke off, or begins one. It is a lookback only where one is wanted and
 * everything was read by a full sweep that is not too long ago, for every sink. In a transaction.
 */
export function beginSweep(
  database: StateDatabase,
  settings: StateSettings,
  request: SweepRequest,
): Sweep {
  const sweeps = listSweeps(database, KEPT_SWEEPS);
  const lastFull = sweeps.find(({ kind, completed }) => kind === 'full' && completed !== undefined);
  const [last] = sweeps;
  if (last !== undefined && canGoOn(last, request)) {
    return {
      number: last.number,
      kind: last.kind,
      ...(last.since === undefined ? {} : { since: last.since }),
      resumed: true,
      generation: last.kind === 'full' ? last.number : (lastFull?.number ?? 0),
    };
  }
  const number = (last?.number ?? 0) + 1;
  const since = sinceOf(database, sweeps, lastFull, settings, request);
  database.run('DELETE FROM positions');
  keepNeededRuns(database);
  database.run('UPDATE entities SET removed = 0 WHERE removed = 2');
  if (request.full) {
    database.run(`UPDATE entities SET sent = '{}' WHERE removed = 0`);
    database.run('UPDATE records SET input = NULL');
  }
  database.run(
    'INSERT INTO sweeps VALUES (?, ?, ?, ?, ?, ?, 0, ?, NULL, ?, ?)',
    number,
    since === undefined ? 'full' : 'lookback',
    since ?? null,
    request.full ? 1 : 0,
    JSON.stringify([...request.kinds].sort()),
    JSON.stringify(request.sinks.map(toKey)),
    request.now,
    JSON.stringify([...request.workspaces].sort()),
    toKey(request.filters),
  );
  return since === undefined
    ? { number, kind: 'full', resumed: false, generation: number }
    : { number, kind: 'lookback', since, resumed: false, generation: lastFull?.number ?? 0 };
}

/**
 * Notes of workspaces that were not read to their end that the sweep was not about them: then no
 * lookback takes them for read. In a transaction.
 */
export function leaveOut(
  database: StateDatabase,
  { number }: Sweep,
  lost: ReadonlySet<string>,
): void {
  if (lost.size === 0) return;
  const row = listSweeps(database, 1).find((each) => each.number === number);
  const kept = row?.workspaces.filter((name) => !lost.has(name)) ?? [];
  const sql = 'UPDATE sweeps SET workspaces = ? WHERE sweep = ?';
  database.run(sql, JSON.stringify(kept), number);
}

/** In a transaction, after everything was delivered and the sinks were closed. */
export function completeSweep(database: StateDatabase, { number, kind }: Sweep, now: number): void {
  database.run('UPDATE sweeps SET completed = ? WHERE sweep = ?', now, number);
  database.run('DELETE FROM sweeps WHERE sweep <= ?', number - KEPT_SWEEPS);
  database.run('DELETE FROM positions');
  forgetMetExperiments(database);
  if (kind !== 'full') return;
  database.run('DELETE FROM dataset_uses WHERE generation <> ?', number);
  // Gone or hidden from now on: asking for them by id each time would find nothing.
  database.run('UPDATE records SET open = 0 WHERE open = 1 AND found < ?', number);
}

/** The last sweeps, newest first. */
export function listSweeps(database: StateDatabase, limit: number): SweepRow[] {
  return database
    .select<
      readonly [
        ...[number, SweepKind, since: number | null, sendAll: number],
        ...[kinds: string, workspaces: string, filters: string, sinks: string],
        ...[started: number, completed: number | null],
      ]
    >(
      [
        'sweep',
        'kind',
        'since',
        'send_all',
        'kinds',
        'workspaces',
        'filters',
        'sinks',
        'started',
        'completed',
      ],
      '(SELECT * FROM sweeps ORDER BY sweep DESC LIMIT ?)',
      limit,
    )
    .map(
      ([number, kind, since, sendAll, kinds, workspaces, filters, sinks, started, completed]) => ({
        number,
        kind,
        since: since ?? undefined,
        sendAll: sendAll === 1,
        kinds: JSON.parse(kinds) as string[],
        workspaces: JSON.parse(workspaces) as string[],
        filters: fromKey(filters),
        sinks: (JSON.parse(sinks) as string[]).map(fromKey),
        started,
        completed: completed ?? undefined,
      }),
    );
}

function canGoOn(last: SweepRow, request: SweepRequest): boolean {
  const { sinks, kinds, workspaces, filters, fresh, full } = request;
  if (fresh || last.completed !== undefined) return false;
  // A sink that was no part of it would miss what was delivered before it broke off.
  if (sinks.some((sink) => !last.sinks.includes(sink))) return false;
  if ([...kinds].sort().join() !== last.kinds.join()) return false;
  if ([...workspaces].sort().join() !== last.workspaces.join()) return false;
  // What was left out before it broke off would not be read any more.
  if (filters !== last.filters) return false;
  return last.sendAll || !full;
}

/** Undefined where everything has to be read. */
function sinceOf(
  database: StateDatabase,
  sweeps: readonly SweepRow[],
  lastFull: SweepRow | undefined,
  { lookbackDays, fullSweepEveryDays, fullSweepEverySweeps }: StateSettings,
  { sinks, kinds, workspaces, filters, full, now }: SweepRequest,
): number | undefined {
  const last = sweeps.find(({ completed }) => completed !== undefined);
  if (lookbackDays === undefined || full || last === undefined || lastFull === undefined) {
    return undefined;
  }
  if (now - lastFull.started >= fullSweepEveryDays * DAY_MS) return undefined;
  const lookbacks = sweeps.filter(
    ({ number, completed }) => number > lastFull.number && completed !== undefined,
  ).length;
  if (fullSweepEverySweeps !== undefined && lookbacks >= fullSweepEverySweeps) return undefined;
  // Of a kind that was left out for a while nothing is known of what came into being meanwhile.
  if (kinds.some((kind) => !lastFull.kinds.includes(kind) || !last.kinds.includes(kind))) {
    return undefined;
  }
  // With other filters, what is there now may be as old as can be.
  if (filters !== lastFull.filters) return undefined;
  // Of a workspace that was left out for a while nothing is known of what came into it meanwhile.
  if (workspaces.some((name) => !last.workspaces.includes(name))) return undefined;
  // A sink that was left out for a while has missed what was sent meanwhile.
  const upToDate = new Set(
    database
      .select<readonly [string]>(
        ['label'],
        'sinks WHERE last_sweep = ? AND last_full_sweep IS NOT NULL',
        last.number,
      )
      .map(([label]) => fromKey(label)),
  );
  if (sinks.some((sink) => !upToDate.has(sink))) return undefined;
  return last.started - lookbackDays * DAY_MS;
}
