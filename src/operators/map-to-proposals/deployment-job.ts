/**
 * The deployment job of a registered model or a version, as custom properties.
 */

import type { DeploymentJob } from '../../mlflow/types.js';
import { addKnown, type Properties } from './aspects.js';

/** Tags of the same names go before. */
export function deploymentInto(custom: Properties, job: DeploymentJob | undefined): void {
  if (job === undefined) return;
  const told = [
    ['mlflow.deployment_job.id', job.id],
    ['mlflow.deployment_job.state', job.state],
    ['mlflow.deployment_job.run_id', job.runId],
    ['mlflow.deployment_job.run_state', job.runState],
    ['mlflow.deployment_job.task', job.task],
  ] as const;
  addKnown(told, custom);
}
