/**
 * The values of a metric of a logged model that MLflow shows, out of the file that has all of them:
 * one for each dataset that it was measured on.
 */

import { INTEGER, isGreater, type MetricValue, parseNumber } from './last-metric.js';
import { MetricLines } from './metric-lines.js';

/** As MLflow's JSON has it, without its key. */
export interface ModelMetricJson extends MetricValue {
  readonly run_id: string;
  readonly dataset_name: string | undefined;
  readonly dataset_digest: string | undefined;
}

/** Takes the file in pieces and keeps the greatest (step, timestamp, value) of each dataset. */
export class LastModelMetrics {
  readonly #best = new Map<string, ModelMetricJson>();
  readonly #lines = new MetricLines(parseLine, (metric) => {
    const place = JSON.stringify([metric.dataset_name, metric.dataset_digest]);
    const known = this.#best.get(place);
    if (known === undefined || isGreater(metric, known)) this.#best.set(place, metric);
  });

  /** @throws BrokenFile where a line is none of a metric */
  add(piece: Uint8Array): void {
    this.#lines.add(piece);
  }

  end(): readonly ModelMetricJson[] {
    this.#lines.end();
    return [...this.#best.values()];
  }
}

/** `timestamp value step run`, or that with a dataset's name and digest behind it. */
function parseLine(line: string): ModelMetricJson | undefined {
  const fields = line.trim().split(' ');
  const [timestamp = '', number = '', step = '', runId = '', name, digest] = fields;
  const value = parseNumber(number);
  if (fields.length !== 4 && fields.length !== 6) return undefined;
  if (value === undefined || !INTEGER.test(timestamp) || !INTEGER.test(step)) return undefined;
  return {
    value,
    timestamp: Number(timestamp),
    step: Number(step),
    run_id: runId,
    dataset_name: name,
    dataset_digest: digest,
  };
}
