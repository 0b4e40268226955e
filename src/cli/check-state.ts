/**
 * What `check` says of the state: what it holds, and which sweep the next run is part of.
 */

import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PipelineError } from '../core/errors.js';
import { stateFailure } from '../state/failures.js';
import { inspectState } from '../state/inspect.js';
import type { StateFacts } from '../state/options.js';
import type { OpenSource, ReadPlan } from '../stream/contracts.js';
import { openState, type PipelineDefinition, type RunOptions } from '../stream/run-pipeline.js';
import { counted, moment, sum } from './format.js';

/** What is known of the source where it could be reached. */
export interface ReachedSource {
  readonly source: OpenSource<unknown>;
  /** As the operators narrowed it. */
  readonly plan: ReadPlan;
}

/** @throws PipelineError as a run with this state would */
export async function checkState(
  definition: PipelineDefinition,
  path: string,
  reached: ReachedSource | undefined,
  options: Pick<RunOptions, 'fresh' | 'full'>,
): Promise<readonly string[]> {
  // SQLite writes beside the file, too.
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw stateFailure(error, path);
  });
  const facts = factsOf(path);
  return [
    ...(facts === undefined ? ['not there yet: the first run makes it'] : held(facts)),
    reached === undefined
      ? 'which sweep comes is known once the source can be reached'
      : nextSweep(definition, reached, options),
  ];
}

/** Undefined where there is no file yet. */
function factsOf(path: string): StateFacts | undefined {
  try {
    return inspectState(path);
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'STATE_NOT_FOUND') return undefined;
    throw error;
  }
}

function held({ entities, removed, sweeps }: StateFacts): string[] {
  const last = sweeps.find(({ completedAt }) => completedAt !== undefined);
  return [
    `it can be opened: ${counted(sum(entities), 'entity', 'entities')} in DataHub, ${counted(removed, 'entity', 'entities')} marked as removed`,
    last?.completedAt === undefined
      ? 'no sweep is complete yet'
      : `last complete sweep: ${last.sweep} (${last.kind}), ${moment(last.completedAt)}`,
  ];
}

/** Begins it as a run would, and forgets it. */
function nextSweep(
  definition: PipelineDefinition,
  { source, plan }: ReachedSource,
  options: Pick<RunOptions, 'fresh' | 'full'>,
): string {
  const keeper = openState(definition, { ...options, dryRun: true }, source, plan, Date.now());
  if (keeper === undefined) return '';
  try {
    const { number, kind, since, resumed } = keeper.state.sweep;
    const what = resumed ? `goes on with sweep ${number}, which broke off` : `sweep ${number}`;
    const reach =
      since === undefined ? 'every run' : `runs since ${moment(new Date(since).toISOString())}`;
    return `the next run: ${what} (${kind}: ${reach})`;
  } finally {
    keeper.close();
  }
}
