/**
 * Runs with what some of their metrics were before:
 *
 *   page of runs ─> parts that have so many points, at most ─> when a part is wanted, the store is asked
 *     for those of its runs ─> the runs of the part with them
 *
 * So there are never more points in memory than those of the parts that are on their way.
 */

import { patternTest } from '../../core/pattern.js';
import { type MetricHistoryChoice, pointsBefore } from '../../mlflow/metric-points.js';
import type { Metric, Run } from '../../mlflow/types.js';
import { inWorkspace } from '../../mlflow/workspace.js';
import type { Recorder } from '../../stream/recorder.js';
import type { AskedMetrics, FoundPoints, MlflowStore } from '../store.js';

/**
 * In a part, and so of a run, at most. In DataHub a point takes some 80 bytes, and counts for more where
 * its name is long: an aspect with so many of
 * them passes through what takes the least, a broker of Kafka as DataHub ships it.
 */
const POINTS_OF_PART = 20_000;

/** Of a point without its name, which stands in each. */
const BARE_BYTES = 50;

export interface RunsPart {
  readonly runs: readonly Run[];
  readonly isLast: boolean;
}

/** A run and what is asked of it; nothing where it has no such metric. */
interface Wanted {
  readonly run: Run;
  readonly asked: AskedMetrics | undefined;
}

export class MetricHistories {
  readonly #isChosen: (key: string) => boolean;

  constructor(
    private readonly store: Pick<MlflowStore, 'metricPoints' | 'server'>,
    private readonly recorder: Recorder,
    private readonly choice: MetricHistoryChoice,
  ) {
    this.#isChosen = patternTest(choice.metrics);
  }

  /** All of the runs, in their order; at least one part. */
  async *parts(runs: readonly Run[]): AsyncGenerator<RunsPart, undefined> {
    const parts = this.#split(runs);
    for (const [place, part] of parts.entries()) {
      yield { runs: await this.#withHistories(part), isLast: place === parts.length - 1 };
    }
  }

  #split(runs: readonly Run[]): readonly (readonly Wanted[])[] {
    let part: Wanted[] = [];
    let room = POINTS_OF_PART;
    const parts = [part];
    for (const run of runs) {
      const asked = this.#askedOf(run);
      const points = asked === undefined ? 0 : weightOf(asked.keys) * asked.points;
      if (points > room) {
        part = [];
        parts.push(part);
        room = POINTS_OF_PART;
      }
      part.push({ run, asked });
      room -= points;
    }
    return parts;
  }

  #askedOf(run: Run): AskedMetrics | undefined {
    const keys = run.metrics.flatMap(({ key }) => (this.#isChosen(key) ? [key] : []));
    if (keys.length === 0) return undefined;
    const points = Math.min(this.choice.points, Math.floor(POINTS_OF_PART / weightOf(keys)));
    // The last one is known.
    if (points > 1) return { run, keys, points };
    this.#warnOfLess(run, 1, keys.length);
    return undefined;
  }

  async #withHistories(part: readonly Wanted[]): Promise<readonly Run[]> {
    const asked = part.flatMap((one) => one.asked ?? []);
    if (asked.length === 0) return part.map(({ run }) => run);
    const found = (await this.store.metricPoints?.(asked)) ?? [];
    const byRun = new Map(asked.map(({ run }, place) => [run, found[place]]));
    return part.map(({ run, asked: mine }) => {
      const points = byRun.get(run);
      return mine === undefined || points === undefined ? run : this.#completed(run, mine, points);
    });
  }

  #completed(run: Run, { keys, points: limit }: AskedMetrics, found: FoundPoints): Run {
    const { points, unread } = found;
    if (limit < this.choice.points && [...points.values()].some((all) => all.length === limit)) {
      this.#warnOfLess(run, limit, keys.length);
    }
    for (const [key, why] of unread) {
      this.recorder.warn(
        'METRIC_HISTORY_NOT_READ',
        'the history of a metric could not be read: its run is sent with the last value',
        `${this.#nameOf(run)} metric ${key}: ${why}`,
      );
    }
    const metrics = run.metrics.map((metric): Metric => {
      const history = pointsBefore(metric, points.get(metric.key) ?? []).slice(-(limit - 1));
      return history.length === 0 ? metric : { ...metric, history };
    });
    return { ...run, metrics };
  }

  #warnOfLess(run: Run, points: number, metrics: number): void {
    this.recorder.warn(
      'METRIC_HISTORY_SHORTENED',
      'a run has so many metrics with a history that fewer points of each are sent',
      `${this.#nameOf(run)}: ${points} of each of ${metrics}`,
    );
  }

  #nameOf({ runId }: Run): string {
    return inWorkspace(`run ${runId}`, this.store.server.workspace);
  }
}

/** In points of 80 bytes, for one point of each. */
function weightOf(keys: readonly string[]): number {
  return keys.reduce((sum, { length }) => sum + Math.max(1, (length + BARE_BYTES) / 80), 0);
}
