/**
 * The state of a pipeline during one run: what is remembered of earlier runs, and what is noted of
 * this one, always page by page and only after every sink has confirmed the page.
 */

import type { JsonValue, Proposal } from '../datahub/proposal.js';
import type { RecordKey } from '../mlflow/record-key.js';
import { DEFAULT_WORKSPACE } from '../mlflow/workspace.js';
import { saveDatasetUses } from './dataset-memory.js';
import { Entities } from './entities.js';
import { damaged, stateError } from './failures.js';
import type { StateSettings } from './options.js';
import { PageDelivery } from './page-delivery.js';
import { readMemory } from './read-memory.js';
import {
  forgetRecords,
  hasOnlyDefault,
  leaveOutRecords,
  saveRecords,
  touchRecords,
  unchangedRecords,
} from './records.js';
import {
  type CandidatePage,
  countRemovable,
  forgetGoing,
  goingEntities,
  markGoing,
  type NumberedEntity,
  staleCandidates,
} from './stale.js';
import { StateDatabase } from './state-database.js';
import { beginSweep, completeSweep, leaveOut, type Sweep, type SweepRequest } from './sweeps.js';
import { fromKey, toKey } from './text-key.js';

/** What the state notes of a page beside what its sinks confirmed. */
export interface DeliveredPage {
  /** As the source gave them. */
  readonly read: readonly unknown[];
  /** Those of them that were mapped. */
  readonly records: readonly unknown[];
  /** By key, what their mapping depended on; without those that were not delivered whole. */
  readonly inputs: ReadonlyMap<RecordKey, string>;
  readonly unchanged?: readonly RecordKey[];
  readonly leftOut?: readonly RecordKey[];
  readonly position?: { readonly lane: string; readonly value: string };
  /** Records that were rejected since the last page was noted. */
  readonly rejected: number;
  /** Where each sink goes on, by label; null where it has nothing to go on with. */
  readonly sinkPositions: ReadonlyMap<string, JsonValue>;
}

export interface StateRequest extends SweepRequest {
  /** What the pipeline reads, without credentials. */
  readonly pipeline: string;
}

export class PipelineState {
  readonly #entities: Entities;
  readonly #sinks = new Map<string, { readonly id: number; readonly position?: JsonValue }>();

  private constructor(
    private readonly database: StateDatabase,
    private readonly settings: StateSettings,
    readonly sweep: Sweep,
  ) {
    this.#entities = new Entities(database);
  }

  /**
   * Opens the file, makes it where there is none, and goes on with its last sweep or begins one.
   *
   * @param discard - nothing that is noted stays: for a dry run
   * @throws PipelineError `STATE_OF_ANOTHER` (usage) where it is another pipeline's, and
   * `STATE_WITHOUT_WORKSPACE` (usage) where its ids have none and those of this run do; those of
   * `StateDatabase.open`
   */
  static open(settings: StateSettings, request: StateRequest, discard: boolean): PipelineState {
    const database = StateDatabase.open(settings.path, { create: true, discard });
    try {
      let sweep: Sweep | undefined;
      database.transaction(() => {
        claim(database, request.pipeline);
        refuseOtherIds(database, request.workspaces);
        sweep = beginSweep(database, settings, request);
      });
      if (sweep === undefined) throw damaged(settings.path);
      const state = new PipelineState(database, settings, sweep);
      for (const label of request.sinks) state.#addSink(label, request.full && !sweep.resumed);
      return state;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get path(): string {
    return this.settings.path;
  }

  /**
   * What the source is told: the methods of a `ReadMemory`.
   *
   * @param workspace - absent for `default`
   */
  memory(workspace?: string): ReturnType<typeof readMemory> {
    return readMemory(this.database, this.sweep, workspace);
  }

  /** By lane, where reading goes on. */
  positions(): Map<string, string> {
    const rows = this.database.select<readonly [string, string]>(['lane', 'value'], 'positions');
    return new Map(rows.map(([lane, value]) => [fromKey(lane), value]));
  }

  /** What a sink left of itself. */
  sinkPosition(label: string): JsonValue | undefined {
    return this.#sinks.get(label)?.position;
  }

  /** A page on its way. `commit` or `commitRemoval` it, in the order of the pages. */
  page(proposals: readonly Proposal[]): PageDelivery {
    return new PageDelivery(this.database, this.#entities, proposals);
  }

  /** The number of a sink, for `PageDelivery`. */
  sinkId(label: string): number {
    return this.#sinks.get(label)?.id ?? this.#addSink(label, false);
  }

  /** Those of the records that were delivered and have not changed since, nor has their mapping. */
  unchangedRecords(inputs: ReadonlyMap<RecordKey, string>): Set<RecordKey> {
    return unchangedRecords(this.database, inputs);
  }

  /** Notes a page that every sink has confirmed. */
  commit(page: PageDelivery, facts: DeliveredPage): void {
    const { number, generation } = this.sweep;
    this.database.transaction(() => {
      page.commit(number);
      saveRecords(this.database, number, facts.records, facts.inputs);
      saveDatasetUses(this.database, generation, facts.read);
      touchRecords(this.database, number, facts.unchanged ?? []);
      leaveOutRecords(this.database, number, facts.leftOut ?? []);
      this.#saveSinkPositions(facts.sinkPositions);
      if (facts.position !== undefined) {
        const { lane, value } = facts.position;
        this.database.run('INSERT OR REPLACE INTO positions VALUES (?, ?)', toKey(lane), value);
      }
      if (facts.rejected > 0) {
        const sql = 'UPDATE sweeps SET rejected = rejected + ? WHERE sweep = ?';
        this.database.run(sql, facts.rejected, number);
      }
    });
    page.release();
  }

  /** Notes where sinks go on, apart from any page. */
  saveSinkPositions(positions: ReadonlyMap<string, JsonValue>): void {
    this.database.transaction(() => {
      this.#saveSinkPositions(positions);
    });
  }

  /** Records that this sweep could not read or map, in all runs that it took. */
  get rejected(): number {
    const [row] = this.database.select<readonly [number]>(
      ['rejected'],
      'sweeps WHERE sweep = ?',
      this.sweep.number,
    );
    return row?.[0] ?? 0;
  }

  /** Of pages on their way. */
  get entitiesInMemory(): number {
    return this.#entities.loaded;
  }

  staleCandidates(after?: number): CandidatePage {
    return staleCandidates(this.database, this.sweep, after);
  }

  countRemovable(): number {
    return countRemovable(this.database);
  }

  markGoing(ids: readonly number[]): void {
    this.database.transaction(() => {
      markGoing(this.database, ids);
    });
  }

  forgetGoing(): void {
    this.database.transaction(() => {
      forgetGoing(this.database);
    });
  }

  goingEntities(limit: number, after?: NumberedEntity): NumberedEntity[] {
    return goingEntities(this.database, limit, after);
  }

  /** Notes a page of removals that every sink has confirmed; gives how many none refused. */
  commitRemoval(page: PageDelivery, sinkPositions: ReadonlyMap<string, JsonValue>): number {
    let removed = 0;
    this.database.transaction(() => {
      const origins = page.commitRemoval();
      removed = origins.length;
      forgetRecords(this.database, this.sweep.number, origins);
      this.#saveSinkPositions(sinkPositions);
    });
    page.release();
    return removed;
  }

  /**
   * Everything was delivered and every sink is closed.
   *
   * @param lost - workspaces that were not read to their end
   */
  complete(
    now: number,
    sinkPositions: ReadonlyMap<string, JsonValue>,
    lost: ReadonlySet<string> = new Set(),
  ): void {
    const { number, kind } = this.sweep;
    this.database.transaction(() => {
      leaveOut(this.database, this.sweep, lost);
      completeSweep(this.database, this.sweep, now);
      for (const { id } of this.#sinks.values()) {
        this.database.run(
          `UPDATE sinks SET position = NULL, last_sweep = ?1,
             last_full_sweep = iif(?2, ?1, last_full_sweep) WHERE id = ?3`,
          number,
          kind === 'full' ? 1 : 0,
          id,
        );
      }
      this.#saveSinkPositions(sinkPositions);
    });
  }

  close(): void {
    this.database.close();
  }

  #saveSinkPositions(positions: ReadonlyMap<string, JsonValue>): void {
    for (const [label, position] of positions) {
      const sql = 'UPDATE sinks SET position = ? WHERE id = ?';
      this.database.run(
        sql,
        position === null ? null : JSON.stringify(position),
        this.sinkId(label),
      );
    }
  }

  /** @param anew - whether what it left of itself is of no use, since everything is sent again */
  #addSink(label: string, anew: boolean): number {
    const find = (): readonly [number, string | null] | undefined =>
      this.database.select<readonly [number, string | null]>(
        ['id', 'position'],
        'sinks WHERE label = ?',
        toKey(label),
      )[0];
    if (find() === undefined || anew) {
      this.database.transaction(() => {
        this.database.run('INSERT OR IGNORE INTO sinks(label) VALUES (?)', toKey(label));
        if (anew)
          this.database.run('UPDATE sinks SET position = NULL WHERE label = ?', toKey(label));
      });
    }
    const [id, position] = find() ?? [0, null];
    const kept = position === null ? {} : { position: JSON.parse(position) as JsonValue };
    this.#sinks.set(label, { id, ...kept });
    return id;
  }
}

/** A state says what DataHub has of one store: of another it would take everything for gone. */
function claim(database: StateDatabase, pipeline: string): void {
  const [row] = database.select<readonly [string]>(['value'], `facts WHERE name = 'pipeline'`);
  const known = row === undefined ? undefined : fromKey(row[0]);
  if (known === pipeline) return;
  if (known !== undefined) {
    throw stateError(
      database.path,
      'STATE_OF_ANOTHER',
      'usage',
      `belongs to a pipeline that reads ${known}, and this one reads ${pipeline}: give each a ` +
        'state file of its own, or delete it with `state reset` if the store has moved (the next ' +
        'run then sends everything)',
    );
  }
  database.run(`INSERT INTO facts VALUES ('pipeline', ?)`, toKey(pipeline));
}

/**
 * Before workspaces had a part in ids, one could be chosen by a header already: then what is in the
 * state is the same as what is read now, and all of it would come again under other ids.
 */
function refuseOtherIds(database: StateDatabase, workspaces: readonly string[]): void {
  if (workspaces.includes(DEFAULT_WORKSPACE) || !hasOnlyDefault(database)) return;
  throw stateError(
    database.path,
    'STATE_WITHOUT_WORKSPACE',
    'usage',
    `holds only what was read without a workspace, and this run reads ${workspaces.join(', ')}, whose ` +
      'name is part of all ids: everything would be sent once more under ids of its own, beside what ' +
      'DataHub has. If that is wanted, give the workspace a state file of its own, or set workspace ' +
      'and begin anew with `state reset`; what DataHub has under the old ids stays there until it is ' +
      'deleted by hand. Otherwise take out the workspace (option, MLFLOW_WORKSPACE, header ' +
      'X-MLFLOW-WORKSPACE)',
  );
}
