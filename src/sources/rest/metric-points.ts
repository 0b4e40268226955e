/**
 * Points of metrics of a server, which can only be asked for those of one metric of one run.
 */

import { messageOf } from '../../core/errors.js';
import { searchAnswer } from '../../mlflow/answer.js';
import { HttpStatusError, ResponseTooLargeError } from '../../mlflow/client/failures.js';
import type { Call, MlflowClient } from '../../mlflow/client/mlflow-client.js';
import { LastPoints, takePoint } from '../../mlflow/metric-points.js';
import type { MetricPoint } from '../../mlflow/types.js';
import type { AskedMetrics, FoundPoints } from '../store.js';
import { inParallel } from './in-parallel.js';

/** In an answer, where the server takes a number; others send all of them, in the order of their rows. */
const POINTS_PER_ANSWER = 25_000;

/** What a server answers about one metric or one run, gone by now for instance, and not about itself. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404]);

/**
 * A request for each metric of each run, or several where there are very many points. All of them have
 * to be asked for: a server can order them by time alone, and from the first one on.
 *
 * @param concurrency - requests at a time
 * @throws PipelineError of the client, and `SOURCE_WRONG_ANSWER`; what is refused, malformed or too
 *   large of one metric is among what is found
 */
export async function readMetricPoints(
  client: MlflowClient,
  asked: readonly AskedMetrics[],
  concurrency: number,
): Promise<readonly FoundPoints[]> {
  const found = asked.map(() => ({
    points: new Map<string, readonly MetricPoint[]>(),
    unread: new Map<string, string>(),
  }));
  const series = asked.flatMap(({ run, keys, points }, place) =>
    keys.map((key) => ({ runId: run.runId, key, points, into: found[place] })),
  );
  await inParallel(series, concurrency, async ({ runId, key, points, into }) => {
    const last = new LastPoints(points);
    const problem = await readInto(last, client, runId, key);
    if (problem === undefined) into?.points.set(key, last.end());
    else into?.unread.set(key, problem);
  });
  return found;
}

/** Gives why a metric can't be read; undefined where it was. */
async function readInto(
  last: LastPoints,
  client: MlflowClient,
  runId: string,
  key: string,
): Promise<string | undefined> {
  const tokens = new Set<string>();
  let token: string | undefined;
  try {
    for (;;) {
      const call: Call = {
        method: 'GET',
        path: 'metrics/get-history',
        query: {
          run_id: runId,
          metric_key: key,
          max_results: POINTS_PER_ANSWER,
          page_token: token,
        },
      };
      const answer = searchAnswer(await client.json(call), 'metrics', client.describe(call));
      for (const point of answer.items) {
        const problem = takePoint(point, last);
        if (problem !== undefined) return problem;
      }
      token = answer.token;
      if (token === undefined) return undefined;
      if (answer.items.length === 0 || tokens.has(token)) {
        return `${client.describe(call)} gives pages without an end`;
      }
      tokens.add(token);
    }
  } catch (error) {
    if (isOfOne(error)) return messageOf(error);
    throw error;
  }
}

function isOfOne(error: unknown): boolean {
  if (error instanceof ResponseTooLargeError) return true;
  return error instanceof HttpStatusError && REFUSALS.has(error.status);
}
