/**
 * The deployment job of a registered model or a version, as custom properties.
 */

import type { DeploymentJob } from '../../mlflow/types.js';
import type { Properties } from './aspects.js';

/** Tags of the same names go before. */
export function deploymentInto(custom: Properties, job: DeploymentJob | undefined): void {
  if (job === undefined) return;
  const told: readonly (readonly [string, string | undefined])[] = [
    ['id', job.id],
    ['state', job.state],
    ['run_id', job.runId],
    ['run_state', job.runState],
    ['task', job.task],
  ];
  for (const [name, value] of told) {
    if (value !== undefined) custom[`mlflow.deployment_job.${name}`] = value;
  }
}
