/**
 * A page on its way to the sinks: what each of them is sent of it, and what the state is to note
 * once all of them have confirmed it.
 */

import type { Proposal } from '../datahub/proposal.js';
import { digestOf, seriesOf, slotOf } from './digest.js';
import { type Entities, type Entity, heldBy, type Sending } from './entities.js';
import type { StateDatabase } from './state-database.js';

interface Item extends Sending {
  readonly proposal: Proposal;
  readonly entity: Entity;
  readonly slot: string;
}

/**
 * Between `unsent` and `commit` the file says of what is being sent that the sink does not have it:
 * if the process is killed, whether it arrived is not known.
 */
export class PageDelivery {
  readonly #items: readonly Item[];
  readonly #taken: ReadonlyMap<string, Entity>;
  /** By sink, what it was sent and did not refuse. */
  readonly #sent = new Map<number, Set<Item>>();
  readonly #changed = new Set<Entity>();

  constructor(
    private readonly database: StateDatabase,
    private readonly entities: Entities,
    proposals: readonly Proposal[],
  ) {
    this.#taken = entities.take(proposals);
    this.#items = proposals.flatMap((proposal): Item[] => {
      const entity = this.#taken.get(proposal.entityUrn);
      if (entity === undefined) return [];
      const digest = digestOf(proposal);
      const item = { proposal, entity, slot: slotOf(proposal) };
      return [digest === undefined ? item : { ...item, digest }];
    });
  }

  /** The proposals that the sink does not have, in their order. */
  unsent(sink: number): Proposal[] {
    const sent = new Set<Item>();
    const outdated = new Set<Entity>();
    for (const item of this.#items) {
      const { entity, slot, digest } = item;
      const held = heldBy(entity, sink);
      const way = wayTo(sink, slot);
      const sending = entity.sending.get(way);
      const last = sending === undefined ? held.get(slot) : sending.digest;
      if (digest !== undefined && last === digest) continue;
      sent.add(item);
      entity.sending.set(way, item);
      if (held.delete(slot)) outdated.add(entity);
    }
    this.#sent.set(sink, sent);
    if (outdated.size > 0) {
      this.database.transaction(
        () => {
          this.entities.save([...outdated]);
        },
        { durable: true },
      );
    }
    return Array.from(sent, ({ proposal }) => proposal);
  }

  /** The sink did not take it: it is sent again when it comes up again. */
  refused(sink: number, proposal: Proposal): void {
    const sent = this.#sent.get(sink);
    for (const item of sent ?? []) {
      if (item.proposal !== proposal) continue;
      sent?.delete(item);
      const way = wayTo(sink, item.slot);
      if (item.entity.sending.get(way) === item) item.entity.sending.delete(way);
    }
  }

  /** Notes what every sink has confirmed. In a transaction, once for the page. */
  commit(sweep: number): void {
    this.#noteConfirmed();
    const touched: Entity[] = [];
    for (const entity of this.#taken.values()) {
      if (entity.seen === 0 || entity.removed) this.#changed.add(entity);
      if (entity.seen < sweep && !this.#changed.has(entity)) touched.push(entity);
      if (entity.seen < sweep) entity.seen = sweep;
      entity.removed = false;
    }
    this.#noteOrigins();
    this.entities.touch(touched, sweep);
    this.entities.save([...this.#changed]);
  }

  /**
   * The same for a page that says of entities that they are removed: nothing else that was held of
   * them counts any more, so that all of it is sent again if they come back.
   *
   * @returns how many were removed: all but those that a sink refused to
   */
  commitRemoval(): number {
    this.#noteConfirmed();
    let removed = 0;
    for (const entity of this.#taken.values()) {
      const slots = new Set(
        this.#items.filter((item) => item.entity === entity).map(({ slot }) => slot),
      );
      for (const held of entity.held.values()) {
        for (const slot of held.keys()) if (!slots.has(slot)) held.delete(slot);
      }
      const everywhere = [...this.#sent.keys()].every((sink) => heldBy(entity, sink).size > 0);
      entity.removed = everywhere;
      if (everywhere) removed += 1;
      this.#changed.add(entity);
    }
    this.entities.save([...this.#changed]);
    return removed;
  }

  /** After `commit`, or instead of it where the page was not delivered. */
  release(): void {
    this.entities.release(this.#taken.values());
  }

  #noteConfirmed(): void {
    for (const [sink, sent] of this.#sent) {
      for (const item of sent) {
        const { entity, slot, digest } = item;
        const way = wayTo(sink, slot);
        // Another page sent something else since: what the sink ends up with is its affair.
        if (entity.sending.get(way) !== item) continue;
        entity.sending.delete(way);
        this.#changed.add(entity);
        if (digest !== undefined) heldBy(entity, sink).set(slot, digest);
      }
    }
    this.#forgetPastEvents();
  }

  /** Of a time series only the events that are given now are remembered, or they would pile up. */
  #forgetPastEvents(): void {
    const given = new Map<Entity, Map<string, Set<string>>>();
    for (const { entity, slot } of this.#items) {
      const series = seriesOf(slot);
      if (series === undefined || !this.#changed.has(entity)) continue;
      const bySeries = given.get(entity) ?? new Map<string, Set<string>>();
      given.set(entity, bySeries.set(series, (bySeries.get(series) ?? new Set()).add(slot)));
    }
    for (const [entity, bySeries] of given) {
      for (const held of entity.held.values()) {
        for (const slot of held.keys()) {
          const slots = bySeries.get(seriesOf(slot) ?? '');
          if (slots?.has(slot) === false) held.delete(slot);
        }
      }
    }
  }

  #noteOrigins(): void {
    for (const { proposal, entity } of this.#items) {
      if (proposal.origin === undefined || proposal.origin === entity.origin) continue;
      entity.origin = proposal.origin;
      this.#changed.add(entity);
    }
  }
}

function wayTo(sink: number, slot: string): string {
  return `${sink} ${slot}`;
}
