/**
 * The experiments that a sweep has met, and which of their runs it has to read. A run refers to its
 * experiment by name: what was delivered before a rename has to be delivered again.
 */

import { experimentKey } from '../mlflow/record-key.js';
import type { Experiment } from '../mlflow/types.js';
import { digestOfExperiment } from './digest.js';
import { deliveredContents } from './records.js';
import type { StateDatabase } from './state-database.js';
import { toKey } from './text-key.js';

/**
 * Which runs of an experiment a sweep has to read.
 *
 * - `since`: those that started at or after the time that a lookback goes back to
 * - `rest`: all that this sweep has not delivered, whenever they started: everything is read, or the
 *   experiment is new, or was renamed after the last sweep
 * - `again`: all, also what this sweep has delivered, for it did so by another name
 */
export type NeededRuns = 'since' | 'rest' | 'again';

type NamedExperiment = Pick<Experiment, 'experimentId' | 'name'>;

interface Met {
  readonly content: string;
  readonly runs: NeededRuns;
}

/**
 * Notes the experiments, and gives by id what they need. An experiment's own page is soon noted with
 * its new name: what its runs need must outlive that.
 *
 * @param workspace - that they are in; undefined for `default`
 */
export function meetExperiments(
  database: StateDatabase,
  experiments: readonly NamedExperiment[],
  workspace: string | undefined,
): Map<string, NeededRuns> {
  const place = workspace === undefined ? '' : `@${workspace} `;
  const keyOf = (experimentId: string): string => toKey(`${place}${experimentId}`);
  const met = metExperiments(
    database,
    experiments.map(({ experimentId }) => keyOf(experimentId)),
  );
  const delivered = new Map(
    deliveredContents(
      database,
      experiments.map(({ experimentId }) => experimentKey(experimentId, workspace)),
    ),
  );
  const needed = new Map<string, NeededRuns>();
  const rows: (readonly string[])[] = [];
  for (const experiment of experiments) {
    const { experimentId } = experiment;
    const content = digestOfExperiment(experiment);
    const before = met.get(keyOf(experimentId));
    const runs =
      before?.content === content
        ? before.runs
        : neededNow(before, delivered.get(experimentKey(experimentId, workspace)), content);
    needed.set(experimentId, runs);
    if (before?.content !== content) rows.push([keyOf(experimentId), content, runs]);
  }
  if (rows.length > 0) {
    database.transaction(() => {
      database.run(
        `INSERT OR REPLACE INTO met_experiments
         SELECT value->>0, value->>1, value->>2 FROM json_each(?)`,
        JSON.stringify(rows),
      );
    });
  }
  return needed;
}

/**
 * Begins another sweep, while the last may not have come to its end: it may have delivered new names,
 * and not all of the runs that go by them. In a transaction.
 */
export function keepNeededRuns(database: StateDatabase): void {
  database.run(`DELETE FROM met_experiments WHERE runs = 'since'`);
  database.run(`UPDATE met_experiments SET runs = 'rest'`);
}

/** In a transaction, when everything that was needed has been delivered. */
export function forgetMetExperiments(database: StateDatabase): void {
  database.run('DELETE FROM met_experiments');
}

function neededNow(
  before: Met | undefined,
  delivered: string | null | undefined,
  content: string,
): NeededRuns {
  if (before !== undefined) return 'again';
  return delivered === content ? 'since' : 'rest';
}

/** By key. */
function metExperiments(database: StateDatabase, keys: readonly string[]): Map<string, Met> {
  const rows = database.select<readonly [string, string, NeededRuns]>(
    ['m.experiment_id', 'm.content', 'm.runs'],
    'json_each(?) AS j CROSS JOIN met_experiments AS m ON m.experiment_id = j.value',
    JSON.stringify(keys),
  );
  return new Map(rows.map(([key, content, runs]) => [key, { content, runs }]));
}
