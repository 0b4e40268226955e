/**
 * Counts what a run does, for the progress line, the summary and the report.
 */

import { DESCRIBED_BY } from '../datahub/entity-aspects.js';
import type { Proposal } from '../datahub/proposal.js';

/** The aspect that each entity of ours has exactly once: telling URNs apart would take a set of them all. */
const COUNTED_BY: ReadonlyMap<string, string> = new Map([
  ...Object.entries(DESCRIBED_BY),
  ['mlFeature', 'mlFeatureProperties'],
  ['platformResource', 'platformResourceInfo'],
  ['tag', 'tagProperties'],
]);

/** A warning with how often it came and a few examples of where. */
export interface WarningGroup {
  readonly code: string;
  readonly message: string;
  readonly count: number;
  readonly examples: readonly string[];
}

export interface RunCounts {
  readonly requests: number;
  readonly retries: number;
  readonly pages: number;
  /** Records read, by kind. */
  readonly read: Readonly<Record<string, number>>;
  /** Proposals that came out of the operators, by aspect name. */
  readonly aspects: Readonly<Record<string, number>>;
  /** Entities that proposals came out for, by entity type. */
  readonly entities: Readonly<Record<string, number>>;
  /** Proposals confirmed, by sink. */
  readonly delivered: Readonly<Record<string, number>>;
  /** What was left out on purpose, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: number;
  readonly warnings: readonly WarningGroup[];
}

const MAX_EXAMPLES = 5;

export class Recorder {
  requests = 0;
  retries = 0;
  pages = 0;
  rejected = 0;
  readonly #read = new Map<string, number>();
  readonly #aspects = new Map<string, number>();
  readonly #entities = new Map<string, number>();
  readonly #delivered = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #warnings = new Map<string, { message: string; count: number; examples: string[] }>();

  read(kind: string, count = 1): void {
    add(this.#read, kind, count);
  }

  /** A proposal came out of the operators. */
  proposal({ entityType, aspectName }: Proposal): void {
    add(this.#aspects, aspectName, 1);
    if (COUNTED_BY.get(entityType) === aspectName) add(this.#entities, entityType, 1);
  }

  delivered(sink: string, count: number): void {
    add(this.#delivered, sink, count);
  }

  /** Something was left out on purpose, such as the repeats that `dedup` drops. */
  skipped(reason: string, count = 1): void {
    add(this.#skipped, reason, count);
  }

  /** `message` is the same for all of a code; `example` says where. */
  warn(code: string, message: string, example?: string): void {
    const group = this.#warnings.get(code) ?? { message, count: 0, examples: [] };
    group.count += 1;
    if (example !== undefined && group.examples.length < MAX_EXAMPLES) group.examples.push(example);
    this.#warnings.set(code, group);
  }

  counts(): RunCounts {
    return {
      requests: this.requests,
      retries: this.retries,
      pages: this.pages,
      read: Object.fromEntries(this.#read),
      aspects: Object.fromEntries(this.#aspects),
      entities: Object.fromEntries(this.#entities),
      delivered: Object.fromEntries(this.#delivered),
      skipped: Object.fromEntries(this.#skipped),
      rejected: this.rejected,
      warnings: [...this.#warnings].map(([code, group]) => ({ code, ...group })),
    };
  }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
