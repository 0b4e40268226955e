/**
 * A page on its way to the sinks: what each of them is sent of it, and what the state is to note
 * once all of them have confirmed it.
 */

import { forgetJson } from '../datahub/aspect-json.js';
import type { Proposal } from '../datahub/proposal.js';
import type { RecordKey } from '../mlflow/record-key.js';
import { digestOf, seriesOf, slotOf } from './digest.js';
import {
  type Entities,
  type Entity,
  isHeld,
  type Sending,
  type Slot,
  type Slots,
  slotsOf,
} from './entities.js';
import type { StateDatabase } from './state-database.js';

interface Item {
  readonly proposal: Proposal;
  readonly entity: Entity;
  /** The name of its slot. */
  readonly name: string;
  readonly digest: string | undefined;
}

/** An item on its way to one sink. */
interface Sent extends Sending {
  readonly item: Item;
  readonly slot: Slot;
}

/**
 * Between `unsent` and `commit` the file says of what is being sent that the sink does not have it:
 * if the process is killed, whether it arrived is not known.
 */
export class PageDelivery {
  readonly #items: readonly Item[];
  readonly #taken: ReadonlyMap<string, Entity>;
  /** By sink, what it was sent and did not refuse. */
  readonly #sent = new Map<number, readonly Sent[]>();
  readonly #changed = new Set<Entity>();

  constructor(
    private readonly database: StateDatabase,
    private readonly entities: Entities,
    proposals: readonly Proposal[],
  ) {
    const taken = entities.take(proposals);
    const items: Item[] = [];
    for (const proposal of proposals) {
      const entity = taken.get(proposal.entityUrn);
      if (entity === undefined) continue;
      items.push({ proposal, entity, name: slotOf(proposal), digest: digestOf(proposal) });
    }
    this.#taken = taken;
    this.#items = items;
  }

  /** The proposals that the sink does not have, in their order. */
  unsent(sink: number): Proposal[] {
    const sent: Sent[] = [];
    const outdated = new Set<Entity>();
    for (const item of this.#items) {
      const { entity, name, digest } = item;
      const slot = slotIn(slotsOf(entity, sink), name);
      const last = slot.sending === undefined ? slot.held : slot.sending.digest;
      if (digest !== undefined && last === digest) continue;
      const sending = { item, slot, digest };
      slot.sending = sending;
      sent.push(sending);
      if (slot.held === undefined) continue;
      slot.held = undefined;
      outdated.add(entity);
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
    return sent.map(({ item }) => item.proposal);
  }

  /** The sink did not take it: it is sent again when it comes up again. */
  refused(sink: number, proposal: Proposal): void {
    const sent = this.#sent.get(sink) ?? [];
    for (const sending of sent) {
      const { item, slot } = sending;
      if (item.proposal === proposal && slot.sending === sending) slot.sending = undefined;
    }
    this.#sent.set(
      sink,
      sent.filter(({ item }) => item.proposal !== proposal),
    );
  }

  /** Notes what every sink has confirmed. In a transaction, once for the page. */
  commit(sweep: number): void {
    this.#noteConfirmed();
    this.#noteOrigins();
    const touched: Entity[] = [];
    for (const entity of this.#taken.values()) {
      if (entity.seen === 0 || entity.removed) this.#changed.add(entity);
      if (entity.seen < sweep && !this.#changed.has(entity)) touched.push(entity);
      if (entity.seen < sweep) entity.seen = sweep;
      entity.removed = false;
    }
    this.entities.touch(touched, sweep);
    this.entities.save([...this.#changed]);
  }

  /**
   * The same for a page that says of entities that they are removed: nothing else that was held of
   * them counts any more, so that all of it is sent again if they come back.
   *
   * @returns what those stood for that were removed: all but those that a sink refused to
   */
  commitRemoval(): RecordKey[] {
    this.#noteConfirmed();
    const removed: RecordKey[] = [];
    const named = new Set(this.#items.map(({ name }) => name));
    for (const entity of this.#taken.values()) {
      for (const slots of entity.sinks.values()) {
        for (const [name, slot] of slots) if (!named.has(name)) slot.held = undefined;
      }
      entity.removed = [...this.#sent.keys()].every((sink) => isHeld(entity, sink));
      if (entity.removed) removed.push((entity.origin ?? '') as RecordKey);
      this.#changed.add(entity);
    }
    this.entities.save([...this.#changed]);
    return removed;
  }

  /** After `commit`, or instead of it where the page was not delivered. */
  release(): void {
    for (const { proposal } of this.#items) forgetJson(proposal.aspect);
    this.entities.release(this.#taken.values());
  }

  #noteConfirmed(): void {
    for (const sent of this.#sent.values()) {
      for (const sending of sent) {
        const { item, slot, digest } = sending;
        // Another page sent something else since: what the sink ends up with is its affair.
        if (slot.sending !== sending) continue;
        slot.sending = undefined;
        if (digest !== undefined) slot.held = digest;
        this.#changed.add(item.entity);
      }
    }
    this.#forgetPastEvents();
  }

  /** Of a time series only the events that are given now are remembered, or they would pile up. */
  #forgetPastEvents(): void {
    const given = new Map<Entity, Map<string, Set<string>>>();
    for (const { entity, name } of this.#items) {
      const series = seriesOf(name);
      if (series === undefined || !this.#changed.has(entity)) continue;
      const bySeries = given.get(entity) ?? new Map<string, Set<string>>();
      given.set(entity, bySeries.set(series, (bySeries.get(series) ?? new Set()).add(name)));
    }
    for (const [entity, bySeries] of given) {
      for (const slots of entity.sinks.values()) {
        for (const [name, slot] of slots) {
          if (bySeries.get(seriesOf(name) ?? '')?.has(name) !== false) continue;
          slot.held = undefined;
          if (slot.sending === undefined) slots.delete(name);
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

function slotIn(slots: Slots, name: string): Slot {
  let slot = slots.get(name);
  if (slot === undefined) {
    slot = { held: undefined, sending: undefined };
    slots.set(name, slot);
  }
  return slot;
}
