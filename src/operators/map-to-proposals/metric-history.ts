/**
 * What metrics of a run were before their last value.
 */

import { patternTest } from '../../core/pattern.js';
import type { JsonValue } from '../../datahub/proposal.js';
import { pythonFloat } from '../../datahub/python-float.js';
import type { MetricHistoryChoice } from '../../mlflow/metric-points.js';
import type { Metric, MetricPoint, Run } from '../../mlflow/types.js';
import { sortedByKey } from './aspects.js';

/** The earlier points of a metric that are to be shown, ascending. */
export type EarlierPoints = (metric: Metric) => readonly MetricPoint[];

const NONE: readonly MetricPoint[] = [];

/** A record from a dead-letter file may have more than is asked for by now. */
export function earlierPoints({ metrics, points }: MetricHistoryChoice): EarlierPoints {
  const isChosen = patternTest(metrics);
  return ({ key, history = NONE }) =>
    history.length > 0 && isChosen(key) ? history.slice(1 - points) : NONE;
}

/**
 * As `trainingMetrics`, with the earlier points of each metric before its last value, which stays as it
 * is: `[{"name": "f1", "description": "step 1", "value": "0.5", "createdAt": 1700000000000}, …]`
 */
export function metricsOverTime(run: Run, earlierOf: EarlierPoints): JsonValue {
  const metrics: JsonValue[] = [];
  for (const metric of sortedByKey(run.metrics)) {
    for (const { value, timestamp, step } of earlierOf(metric)) {
      metrics.push({
        name: metric.key,
        description: `step ${step}`,
        value: pythonFloat(value),
        createdAt: timestamp,
      });
    }
    metrics.push({ name: metric.key, value: pythonFloat(metric.value) });
  }
  return metrics;
}
