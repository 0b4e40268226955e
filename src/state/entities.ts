/**
 * The entities that were given to sinks, and what each sink has of them.
 */

import type { Proposal } from '../datahub/proposal.js';
import { damaged } from './failures.js';
import type { StateDatabase } from './state-database.js';
import { fromKey, toKey } from './text-key.js';

/** Digests by slot: what one sink has of one entity. */
export type Held = Map<string, string>;

/** Something that is on its way to a sink. */
export interface Sending {
  /** Absent for what can't be told from anything else. */
  readonly digest?: string;
}

/** An entity as the state knows it. Shared by all pages on their way that say something of it. */
export interface Entity {
  readonly urn: string;
  origin: string | undefined;
  /** The last sweep that gave it; 0 for one that no sweep gave yet. */
  seen: number;
  removed: boolean;
  /** By sink, what it has confirmed. */
  readonly held: Map<number, Held>;
  /** By sink and slot, what it was sent last and has not confirmed yet. */
  readonly sending: Map<string, Sending>;
  /** Pages on their way that hold on to it. */
  pages: number;
}

type Row = readonly [
  urn: string,
  origin: string | null,
  seen: number,
  removed: number,
  sent: string,
];

/** The entities of the pages on their way, read from the file when a page needs them. */
export class Entities {
  readonly #loaded = new Map<string, Entity>();
  readonly #aspects = new Map<string, number>();
  readonly #aspectNames = new Map<number, string>();

  constructor(private readonly database: StateDatabase) {
    const rows = database.select<readonly [number, string]>(['id', 'name'], 'aspects');
    for (const [id, name] of rows) this.#intern(fromKey(name), id);
  }

  /** How many are held in memory. */
  get loaded(): number {
    return this.#loaded.size;
  }

  /** The entities of a page's proposals, by URN. `release` them when the page is over. */
  take(proposals: readonly Proposal[]): Map<string, Entity> {
    const taken = new Map<string, Entity>();
    const missing: string[] = [];
    for (const { entityUrn } of proposals) {
      if (taken.has(entityUrn)) continue;
      let entity = this.#loaded.get(entityUrn);
      if (entity === undefined) {
        entity = newEntity(entityUrn);
        this.#loaded.set(entityUrn, entity);
        missing.push(toKey(entityUrn));
      }
      entity.pages += 1;
      taken.set(entityUrn, entity);
    }
    if (missing.length > 0) this.#load(missing);
    return taken;
  }

  release(entities: Iterable<Entity>): void {
    for (const entity of entities) {
      entity.pages -= 1;
      if (entity.pages === 0) this.#loaded.delete(entity.urn);
    }
  }

  /** Writes entities that changed, whole. In a transaction. */
  save(entities: readonly Entity[]): void {
    if (entities.length === 0) return;
    const rows = entities.map(({ urn, origin, seen, removed, held }) => [
      toKey(urn),
      origin === undefined ? null : toKey(origin),
      seen,
      removed ? 1 : 0,
      this.#encode(held),
    ]);
    this.database.run(
      `INSERT INTO entities
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(?) WHERE true
       ON CONFLICT (urn) DO UPDATE SET origin = excluded.origin, seen = excluded.seen,
         removed = excluded.removed, sent = excluded.sent`,
      JSON.stringify(rows),
    );
  }

  /** Notes that a sweep gave these again, with nothing new about them. In a transaction. */
  touch(entities: readonly Entity[], sweep: number): void {
    if (entities.length === 0) return;
    this.database.run(
      'UPDATE entities SET seen = ? WHERE urn IN (SELECT value FROM json_each(?))',
      sweep,
      JSON.stringify(entities.map(({ urn }) => toKey(urn))),
    );
  }

  #load(keys: readonly string[]): void {
    const rows = this.database.select<Row>(
      ['e.urn', 'e.origin', 'e.seen', 'e.removed', 'e.sent'],
      'json_each(?) AS j CROSS JOIN entities AS e ON e.urn = j.value',
      JSON.stringify(keys),
    );
    for (const [key, origin, seen, removed, sent] of rows) {
      const entity = this.#loaded.get(fromKey(key));
      if (entity === undefined) continue;
      entity.origin = origin === null ? undefined : fromKey(origin);
      entity.seen = seen;
      entity.removed = removed === 1;
      this.#decode(sent, entity.held);
    }
  }

  /** `{"<sink>": ["<slot>", "<digest>", ...]}`, the aspect's name in a slot by its number. */
  #encode(held: Entity['held']): string {
    const sinks: Record<number, string[]> = {};
    for (const [sink, digests] of held) {
      const list: string[] = [];
      for (const [slot, digest] of digests) list.push(this.#shorten(slot), digest);
      if (list.length > 0) sinks[sink] = list;
    }
    return JSON.stringify(sinks);
  }

  #decode(sent: string, held: Entity['held']): void {
    let sinks: Readonly<Record<string, readonly string[]>>;
    try {
      sinks = JSON.parse(sent) as typeof sinks;
    } catch (error) {
      throw damaged(this.database.path, error);
    }
    for (const [sink, list] of Object.entries(sinks)) {
      const digests: Held = new Map();
      for (let index = 0; index + 1 < list.length; index += 2) {
        digests.set(this.#lengthen(list[index] ?? ''), list[index + 1] ?? '');
      }
      held.set(Number(sink), digests);
    }
  }

  #shorten(slot: string): string {
    const at = slot.lastIndexOf('@');
    const name = at < 0 ? slot : slot.slice(0, at);
    const id = this.#aspects.get(name) ?? this.#intern(name);
    return at < 0 ? String(id) : `${id}${slot.slice(at)}`;
  }

  #lengthen(short: string): string {
    const at = short.indexOf('@');
    const id = Number(at < 0 ? short : short.slice(0, at));
    const name = this.#aspectNames.get(id);
    if (name === undefined) throw damaged(this.database.path, new Error(`no aspect ${id}`));
    return at < 0 ? name : `${name}${short.slice(at)}`;
  }

  #intern(name: string, known?: number): number {
    const id = known ?? this.#aspects.size + 1;
    this.#aspects.set(name, id);
    this.#aspectNames.set(id, name);
    if (known === undefined) {
      this.database.run('INSERT INTO aspects VALUES (?, ?)', id, toKey(name));
    }
    return id;
  }
}

/** What the sink has of the entity; an empty map, kept there, where it has nothing. */
export function heldBy(entity: Entity, sink: number): Held {
  let held = entity.held.get(sink);
  if (held === undefined) {
    held = new Map();
    entity.held.set(sink, held);
  }
  return held;
}

function newEntity(urn: string): Entity {
  return {
    urn,
    origin: undefined,
    seen: 0,
    removed: false,
    held: new Map(),
    sending: new Map(),
    pages: 0,
  };
}
