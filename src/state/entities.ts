/**
 * The entities that were given to sinks, and what each sink has of them.
 */

import type { Proposal } from '../datahub/proposal.js';
import { damaged } from './failures.js';
import type { StateDatabase } from './state-database.js';
import { bucketOf, bucketsOf, fromKey, toKey } from './text-key.js';

/** One aspect of one entity, or one event of a time series, at one sink. */
export interface Slot {
  /** The digest of what the sink has confirmed; undefined where it has nothing. */
  held: string | undefined;
  /** What it was sent last and has not confirmed yet. */
  sending: Sending | undefined;
}

/** Something that is on its way to a sink. */
export interface Sending {
  /** Undefined for what can't be told from anything else. */
  readonly digest: string | undefined;
}

/** By name. */
export type Slots = Map<string, Slot>;

/** An entity as the state knows it. Shared by all pages on their way that say something of it. */
export interface Entity {
  readonly urn: string;
  /** The number of its row; undefined where it has none yet. */
  id: number | undefined;
  origin: string | undefined;
  /** The last sweep that gave it; 0 for one that no sweep gave yet. */
  seen: number;
  removed: boolean;
  readonly sinks: Map<number, Slots>;
  /** Pages on their way that hold on to it. */
  pages: number;
}

type Row = readonly [
  id: number,
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
  #lastId: number;

  constructor(private readonly database: StateDatabase) {
    const rows = database.select<readonly [number, string]>(['id', 'name'], 'aspects');
    for (const [id, name] of rows) this.#intern(fromKey(name), id);
    const [last] = database.select<readonly [number | null]>(
      ['id'],
      '(SELECT max(id) AS id FROM entities)',
    );
    this.#lastId = last?.[0] ?? 0;
  }

  /** How many are held in memory. */
  get loaded(): number {
    return this.#loaded.size;
  }

  /** The entities of a page's proposals, by URN. `release` them when the page is over. */
  take(proposals: readonly Proposal[]): Map<string, Entity> {
    const taken = new Map<string, Entity>();
    const missing = new Map<string, Entity>();
    for (const { entityUrn } of proposals) {
      if (taken.has(entityUrn)) continue;
      let entity = this.#loaded.get(entityUrn);
      if (entity === undefined) {
        entity = newEntity(entityUrn);
        this.#loaded.set(entityUrn, entity);
        missing.set(toKey(entityUrn), entity);
      }
      entity.pages += 1;
      taken.set(entityUrn, entity);
    }
    if (missing.size > 0) this.#load(missing);
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
    const rows = entities.map((entity) => {
      const urn = toKey(entity.urn);
      const origin = entity.origin === undefined ? null : toKey(entity.origin);
      entity.id ??= this.#lastId += 1;
      return [
        entity.id,
        bucketOf(urn),
        urn,
        origin,
        origin === null ? null : bucketOf(origin),
        entity.seen,
        entity.removed ? 1 : 0,
        this.#encode(entity.sinks),
      ];
    });
    this.database.insert(
      'entities',
      rows,
      `ON CONFLICT (id) DO UPDATE SET origin = excluded.origin,
         origin_bucket = excluded.origin_bucket, seen = excluded.seen, removed = excluded.removed,
         sent = excluded.sent`,
    );
  }

  /** Notes that a sweep gave these again, with nothing new about them. In a transaction. */
  touch(entities: readonly Entity[], sweep: number): void {
    if (entities.length === 0) return;
    this.database.run(
      'UPDATE entities SET seen = ? WHERE id IN (SELECT value FROM json_each(?))',
      sweep,
      JSON.stringify(entities.map(({ id }) => id)),
    );
  }

  /** @param missing - by key; those that have no row are left as they are */
  #load(missing: ReadonlyMap<string, Entity>): void {
    const rows = this.database.select<Row>(
      ['e.id', 'e.urn', 'e.origin', 'e.seen', 'e.removed', 'e.sent'],
      'json_each(?) AS j CROSS JOIN entities AS e ON e.bucket = j.value',
      bucketsOf([...missing.keys()]),
    );
    for (const [id, key, origin, seen, removed, sent] of rows) {
      const entity = missing.get(key);
      if (entity === undefined) continue; // another's, in the same bucket
      entity.id = id;
      entity.origin = origin === null ? undefined : fromKey(origin);
      entity.seen = seen;
      entity.removed = removed === 1;
      this.#decode(sent, entity);
    }
  }

  /** `{"<sink>": ["<slot>", "<digest>", ...]}`, the aspect's name in a slot by its number. */
  #encode(sinks: Entity['sinks']): string {
    const lists: Record<number, string[]> = {};
    for (const [sink, slots] of sinks) {
      const list: string[] = [];
      for (const [name, { held }] of slots) {
        if (held !== undefined) list.push(this.#shorten(name), held);
      }
      if (list.length > 0) lists[sink] = list;
    }
    return JSON.stringify(lists);
  }

  #decode(sent: string, entity: Entity): void {
    let lists: Readonly<Record<string, readonly string[]>>;
    try {
      lists = JSON.parse(sent) as typeof lists;
    } catch (error) {
      throw damaged(this.database.path, error);
    }
    for (const [sink, list] of Object.entries(lists)) {
      const slots = slotsOf(entity, Number(sink));
      for (let index = 0; index + 1 < list.length; index += 2) {
        const name = this.#lengthen(list[index] ?? '');
        slots.set(name, { held: list[index + 1], sending: undefined });
      }
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

/** What the sink has of the entity, and is being sent. */
export function slotsOf(entity: Entity, sink: number): Slots {
  let slots = entity.sinks.get(sink);
  if (slots === undefined) {
    slots = new Map();
    entity.sinks.set(sink, slots);
  }
  return slots;
}

/** Whether the sink has anything of the entity. */
export function isHeld(entity: Entity, sink: number): boolean {
  for (const { held } of entity.sinks.get(sink)?.values() ?? []) {
    if (held !== undefined) return true;
  }
  return false;
}

function newEntity(urn: string): Entity {
  return {
    urn,
    id: undefined,
    origin: undefined,
    seen: 0,
    removed: false,
    sinks: new Map(),
    pages: 0,
  };
}
