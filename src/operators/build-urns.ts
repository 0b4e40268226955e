/**
 * `buildUrns`: gives every record the URNs of what it becomes, and of what that refers to.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { FABRIC_TYPES } from '../datahub/urn.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import { UrnBuilder } from './build-urns/urn-builder.js';
import type { IdentifiedRecord } from './identified-record.js';
import { perRecord, workspaceOf } from './per-record.js';

export const buildUrnsOptionsSchema = z.strictObject({
  modelNameSeparator: z
    .string()
    .min(1)
    .default('_')
    .describe('What stands between model and version in the name of an mlModel: churn_3'),
  env: z
    .enum(FABRIC_TYPES)
    .default('PROD')
    .describe('DataHub environment of models and model groups (datasets are always in PROD)'),
  platformInstance: z
    .string()
    .min(1)
    .optional()
    .describe('Name of this MLflow among several; goes into the URNs, so set it before first use'),
});

export type BuildUrnsOptions = z.input<typeof buildUrnsOptionsSchema>;

/**
 * Adds `urns` to each record. With the defaults they are byte for byte those of DataHub's own
 * connector; names with `,` `(` `)`, for which the connector makes URNs that DataHub can't read,
 * are percent-encoded. Those of a workspace of MLflow 3 have it in all but stages and users. What a
 * record says of where something is (`setEnv`, `setPlatformInstance`) counts before the options.
 *
 * A record that DataHub would refuse for its URN (longer than 512 bytes URL-encoded, blank at an
 * end, without a name) is rejected with the code `BAD_URN`; runs refer to such versions and
 * datasets no more, with a warning. Outside a pipeline, the stream errors instead.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const experiment = { experimentId: '1', name: 'churn', lifecycleStage: 'active', tags: [] };
 * from<MlflowRecord[]>([{ kind: 'experiment', server, experiment }])
 *   .pipe(buildUrns({ env: 'DEV' }))
 *   .subscribe(({ urns }) => console.log(urns));
 * // { platform: 'urn:li:dataPlatform:mlflow', experiment: 'urn:li:container:…' }
 */
export function buildUrns(
  options: BuildUrnsOptions = {},
): Operator<MlflowRecord, IdentifiedRecord> {
  const settings = parseOptions('buildUrns', buildUrnsOptionsSchema, options);
  let builder = new UrnBuilder(settings, undefined);
  let context: RunContext | undefined;
  const warn = (identity: string, problem: string): void => {
    context?.recorder.warn(
      'UNLINKED_URN',
      'a run refers to an entity that DataHub would refuse, and is sent without that link',
      `${identity}: ${problem}`,
    );
  };
  const operator: Operator<MlflowRecord, IdentifiedRecord> = perRecord(
    (record) => {
      const workspace = workspaceOf(record);
      // Workspaces are read one after the other.
      if (workspace !== builder.workspace) builder = new UrnBuilder(settings, workspace);
      return [builder.identify(record, warn)];
    },
    () => context,
  );
  return Object.assign(operator, {
    label: 'buildUrns',
    signature: `buildUrns ${JSON.stringify(settings)}`,
    takes: 'record' as const,
    open: (run: RunContext) => {
      context = run;
    },
  });
}
