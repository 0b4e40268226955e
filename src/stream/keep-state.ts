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

import { createRequire } from 'node:module';
import type { JsonValue, Proposal } from '../datahub/proposal.js';
import { recordKey, type RecordKey } from '../mlflow/record-key.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { ServerFacts } from '../mlflow/types.js';
import { inputDigests } from '../state/digest.js';
import type { StaleReport, StateReport, StateSettings } from '../state/options.js';
import type { PageDelivery } from '../state/page-delivery.js';
import { PipelineState } from '../state/pipeline-state.js';
import { isRecord } from '../state/records.js';
import type { AnyOperator, OpenSink, Page, ReadPlan, Rejection } from './contracts.js';
import type { ReadMemory, SinkMemory } from './memory.js';

const { version: VERSION } = createRequire(import.meta.url)('../../package.json') as {
  readonly version: string;
};

/** What becomes of a page's proposals, sink by sink, as far as it is to be remembered. */
export interface PageNotes {
  /** Those of the page's proposals that the sink does not have. */
  unsent(sink: string): readonly Proposal[];
  refused(sink: string, proposal: Proposal): void;
  /** Every sink has confirmed the page, but for what it refused. Resolves when it is noted. */
  delivered(): Promise<void>;
}

/** A page as it goes into the operators. */
export interface BegunPage {
  /** Those that have to be mapped. */
  readonly records: readonly unknown[];
  /** How many were left out, since they would become what was delivered already. */
  readonly unchanged: number;
  /** Call it with what came out of the operators. */
  readonly notes: (proposals: readonly Proposal[]) => PageNotes;
}

/** Without state: everything is mapped and sent, nothing is noted. */
export function forgetful({ records }: Page<unknown>): BegunPage {
  return {
    records,
    unchanged: 0,
    notes: (proposals) => ({
      unsent: () => proposals,
      refused: () => undefined,
      delivered: () => Promise.resolve(),
    }),
  };
}

export interface StateOptions {
  readonly settings: StateSettings;
  /** What the pipeline reads, without credentials. */
  readonly pipeline: string;
  /** Labels of the sinks. */
  readonly sinks: readonly string[];
  readonly plan: ReadPlan;
  /** That are read; `default` among them under this name. */
  readonly workspaces: readonly string[];
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
  /** Absent where an operator can't say what its work depends on. */
  #inputOf: ((record: MlflowRecord) => string | undefined) | undefined;
  /** How often anything was rejected or refused. */
  #failures = 0;
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
    const { workspaces, fresh, full, dryRun, startedAt } = rest;
    const kinds = [...plan.kinds];
    const filters = choiceOf(plan);
    const request = { pipeline, sinks, kinds, workspaces, filters, fresh, full, now: startedAt };
    return new StateKeeper(PipelineState.open(settings, request, dryRun), settings, sinks);
  }

  /** The plan with what the source is to know. */
  plan(plan: ReadPlan): ReadPlan {
    const { since } = this.state.sweep;
    const positions = this.state.positions();
    const memoryOf = (workspace?: string): ReadMemory => ({
      ...this.state.memory(workspace),
      positions,
      ...(since === undefined ? {} : { since }),
      inWorkspace: memoryOf,
    });
    return { ...plan, memory: memoryOf() };
  }

  sinkMemory(label: string): SinkMemory {
    const position = this.state.sinkPosition(label);
    return position === undefined ? {} : { position };
  }

  /** Something could not be read, mapped or delivered. */
  countRejected({ kind }: Rejection): void {
    this.#failures += 1;
    if (kind === 'record') this.#rejected += 1;
  }

  /** Call it before the first page: what becomes of records besides what they are. */
  mappedBy(operators: readonly AnyOperator[], server: ServerFacts): void {
    const signatures = operators.map(({ signature }) => signature);
    if (signatures.includes(undefined)) return;
    // Another release may map otherwise, and another sink has got nothing yet.
    const whole = [VERSION, signatures, server, [...this.labels].sort()];
    this.#inputOf = inputDigests(JSON.stringify(whole));
  }

  /** Whether any record of this sweep was rejected, in all runs that it took. */
  get anyRejected(): boolean {
    return this.#rejected > 0 || this.state.rejected > 0;
  }

  opened(label: string, sink: OpenSink): void {
    this.#sinks.set(label, sink);
  }

  /** Call it in the order in which the source gave the pages, before anything else is awaited. */
  begin(page: Page<unknown>): BegunPage {
    const before = this.#noted;
    const failures = this.#failures;
    const { records, inputs, unchanged } = this.#changed(page);
    let noted: () => void = () => undefined;
    this.#noted = new Promise((resolve) => {
      noted = resolve;
    });
    const notes = (proposals: readonly Proposal[]): PageNotes => {
      const delivery = this.state.page(proposals);
      return this.#notes(delivery, proposals.length, async () => {
        await before;
        const { position } = page;
        this.state.commit(delivery, {
          read: page.records,
          records,
          // What failed meanwhile may be of this page, and is to be tried again.
          inputs: failures === this.#failures ? inputs : new Map(),
          unchanged: [...unchanged, ...(page.unchanged ?? [])],
          ...(page.leftOut === undefined ? {} : { leftOut: page.leftOut }),
          rejected: this.#rejected,
          sinkPositions: this.#positions(),
          ...(position === undefined ? {} : { position }),
        });
        this.#rejected = 0;
        noted();
      });
    };
    return { records, unchanged: unchanged.length, notes };
  }

  /** The same for a page of removals; `onRemoved` is told how many no sink refused. */
  beginRemoval(proposals: readonly Proposal[], onRemoved: (count: number) => void): PageNotes {
    const delivery = this.state.page(proposals);
    return this.#notes(delivery, proposals.length, () => {
      onRemoved(this.state.commitRemoval(delivery, this.#positions()));
      return Promise.resolve();
    });
  }

  /** Once sinks are open, or closed: what they then have to go on with. */
  noteSinks(): void {
    this.state.saveSinkPositions(this.#positions());
  }

  /**
   * Everything was delivered and every sink is closed.
   *
   * @param lost - workspaces that were not read to their end
   */
  complete(now: number, lost: ReadonlySet<string> = new Set()): void {
    this.state.complete(now, this.#positions(), lost);
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

  /** Leaves out the records of a page that were delivered and would become the same again. */
  #changed({ records }: Page<unknown>): {
    readonly records: readonly unknown[];
    readonly inputs: ReadonlyMap<RecordKey, string>;
    readonly unchanged: readonly RecordKey[];
  } {
    const inputs = new Map<RecordKey, string>();
    for (const record of records) {
      const key = isRecord(record) ? recordKey(record) : undefined;
      const input = key === undefined ? undefined : this.#inputOf?.(record as MlflowRecord);
      if (key !== undefined && input !== undefined) inputs.set(key, input);
    }
    if (inputs.size === 0) return { records, inputs, unchanged: [] };
    const unchanged = this.state.unchangedRecords(inputs);
    if (unchanged.size === 0) return { records, inputs, unchanged: [] };
    const changed = records.filter((record) => {
      const key = isRecord(record) ? recordKey(record) : undefined;
      return key === undefined || !unchanged.has(key);
    });
    return { records: changed, inputs, unchanged: [...unchanged] };
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

  /** Of every open sink; null where it has nothing to go on with. */
  #positions(): Map<string, JsonValue> {
    return new Map([...this.#sinks].map(([label, sink]) => [label, sink.position?.() ?? null]));
  }
}

/** What of the kinds is read, as text; as in older state files where that is up to filters alone. */
function choiceOf({ filters = [], metricHistory, prompts }: ReadPlan): string {
  const more = { ...(metricHistory && { metricHistory }), ...(prompts && { prompts }) };
  return JSON.stringify(Object.keys(more).length === 0 ? filters : [filters, more]);
}
