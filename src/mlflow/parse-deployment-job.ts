/**
 * Deployment jobs of registered models and their versions. Databricks alone has them: no other server
 * gives these fields, and no database keeps them.
 */

import { object, optionalText } from './parse-values.js';
import type { DeploymentJob } from './types.js';

/** @param json - a registered model. To be spread into it; nothing where it has no job. */
export function modelDeployment(json: Readonly<Record<string, unknown>>): Deployed {
  const id = optionalText(json['deployment_job_id'], 'deployment_job_id');
  const state = optionalText(json['deployment_job_state'], 'deployment_job_state');
  return deployed({ id, state });
}

/** @param json - a version. To be spread into it; nothing where it has no job. */
export function versionDeployment(json: Readonly<Record<string, unknown>>): Deployed {
  const value = json['deployment_job_state'];
  if (value === undefined || value === null) return {};
  const job = object(value, 'deployment_job_state');
  return deployed({
    id: optionalText(job['job_id'], 'job_id'),
    state: optionalText(job['job_state'], 'job_state'),
    runId: optionalText(job['run_id'], 'run_id'),
    runState: optionalText(job['run_state'], 'run_state'),
    task: optionalText(job['current_task_name'], 'current_task_name'),
  });
}

interface Deployed {
  readonly deploymentJob?: DeploymentJob;
}

/** What a server says where there is nothing to say. */
const NOTHING = /_UNSPECIFIED$|^NOT_SET_UP$|^NO_VALID_DEPLOYMENT_JOB_FOUND$/;

function deployed(told: Partial<Record<keyof DeploymentJob, string | undefined>>): Deployed {
  const job: Partial<Record<keyof DeploymentJob, string>> = {};
  for (const [field, text] of Object.entries(told)) {
    if (text !== undefined && !NOTHING.test(text)) job[field as keyof DeploymentJob] = text;
  }
  return Object.keys(job).length === 0 ? {} : { deploymentJob: job };
}
