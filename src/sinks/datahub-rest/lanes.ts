/**
 * Packs proposals into batches so that those of one entity stay in their order, whatever goes on
 * at the same time.
 *
 *   write ─┐   lane of urn A: 1 2 3      ┌─ batch on its way (A 1 2, B 1)
 *   write ─┼─> lane of urn B: 1        ──┤
 *   write ─┘   lane of urn C: 1 2        └─ batch on its way (C 1)
 *
 * A lane gives to one batch at a time. What is in no lane that is busy may go at once, from
 * whichever write it came.
 */

import type { Aspect, Proposal } from '../../datahub/proposal.js';
import type { Refusal } from '../../stream/contracts.js';

/** A proposal ready to be sent. */
export interface Parcel {
  readonly proposal: Proposal;
  /** As it stands in a request. */
  readonly json: string;
  readonly bytes: number;
  /** Requests that it was in. */
  attempts: number;
}

/** Why a proposal will never arrive. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

export interface LanesOptions {
  /** Batches on their way at a time. */
  readonly concurrency: number;
  readonly maxProposals: number;
  /** Bytes of a batch's parcels together, each with one more for what stands between them. */
  readonly maxBytes: number;
  /** Makes a proposal ready, or says why it can't be sent. Called when its turn comes. */
  readonly prepare: (proposal: Proposal) => Parcel | Reason;
  /**
   * Delivers a batch: `settle` is called for each parcel, with a reason where it was refused. An
   * error says that nothing more can be delivered.
   */
  readonly deliver: (batch: readonly Parcel[], settle: Settle) => Promise<void>;
}

export type Settle = (parcel: Parcel, refused?: Reason) => void;

export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with something to give that no batch is busy with, the longest waiting first. */
  readonly #ready = new Queue<Lane>();
  /** The same, but they have given before: they are older than those that are ready. */
  readonly #resumed: Lane[] = [];
  readonly #writes = new Set<Write>();
  #active = 0;
  #pumping = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Resolves when each of the proposals is settled, with those that were refused. */
  write(proposals: readonly Proposal[]): Promise<readonly Refusal[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(asError(this.#failure.error));
      else if (proposals.length === 0) resolve([]);
      else {
        const write: Write = { left: proposals.length, refusals: [], resolve, reject };
        this.#writes.add(write);
        for (const proposal of proposals) this.#put({ proposal, write });
        this.#pumpSoon();
      }
    });
  }

  /** Ends every write that is under way, and those to come, with the error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const write of this.#writes) write.reject(asError(error));
    this.#writes.clear();
    this.#lanes.clear();
  }

  #put(entry: Entry): void {
    const urn = entry.proposal.entityUrn;
    const lane = this.#lanes.get(urn);
    if (lane !== undefined) lane.entries.push(entry);
    else {
      const made: Lane = { urn, entries: new Queue<Entry>() };
      made.entries.push(entry);
      this.#lanes.set(urn, made);
      this.#ready.push(made);
    }
  }

  /** Not at once: writes that come together fill batches together. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#active < this.#options.concurrency && this.#failure === undefined) {
      const load = this.#load();
      if (load.lanes.length === 0) return;
      this.#active += 1;
      void this.#send(load);
    }
  }

  async #send({ lanes, batch, writes }: Load): Promise<void> {
    try {
      if (batch.length > 0) {
        await this.#options.deliver(batch, (parcel, refused) => {
          const write = writes.get(parcel);
          if (write === undefined) return;
          writes.delete(parcel);
          settle(write, parcel.proposal, refused, parcel.attempts);
          if (write.left === 0) this.#writes.delete(write);
        });
      }
    } catch (error) {
      this.fail(error);
    }
    this.#active -= 1;
    for (const lane of lanes.reverse()) {
      if (lane.entries.length > 0) this.#resumed.push(lane);
      else this.#lanes.delete(lane.urn);
    }
    this.#pump();
  }

  /** Takes what fits out of the lanes that may give. */
  #load(): Load {
    const { maxProposals, maxBytes } = this.#options;
    const load: Load = { lanes: [], batch: [], writes: new Map() };
    let room = maxBytes;
    while (load.batch.length < maxProposals) {
      const lane = this.#resumed.pop() ?? this.#ready.shift();
      if (lane === undefined) break;
      const before = load.batch.length;
      const left = this.#takeFrom(lane, load, room);
      if (left === undefined && load.batch.length === before && lane.entries.length > 0) {
        // It gave nothing because it did not fit: nobody is busy with it, and it is next.
        this.#resumed.push(lane);
        break;
      }
      load.lanes.push(lane);
      if (left === undefined) break;
      room = left;
    }
    return load;
  }

  /** Gives the room that is left; nothing where the next one did not fit. */
  #takeFrom(lane: Lane, load: Load, room: number): number | undefined {
    const { maxProposals, prepare } = this.#options;
    const aspects = new Set<string>();
    let left = room;
    for (let entry = lane.entries.first; entry !== undefined; entry = lane.entries.first) {
      if (load.batch.length >= maxProposals) return left;
      const { proposal, write } = entry;
      // Twice the same aspect in one request would leave open which of them counts.
      if (aspects.has(proposal.aspectName) && !isEvent(proposal)) return left;
      const prepared = (entry.prepared ??= prepare(proposal));
      if (!('json' in prepared)) {
        lane.entries.shift();
        settle(write, proposal, prepared, 1);
        if (write.left === 0) this.#writes.delete(write);
        continue;
      }
      if (prepared.bytes + 1 > left && load.batch.length > 0) return undefined;
      lane.entries.shift();
      aspects.add(proposal.aspectName);
      load.batch.push(prepared);
      load.writes.set(prepared, write);
      left -= prepared.bytes + 1;
    }
    return left;
  }
}

/** All of DataHub's time series have this field, and nothing else has: each is an event of its own. */
export function isEvent({ aspect }: Proposal): boolean {
  return typeof (aspect as Aspect | undefined)?.['timestampMillis'] === 'number';
}

function settle(
  write: Write,
  proposal: Proposal,
  refused: Reason | undefined,
  attempts: number,
): void {
  if (refused !== undefined) write.refusals.push({ proposal, ...refused, attempts });
  write.left -= 1;
  if (write.left === 0) write.resolve(write.refusals);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What a call of `write` waits for. */
interface Write {
  left: number;
  readonly refusals: Refusal[];
  readonly resolve: (refusals: readonly Refusal[]) => void;
  readonly reject: (error: Error) => void;
}

interface Entry {
  readonly proposal: Proposal;
  readonly write: Write;
  prepared?: Parcel | Reason;
}

/** What is to be sent for one entity, in order. */
interface Lane {
  readonly urn: string;
  readonly entries: Queue<Entry>;
}

interface Load {
  /** Those that are busy with it. */
  readonly lanes: Lane[];
  readonly batch: Parcel[];
  readonly writes: Map<Parcel, Write>;
}

/** An array that is taken from at its start without moving the rest. */
class Queue<T> {
  #items: (T | undefined)[] = [];
  #start = 0;

  get length(): number {
    return this.#items.length - this.#start;
  }

  get first(): T | undefined {
    return this.#items[this.#start];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#start];
    if (this.#start < this.#items.length) {
      this.#items[this.#start] = undefined;
      this.#start += 1;
      if (this.#start * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#start);
        this.#start = 0;
      }
    }
    return item;
  }
}
