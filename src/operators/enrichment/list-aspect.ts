/**
 * Adds to an aspect that is a list: tags, owners, terms, domains.
 *
 *   properties of an entity ─> what is to be added ─┐
 *   its list, where the stream has one ─────────────┴─> the list with what was added
 *
 * DataHub replaces a list by the one that it is sent, so there must be one proposal with all of it.
 * What is said of an entity stands together: where its list has not come by when the next entity
 * does, there is none, and one is made. One that comes later on the same page is added to as well.
 *
 * Where a function of the user's own throws for an entity, here or in an operator before, what it was
 * asked about is set aside, and so is a list behind that, which would come to DataHub without what
 * belongs into it.
 */

import { concat, defer } from 'rxjs';
import { takesAspect } from '../../datahub/entity-aspects.js';
import type { Aspect, JsonValue, Proposal } from '../../datahub/proposal.js';
import type { Operator, RunContext } from '../../stream/contracts.js';
import { mapMany } from '../../stream/map-many.js';
import { upsert } from '../map-to-proposals/aspects.js';
import { failureOf, rejectFor } from '../reject-proposal.js';
import { factsIn, isAspect, type EntityFacts } from './entity-facts.js';

export interface ListAspect {
  /** `globalTags` */
  readonly aspectName: string;
  /** The list in it: `tags`. */
  readonly field: string;
  /** What tells elements apart. */
  readonly keyOf: (element: JsonValue) => string;
  /** Further fields of an aspect that is made here. */
  readonly fields?: Aspect;
  /** The proposal without which DataHub would not show the element, where there is one. */
  readonly keyProposal?: (element: JsonValue) => Proposal;
}

export interface Enrichment {
  readonly list: ListAspect;
  /** What is to be added to the entity's list; none for one that it is not for. */
  readonly additionsOf: (entity: EntityFacts) => readonly JsonValue[];
  readonly label: string;
  /** As in `OperatorHooks`; absent where a function of the user's own decides. */
  readonly signature?: string;
}

/** Key proposals that were sent, at most: beyond it some are sent again, and no harm done. */
const REMEMBERED = 10_000;

export function enrich(enrichment: Enrichment): Operator<Proposal, Proposal> {
  const { label, signature } = enrichment;
  const sent = new Set<string>();
  let context: RunContext | undefined;
  const aside: Aside = {
    skip: (reason) => context?.recorder.skipped(reason),
    reject: (proposal, error) => {
      rejectFor(error, label, proposal, context);
    },
    rejectIfFailed: (proposal) => {
      const failure = failureOf(context, proposal.entityUrn);
      if (failure === undefined) return false;
      rejectFor(failure.error, failure.operator, proposal, context);
      return true;
    },
  };
  const operator: Operator<Proposal, Proposal> = (source) =>
    defer(() => {
      const page = new EnrichedPage(enrichment, sent, aside);
      return concat(
        source.pipe(mapMany((proposal) => page.next(proposal))),
        defer(() => page.end()),
      );
    });
  return Object.assign(operator, {
    label,
    ...(signature === undefined ? {} : { signature }),
    open: (run: RunContext) => {
      context = run;
      sent.clear();
    },
    onUndelivered: ({ entityUrn }: Proposal) => {
      sent.delete(entityUrn);
    },
  });
}

/** Where that goes which is not passed on. */
interface Aside {
  skip(reason: string): void;
  reject(proposal: Proposal, error: unknown): void;
  /** Whether it is of an entity that a function threw for, here or before. */
  rejectIfFailed(proposal: Proposal): boolean;
}

class EnrichedPage {
  /** By URN. */
  readonly #additions = new Map<string, readonly JsonValue[]>();
  /** By URN, the list that the stream said last. */
  readonly #said = new Map<string, Proposal>();
  /** The entity whose list has not been given. */
  #open: Pick<Proposal, 'entityType' | 'entityUrn'> | undefined;

  constructor(
    private readonly enrichment: Enrichment,
    private readonly sent: Set<string>,
    private readonly aside: Aside,
  ) {}

  next(proposal: Proposal): readonly Proposal[] {
    const { entityUrn, aspectName, changeType, aspect } = proposal;
    const before = this.#open?.entityUrn === entityUrn ? [] : this.end();
    const isList = aspectName === this.enrichment.list.aspectName && isAspect(aspect);
    if (isList && changeType === 'UPSERT') {
      if (this.aside.rejectIfFailed(proposal)) return before;
      this.#said.set(entityUrn, proposal);
      this.#open = undefined;
      return [...before, ...this.#enriched(proposal)];
    }
    const facts = factsIn(proposal);
    if (facts !== undefined && !this.#meet(facts, proposal)) return before;
    return before.length === 0 ? [proposal] : [...before, proposal];
  }

  /** What the entity that is open still lacks. */
  end(): readonly Proposal[] {
    const entity = this.#open;
    if (entity === undefined) return [];
    this.#open = undefined;
    const { list } = this.enrichment;
    const { entityType, entityUrn } = entity;
    const aspect = { [list.field]: [], ...list.fields };
    const made = upsert(entityType, entityUrn, list.aspectName, aspect);
    return this.#enriched(this.#said.get(entityUrn) ?? made);
  }

  /** Whether the proposal that describes it is passed on. */
  #meet(entity: EntityFacts, proposal: Proposal): boolean {
    const { list, additionsOf, label } = this.enrichment;
    const { entityType, entityUrn } = entity;
    const takesIt = takesAspect(entityType, list.aspectName) !== false;
    let additions: readonly JsonValue[];
    try {
      additions = additionsOf(entity);
    } catch (error) {
      // What it can't have anyway, it does not lack.
      if (!takesIt) return true;
      this.aside.reject(proposal, error);
      return false;
    }
    if (additions.length === 0) return true;
    if (!takesIt) {
      this.aside.skip(`${label}: ${entityType} takes no ${list.aspectName}`);
      return true;
    }
    this.#additions.set(entityUrn, additions);
    this.#open = { entityType, entityUrn };
    return true;
  }

  #enriched(proposal: Proposal): readonly Proposal[] {
    const { list } = this.enrichment;
    const additions = this.#additions.get(proposal.entityUrn);
    if (additions === undefined) return [proposal];
    const elements = listIn(proposal.aspect[list.field]);
    const known = new Set(elements.map((element) => list.keyOf(element)));
    const added = additions.filter((element) => {
      const key = list.keyOf(element);
      return !known.has(key) && known.add(key);
    });
    const aspect = { ...proposal.aspect, [list.field]: [...elements, ...added] };
    return [{ ...proposal, aspect }, ...this.#keys(added)];
  }

  #keys(elements: readonly JsonValue[]): readonly Proposal[] {
    const { keyProposal } = this.enrichment.list;
    if (keyProposal === undefined) return [];
    return elements
      .map((element) => keyProposal(element))
      .filter(({ entityUrn }) => {
        if (this.sent.has(entityUrn)) return false;
        if (this.sent.size >= REMEMBERED) this.sent.clear();
        this.sent.add(entityUrn);
        return true;
      });
  }
}

function listIn(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}
