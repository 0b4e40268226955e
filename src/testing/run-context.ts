/**
 * The context of a run, for tests of a component on its own.
 */

import type { RunContext } from '../stream/contracts.js';
import { Recorder } from '../stream/recorder.js';

/**
 * A context that logs nothing, rejects into nothing and is never aborted, unless told otherwise.
 *
 * @example
 * const open = await mySink().open(runContext({ env: { TOKEN: 'secret' } }));
 */
export function runContext(parts: Partial<RunContext> = {}): RunContext {
  return {
    runId: 'test-run',
    startedAt: 1_700_000_000_000,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    recorder: new Recorder(),
    env: {},
    reject: () => {},
    ...parts,
  };
}
