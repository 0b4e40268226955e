/**
 * What `--state`, `--fresh` and `--full` make of the configuration's state.
 */

import { PipelineError } from '../core/errors.js';
import { parseOptions } from '../core/options.js';
import { stateOptionsSchema, type StateSettings } from '../state/options.js';
import type { Sink } from '../stream/contracts.js';
import type { CliOptions } from './session.js';

/**
 * The state that a run keeps: the configuration's, in the file of `--state` where that is given.
 *
 * @param configured - undefined where the configuration keeps none
 * @returns undefined where no state is kept
 * @throws PipelineError (usage) `STATE_NEEDED` where `--fresh` or `--full` is given without one,
 *   `INVALID_OPTIONS` where `--state` names no file
 *
 * @example
 * stateOf({ state: 'mlflow.state' }, undefined)?.staleLimitPercent; // 75, as is the default
 */
export function stateOf(
  { state: path, fresh, full }: Pick<CliOptions, 'state' | 'fresh' | 'full'>,
  configured: StateSettings | undefined,
): StateSettings | undefined {
  const state = path === undefined ? configured : { ...stateIn(path), ...configured, path };
  const needs = fresh === true ? '--fresh' : full === true ? '--full' : undefined;
  if (state === undefined && needs !== undefined) {
    throw new PipelineError(
      `${needs} says what to do with the state of earlier runs, and there is none: ` +
        'give --state FILE, or `state: { path }` in the configuration',
      { code: 'STATE_NEEDED', category: 'usage' },
    );
  }
  return state;
}

/** With the defaults. */
function stateIn(path: string): StateSettings {
  if (path === '-') {
    throw new PipelineError('--state - : standard output remembers nothing, give a file', {
      code: 'INVALID_OPTIONS',
      category: 'usage',
    });
  }
  return parseOptions('--state', stateOptionsSchema, { path });
}

/**
 * What was printed may never have been read, and nobody would say so. Remembered as delivered, it
 * would not be sent again.
 *
 * @throws PipelineError `SINK_KEEPS_NO_STATE` (usage)
 */
export function refuseUnconfirmed(state: StateSettings, sinks: readonly Sink[]): void {
  const sink = sinks.find(({ path }) => path === '-');
  if (sink === undefined) return;
  throw new PipelineError(
    `${sink.label} and the state ${state.path} don't go together: nobody confirms what was ` +
      'printed, so the state could take for delivered what is lost. Deliver to a file with ' +
      '--to out.ndjson, or run without a state',
    { code: 'SINK_KEEPS_NO_STATE', category: 'usage' },
  );
}

/** The file and what SQLite keeps beside it while it is open. */
export function stateFiles(path: string): readonly string[] {
  return ['', '-wal', '-shm', '-journal'].map((suffix) => path + suffix);
}
