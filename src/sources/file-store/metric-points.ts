/**
 * The last points of a metric, out of the file that has all of them.
 */

import { join } from 'node:path';
import { LastPoints, takePoint } from '../../mlflow/metric-points.js';
import type { MetricPoint } from '../../mlflow/types.js';
import type { AskedMetrics, FoundPoints } from '../store.js';
import { BrokenFile } from './broken-file.js';
import { type MetricValue, parseMetricLine } from './last-metric.js';
import { MetricLines } from './metric-lines.js';
import type { StoreFolder } from './store-folder.js';

/** Takes the file in pieces, and holds no more than a bounded number of its lines. */
class PointsOfFile {
  readonly #last: LastPoints;
  readonly #lines: MetricLines<MetricValue>;

  constructor(limit: number) {
    const last = new LastPoints(limit);
    this.#last = last;
    this.#lines = new MetricLines(parseMetricLine, (point) => {
      const problem = takePoint(point, last);
      if (problem !== undefined) throw new BrokenFile(problem);
    });
  }

  /** @throws BrokenFile where a line is none of a metric, or has a number that is too large */
  add(piece: Uint8Array): void {
    this.#lines.add(piece);
  }

  end(): readonly MetricPoint[] {
    this.#lines.end();
    return this.#last.end();
  }
}

/** @param root - of the store: the run is in the folder of its experiment */
export async function pointsOfRun(
  folder: StoreFolder,
  root: string,
  { run, keys, points: limit }: AskedMetrics,
): Promise<FoundPoints> {
  const points = new Map<string, readonly MetricPoint[]>();
  const unread = new Map<string, string>();
  const metrics = join(root, run.experimentId, run.runId, 'metrics');
  await Promise.all(
    keys.map(async (key) => {
      try {
        const found = await folder.outOf(join(metrics, key), () => new PointsOfFile(limit));
        if (found !== undefined) points.set(key, found);
      } catch (error) {
        if (!(error instanceof BrokenFile)) throw error;
        unread.set(key, error.message);
      }
    }),
  );
  return { points, unread };
}
