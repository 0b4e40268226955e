/**
 * Experiments out of the tables `experiments` and `experiment_tags`.
 */

import { EXPERIMENT } from '../../mlflow/parse.js';
import type { Experiment } from '../../mlflow/types.js';
import { ends, Lists, type PageReader, parsePage, tagJson } from './pages.js';
import { ask, type Dialect } from './query.js';
import type { StoreSchema } from './schema.js';
import { experimentIsIn } from './workspaces.js';

/** What follows WHERE for the experiments that are read. `e` is the table. */
export function activeExperiments(schema: StoreSchema): string {
  return `e.lifecycle_stage = 'active' AND ${experimentIsIn(schema, 'e')}`;
}

/** Active experiments, by id. */
export function experimentReader(
  { select, asText, integerParameter, tagsInRange }: Dialect,
  schema: StoreSchema,
): PageReader<Experiment> {
  const times = schema.experimentTimes ? ['creation_time', 'last_update_time'] : [];
  const columns = ['name', 'artifact_location', 'lifecycle_stage', ...times];
  const experiments = select(
    // As text: an id may be greater than what a number of JavaScript holds.
    [asText('e.experiment_id'), ...columns.map((column) => `e.${column}`)],
    `(SELECT * FROM experiments AS e
      WHERE ${activeExperiments(schema)} AND e.experiment_id > ${integerParameter('?1')}
      ORDER BY e.experiment_id LIMIT ?2) AS e`,
  );
  const tags = select(
    [asText('t.experiment_id'), 't.key', 't.value'],
    tagsInRange(
      'experiment_tags',
      'true',
      `t.experiment_id BETWEEN ${integerParameter('?1')} AND ${integerParameter('?2')}`,
    ),
  );
  return function* (after, pageSize) {
    const rows = yield* ask(experiments, [...(after ?? ['-9223372036854775808']), pageSize]);
    const range = ends(rows);
    if (range === undefined) return { page: { items: [], rejected: [] } };
    const [first, last] = [String(range[0][0]), String(range[1][0])];
    const tagsOf = new Lists<unknown>();
    for (const [id, key, value] of yield* ask(tags, [first, last])) {
      tagsOf.add(String(id), tagJson(key, value));
    }
    const page = parsePage(
      EXPERIMENT,
      rows.map(([id, name, artifactLocation, lifecycleStage, creationTime, lastUpdateTime]) => ({
        experiment_id: id,
        name,
        artifact_location: artifactLocation,
        lifecycle_stage: lifecycleStage,
        // The server leaves out a time of 0.
        creation_time: creationTime === 0 ? null : creationTime,
        last_update_time: lastUpdateTime === 0 ? null : lastUpdateTime,
        tags: tagsOf.of(String(id)),
      })),
    );
    return rows.length < pageSize ? { page } : { page, next: [last] };
  };
}
