/**
 * Which workspaces of MLflow 3 are read, as it is said in options.
 */

import { z } from 'zod';
import { PipelineError } from '../core/errors.js';
import { DEFAULT_WORKSPACE, isWorkspaceName } from '../mlflow/workspace.js';
import type { RunContext } from '../stream/contracts.js';

/** All of them. */
export const ALL_WORKSPACES = '*';

/** @param otherwise - what is read where it is not set: a sentence */
export const workspaceOption = (otherwise: string) =>
  z
    .string()
    .refine((text) => text === ALL_WORKSPACES || isWorkspaceName(text), {
      error: "must be a workspace's name, such as team-a, or * for all of them",
    })
    .optional()
    .describe(
      `Workspace of MLflow 3 that is read, or \`*\` for all of them; goes into the ids of what is in it, unless it is \`${DEFAULT_WORKSPACE}\`. ${otherwise}`,
    );

/**
 * The workspace that MLflow's variable names; undefined where it names none. As MLflow takes it:
 * without blanks around it.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage)
 */
export function workspaceOfEnv(env: RunContext['env']): string | undefined {
  return checkedWorkspace('MLFLOW_WORKSPACE', env['MLFLOW_WORKSPACE']);
}

/**
 * @param what - says it, for messages
 * @throws PipelineError `INVALID_OPTIONS` (usage)
 */
export function checkedWorkspace(what: string, text = ''): string | undefined {
  const name = text.trim();
  if (name === '') return undefined;
  if (isWorkspaceName(name)) return name;
  throw new PipelineError(`${what} says ${JSON.stringify(name)}, which is no name of a workspace`, {
    code: 'INVALID_OPTIONS',
    category: 'usage',
  });
}

/**
 * The label of a source that reads a workspace: `mlflow http://host:5000, workspace team-a`.
 *
 * @param workspace - as in the options; undefined where nothing is said of it
 */
export function labelOf(store: string, workspace: string | undefined): string {
  if (workspace === undefined || workspace === DEFAULT_WORKSPACE) return `mlflow ${store}`;
  const which = workspace === ALL_WORKSPACES ? 'all workspaces' : `workspace ${workspace}`;
  return `mlflow ${store}, ${which}`;
}
