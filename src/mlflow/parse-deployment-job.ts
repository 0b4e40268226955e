/**
 * Deployment jobs of registered models and their versions. Databricks alone has them: no other server
 * gives these fields, and no database keeps them.
 */

import type { DeploymentJob } from './types.js';

type Json = Readonly<Record<string, unknown>>;

/** @param json - a registered model. To be spread into it; nothing where it has no job. */
export function modelDeployment(json: Json): Deployed {
  return deployed({ id: json['deployment_job_id'], state: json['deployment_job_state'] });
}

/** @param json - a version. To be spread into it; nothing where it has no job. */
export function versionDeployment(json: Json): Deployed {
  const state = json['deployment_job_state'];
  if (typeof state !== 'object' || state === null) return {};
  const job = state as Json;
  return deployed({
    id: job['job_id'],
    state: job['job_state'],
    runId: job['run_id'],
    runState: job['run_state'],
    task: job['current_task_name'],
  });
}

interface Deployed {
  readonly deploymentJob?: DeploymentJob;
}

/** What a server says where there is nothing to say. */
const NOTHING = /^$|_UNSPECIFIED$|^NOT_SET_UP$|^NO_VALID_DEPLOYMENT_JOB_FOUND$/;

/** What is neither text nor number is left out: no model is to be lost for an extra. */
function deployed(told: Partial<Record<keyof DeploymentJob, unknown>>): Deployed {
  const job: Partial<Record<keyof DeploymentJob, string>> = {};
  for (const [field, value] of Object.entries(told)) {
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && !NOTHING.test(text)) job[field as keyof DeploymentJob] = text;
  }
  return Object.keys(job).length === 0 ? {} : { deploymentJob: job };
}
