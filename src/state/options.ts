/**
 * Options of the state that runs keep, and what is told about it.
 */

import { z } from 'zod';

export const stateOptionsSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('The file that runs remember in, made when it is not there; one for each pipeline'),
  lookbackDays: z
    .number()
    .positive()
    .optional()
    .describe(
      'Read only runs that started so many days before the last sweep or later, beside those that ' +
        'had not ended and those that something else touches. Otherwise every run each time; days',
    ),
  fullSweepEveryDays: z
    .number()
    .positive()
    .default(1)
    .describe('With a lookback: read every run when the last full sweep is older than this; days'),
  fullSweepEverySweeps: z
    .int()
    .min(1)
    .optional()
    .describe('With a lookback: read every run also after so many sweeps that did not'),
  removeStale: z
    .boolean()
    .default(true)
    .describe('Mark as removed in DataHub what is gone from MLflow, or is filtered out by now'),
  staleLimitPercent: z
    .number()
    .min(0)
    .max(100)
    .default(75)
    .describe('Remove nothing when more than this part of all entities would go; percent'),
});

/** As written in a configuration: `state: { path: 'mlflow.state' }`. */
export type StateOptions = z.input<typeof stateOptionsSchema>;

/** With the defaults filled in. */
export type StateSettings = z.output<typeof stateOptionsSchema>;

/** `full`: every run is read. `lookback`: those that may have changed. */
export type SweepKind = 'full' | 'lookback';

/** What a run did with its state. */
export interface StateReport {
  readonly path: string;
  /** Counts the sweeps over the source; a sweep that broke off is gone on with under its number. */
  readonly sweep: number;
  readonly kind: SweepKind;
  /** Whether it went on where an earlier run broke off. */
  readonly resumed: boolean;
  /** Of a lookback: the earliest start of the runs that are read. ISO 8601, UTC. */
  readonly since?: string;
  /** Proposals that were not sent because the sink has them, by sink. */
  readonly unchanged: Readonly<Record<string, number>>;
  readonly stale: StaleReport;
}

export interface StaleReport {
  /** Entities marked as removed; with `--dry-run`, those that would be. */
  readonly removed: number;
  /** Entities that were not found, and kept since the store does not say that they are gone. */
  readonly kept: number;
  /** URNs of those removed, the first thousand; in a dry run also of those over the limit. */
  readonly urns: readonly string[];
  /**
   * Why nothing was removed; absent where removing was possible. Over the limit, it says how many of
   * how many would have gone, and what `staleLimitPercent` is.
   */
  readonly skipped?: string;
  /** Whether it was skipped because more than the limit would have gone. */
  readonly overLimit: boolean;
}

/** What a state file holds, for `state show`. */
export interface StateFacts {
  readonly path: string;
  readonly bytes: number;
  /** Of the file's tables. */
  readonly schemaVersion: number;
  /** What the pipeline reads, without credentials. */
  readonly pipeline: string;
  /** The last sweeps, newest first. */
  readonly sweeps: readonly SweepFacts[];
  /** Entities that DataHub has from here, by type. */
  readonly entities: Readonly<Record<string, number>>;
  /** Entities that were marked as removed. */
  readonly removed: number;
  /** Runs that had not ended when they were read last. */
  readonly openRuns: number;
  readonly sinks: readonly SinkFacts[];
}

export interface SweepFacts {
  readonly sweep: number;
  readonly kind: SweepKind;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** ISO 8601, UTC; absent of one that broke off or is not over. */
  readonly completedAt?: string;
  /** Of a lookback. ISO 8601, UTC. */
  readonly since?: string;
  /** Names of those that were read to their end, sorted; absent where that is `default` alone. */
  readonly workspaces?: readonly string[];
}

export interface SinkFacts {
  readonly sink: string;
  /** Entities that it has. */
  readonly entities: number;
  /** The last sweep over everything that it was part of. */
  readonly lastFullSweep?: number;
}
