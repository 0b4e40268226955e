/**
 * `setPlatformInstance`: which of several instances of MLflow things are from.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { pattern } from '../core/pattern.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { Operator } from '../stream/contracts.js';
import { placeRecords, type NamedThing } from './placement/place-records.js';
import { byFunction, byPatterns, nameOptions } from './placement/placement-rule.js';

const NAME = 'setPlatformInstance';

export const setPlatformInstanceOptionsSchema = z.strictObject({
  platformInstance: z
    .string()
    .min(1)
    .describe('Name of a platform instance; goes into the URNs, so set it before first use'),
  ...nameOptions,
  datasets: pattern().optional().describe("Names of MLflow's datasets that it is for"),
});

export type SetPlatformInstanceOptions = z.input<typeof setPlatformInstanceOptionsSchema>;

/**
 * Says which platform instance things are from, where not all of them are from that of `buildUrns`:
 * an experiment with its runs and their users, a model with its versions and its version set, a
 * dataset as MLflow knows it. URNs and all references to them agree, as it is said by name alone.
 * Without `experiments`, `models` or `datasets` it is for everything; with one of them, for nothing
 * but what is named.
 *
 * Its place is before `buildUrns`. Several of them stand beside each other: the last one that is for
 * a thing counts.
 *
 * @param rule - options, or a function that gives the instance of a thing, undefined for that of
 * `buildUrns`; it has to give the same each time
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const model = { name: 'eu-churn', creationTimestamp: 1, lastUpdatedTimestamp: 2, tags: [], aliases: [] };
 * from<MlflowRecord[]>([{ kind: 'registeredModel', server, model }])
 *   .pipe(setPlatformInstance({ platformInstance: 'eu', models: 'eu-.*' }), buildUrns())
 *   .subscribe(({ urns }) => console.log('group' in urns && urns.group));
 * // urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,eu.eu-churn,PROD)
 */
export function setPlatformInstance(
  rule: SetPlatformInstanceOptions | ((thing: NamedThing) => string | undefined),
): Operator<MlflowRecord, MlflowRecord> {
  if (typeof rule === 'function') return placeRecords(byFunction(NAME, 'platformInstance', rule));
  const { platformInstance, experiments, models, datasets } = parseOptions(
    NAME,
    setPlatformInstanceOptionsSchema,
    rule,
  );
  const patterns = { experiment: experiments, registeredModel: models, dataset: datasets };
  return placeRecords(byPatterns(NAME, 'platformInstance', platformInstance, patterns));
}
