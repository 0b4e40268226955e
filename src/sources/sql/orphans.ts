/**
 * Runs that nothing leads to: their experiment has no row. MLflow forbids them by a foreign key,
 * which SQLite heeds only when it is told to, so a script that deletes experiments leaves them.
 */

import type { RunContext } from '../../stream/contracts.js';
import { ask, type Dialect, type Reading } from './query.js';

/**
 * Warns of active runs whose experiment is missing: as on MLflow's own server, runs are read by
 * their experiments, and a run's container in DataHub is named by its experiment.
 */
export function* reportOrphans({ select }: Dialect, context: RunContext): Reading<void> {
  const orphans = yield* ask(
    select(
      ['o.experiment_id', 'o.number'],
      `(SELECT r.experiment_id, count(*) AS number FROM runs AS r
        WHERE r.lifecycle_stage = 'active' AND NOT EXISTS
          (SELECT 1 FROM experiments AS e WHERE e.experiment_id = r.experiment_id)
        GROUP BY r.experiment_id ORDER BY r.experiment_id) AS o`,
    ),
  );
  for (const [experimentId, number] of orphans) {
    context.recorder.skipped('runs whose experiment is missing', Number(number));
    context.recorder.warn(
      'RUNS_WITHOUT_EXPERIMENT',
      'Runs are left out whose experiment has no row in the database: MLflow does not show them either',
      `${String(number)} of experiment ${experimentId === null ? 'NULL' : String(experimentId)}`,
    );
  }
}
