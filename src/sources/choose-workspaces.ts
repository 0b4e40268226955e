/**
 * Which workspaces of MLflow 3 a source reads, out of those that there are.
 */

import { PipelineError } from '../core/errors.js';
import { isWorkspaceName } from '../mlflow/workspace.js';
import type { RunContext } from '../stream/contracts.js';
import type { StoreWorkspaces } from './store.js';
import { ALL_WORKSPACES } from './workspace-option.js';

type Asked = Pick<StoreWorkspaces, 'list' | 'find'>;

/**
 * Names of those wanted, which are there, sorted. Only where all are wanted, or the one is not there,
 * is it asked which there are: that may be forbidden where a workspace may be read.
 *
 * @param uri - of the store, for messages
 * @param wanted - a name, or `*` for all
 * @throws PipelineError `UNKNOWN_WORKSPACE` (usage), which names those that there are; what
 *   `StoreWorkspaces` does
 */
export async function chooseWorkspaces(
  uri: string,
  workspaces: Asked,
  wanted: string,
  context: RunContext,
): Promise<readonly string[]> {
  if (wanted === ALL_WORKSPACES) {
    const names = readable(await workspaces.list(), context);
    if (names.length > 0) return names;
    throw unknown(`${uri} has no workspace that can be read: may these credentials see any?`);
  }
  if ((await workspaces.find(wanted)) === 'there') return [wanted];
  const there = await namesOf(workspaces, context);
  throw unknown(`${uri} has no workspace ${wanted} that can be read${there}`);
}

function readable(names: readonly string[], context: RunContext): readonly string[] {
  return names.filter((name) => {
    if (isWorkspaceName(name)) return true;
    context.recorder.warn(
      'ODD_WORKSPACE',
      'A workspace has a name that MLflow would not take, and is not read',
      JSON.stringify(name),
    );
    return false;
  });
}

/** A sentence; empty where nobody may know. */
async function namesOf(workspaces: Asked, { signal }: RunContext): Promise<string> {
  try {
    const names = await workspaces.list();
    return `. It has: ${names.length === 0 ? 'none' : names.join(', ')}`;
  } catch {
    signal.throwIfAborted();
    return '';
  }
}

function unknown(message: string): PipelineError {
  return new PipelineError(message, { code: 'UNKNOWN_WORKSPACE', category: 'usage' });
}
