/**
 * `setEnv`: which environment models and experiments are of.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { FABRIC_TYPES, type FabricType } from '../datahub/urn.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { Operator } from '../stream/contracts.js';
import { placeRecords, type NamedThing } from './placement/place-records.js';
import { byFunction, byPatterns, nameOptions } from './placement/placement-rule.js';

const NAME = 'setEnv';

export const setEnvOptionsSchema = z.strictObject({
  env: z
    .enum(FABRIC_TYPES)
    .describe('DataHub environment; goes into the URNs of models, so set it before first use'),
  ...nameOptions,
});

export type SetEnvOptions = z.input<typeof setEnvOptionsSchema>;

/**
 * Says which environment models and experiments are of, where not all of them are of that of
 * `buildUrns`. It is part of the URNs of a model and its versions, and all references to them agree,
 * as it is said by name alone. URNs of experiments have no environment, as with all containers: it
 * is named in their properties, which DataHub knows from 0.14.1 on. Datasets are in PROD always.
 * Without `experiments` or `models` it is for all of both; with one of them, for nothing but what is
 * named.
 *
 * Its place is before `buildUrns`. Several of them stand beside each other: the last one that is for
 * a thing counts.
 *
 * @param rule - options, or a function that gives the environment of an experiment or a model,
 * undefined for that of `buildUrns`; it has to give the same each time
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const model = { name: 'churn-dev', creationTimestamp: 1, lastUpdatedTimestamp: 2, tags: [], aliases: [] };
 * from<MlflowRecord[]>([{ kind: 'registeredModel', server, model }])
 *   .pipe(setEnv({ env: 'DEV', models: '.*-dev' }), buildUrns())
 *   .subscribe(({ urns }) => console.log('group' in urns && urns.group));
 * // urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn-dev,DEV)
 */
export function setEnv(
  rule: SetEnvOptions | ((thing: NamedThing) => FabricType | undefined),
): Operator<MlflowRecord, MlflowRecord> {
  if (typeof rule === 'function') return placeRecords(byFunction(NAME, 'env', rule));
  const { env, experiments, models } = parseOptions(NAME, setEnvOptionsSchema, rule);
  return placeRecords(
    byPatterns(NAME, 'env', env, { experiment: experiments, registeredModel: models }),
  );
}
