/**
 * Between the stream and the state: what is noted of a page, and when.
 *
 *   page's proposals ─> for each sink those it does not have ─> every sink confirms
 *     ─> the pages before it are noted ─> noted, in one transaction ─> page done
 *
 * Pages are noted in the order in which the source gave them, whichever is delivered first: what is
 * noted is always all up to some page, and reading can go on behind it. A page that waits for its
 * turn keeps its place among the pages on their way, so that no more than these wait.
 */

import type { JsonValue, Proposal } from '../datahub/proposal.js';
import type { StaleReport, StateReport, StateSettings } from '../state/options.js';
import type { PageDelivery } from '../state/page-delivery.js';
import { PipelineState } from '../state/pipeline-state.js';
import type { OpenSink, Page, ReadPlan } from './contracts.js';
import type { SinkMemory } from './memory.js';

/** What becomes of a page's proposals, sink by sink, as far as it is to be remembered. */
export interface PageNotes {
  /** Those of the page's proposals that the sink does not have. */
  unsent(sink: string): readonly Proposal[];
  refused(sink: string, proposal: Proposal): void;
  /** Every sink has confirmed the page, but for what it refused. Resolves when it is noted. */
  delivered(): Promise<void>;
}

/** Without state: everything is sent, nothing is noted. */
export function forgetful(proposals: readonly Proposal[]): PageNotes {
  return {
    unsent: () => proposals,
    refused: () => undefined,
    delivered: () => Promise.resolve(),
  };
}

export interface StateOptions {
  readonly settings: StateSettings;
  /** What the pipeline reads, without credentials. */
  readonly pipeline: string;
  /** Labels of the sinks. */
  readonly sinks: readonly string[];
  readonly plan: ReadPlan;
  readonly fresh: boolean;
  readonly full: boolean;
  readonly dryRun: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export class StateKeeper {
  readonly state: PipelineState;
  /** Proposals that a sink had already, by its label. */
  readonly unchanged = new Map<string, number>();
  readonly #sinks = new Map<string, OpenSink>();
  /** Records that were rejected and are not in the file yet. */
  #rejected = 0;
  /** Settles when the last page that was begun is noted. */
  #noted: Promise<void> = Promise.resolve();

  private constructor(
    state: PipelineState,
    readonly settings: StateSettings,
    readonly labels: readonly string[],
  ) {
    this.state = state;
    for (const label of labels) this.unchanged.set(label, 0);
  }

  static open({ settings, pipeline, sinks, plan, ...rest }: StateOptions): StateKeeper {
    const { fresh, full, dryRun, startedAt } = rest;
    const kinds = [...plan.kinds];
    const request = { pipeline, sinks, kinds, fresh, full, now: startedAt };
    return new StateKeeper(PipelineState.open(settings, request, dryRun), settings, sinks);
  }

  /** The plan with what the source is to know. */
  plan(plan: ReadPlan): ReadPlan {
    const { sweep, memory } = this.state;
    const { since } = sweep;
    const positions = this.state.positions();
    return { ...plan, memory: { ...memory, positions, ...(since === undefined ? {} : { since }) } };
  }

  sinkMemory(label: string): SinkMemory {
    const position = this.state.sinkPosition(label);
    return position === undefined ? {} : { position };
  }

  /** A record could not be read or mapped. */
  countRejected(): void {
    this.#rejected += 1;
  }

  /** Whether any record of this sweep was rejected, in all runs that it took. */
  get anyRejected(): boolean {
    return this.#rejected > 0 || this.state.rejected > 0;
  }

  opened(label: string, sink: OpenSink): void {
    this.#sinks.set(label, sink);
  }

  /** Call it in the order in which the source gave the pages, before anything else is awaited. */
  begin(page: Page<unknown>): (proposals: readonly Proposal[]) => PageNotes {
    const before = this.#noted;
    let noted: () => void = () => undefined;
    this.#noted = new Promise((resolve) => {
      noted = resolve;
    });
    return (proposals) => {
      const delivery = this.state.page(proposals);
      return this.#notes(delivery, proposals.length, async () => {
        await before;
        const { records, unchanged, position } = page;
        this.state.commit(delivery, {
          records,
          rejected: this.#rejected,
          sinkPositions: this.#positions(),
          ...(unchanged === undefined ? {} : { unchanged }),
          ...(position === undefined ? {} : { position }),
        });
        this.#rejected = 0;
        noted();
      });
    };
  }

  /** The same for a page of removals; `onRemoved` is told how many no sink refused. */
  beginRemoval(proposals: readonly Proposal[], onRemoved: (count: number) => void): PageNotes {
    const delivery = this.state.page(proposals);
    return this.#notes(delivery, proposals.length, () => {
      const urns = proposals.map(({ entityUrn }) => entityUrn);
      onRemoved(this.state.commitRemoval(delivery, urns, this.#positions()));
      return Promise.resolve();
    });
  }

  /** Everything was delivered and every sink is closed. */
  complete(now: number): void {
    this.state.complete(now, this.#positions());
  }

  close(): void {
    this.state.close();
  }

  report(stale: StaleReport): StateReport {
    const { number, kind, since, resumed } = this.state.sweep;
    return {
      path: this.state.path,
      sweep: number,
      kind,
      resumed,
      ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
      unchanged: Object.fromEntries(this.unchanged),
      stale,
    };
  }

  #notes(delivery: PageDelivery, count: number, delivered: () => Promise<void>): PageNotes {
    return {
      unsent: (sink) => {
        const unsent = delivery.unsent(this.state.sinkId(sink));
        this.unchanged.set(sink, (this.unchanged.get(sink) ?? 0) + count - unsent.length);
        return unsent;
      },
      refused: (sink, proposal) => {
        delivery.refused(this.state.sinkId(sink), proposal);
      },
      delivered,
    };
  }

  #positions(): Map<string, JsonValue> {
    const positions = new Map<string, JsonValue>();
    for (const [label, sink] of this.#sinks) {
      const position = sink.position?.();
      if (position !== undefined) positions.set(label, position);
    }
    return positions;
  }
}
