/**
 * Workspaces that are not read now, though an earlier run has read them.
 */

import { messageOf, PipelineError } from '../core/errors.js';
import type { RunContext } from '../stream/contracts.js';
import type { StoreWorkspaces } from './store.js';

/** Questions in a row that found no answer, with all their retries, before no more are asked. */
const PATIENCE = 3;

/** Each is asked about once in a run. */
export class UnreadWorkspaces {
  readonly #gone = new Map<string, boolean>();
  #unanswered = 0;

  /** @param workspaces - undefined where there are none: then nobody can say */
  constructor(
    private readonly workspaces: Pick<StoreWorkspaces, 'find'> | undefined,
    private readonly context: RunContext,
  ) {}

  /** Whether one is not there any more; false where that is not said. Throws the signal's reason only. */
  async isGone(name: string): Promise<boolean> {
    const known = this.#gone.get(name);
    if (known !== undefined) return known;
    const gone = await this.#ask(name);
    this.#gone.set(name, gone);
    return gone;
  }

  async #ask(name: string): Promise<boolean> {
    const { workspaces, context } = this;
    if (workspaces === undefined || this.#unanswered >= PATIENCE) return false;
    try {
      const found = await workspaces.find(name);
      this.#unanswered = 0;
      if (found === 'hidden') this.#warn(name, 'it is hidden from these credentials');
      return found === 'deleted';
    } catch (error) {
      context.signal.throwIfAborted();
      const failed = !(error instanceof PipelineError) || error.retryable;
      this.#unanswered = failed ? this.#unanswered + 1 : 0;
      this.#warn(name, messageOf(error));
      return false;
    }
  }

  #warn(name: string, why: string): void {
    this.context.recorder.warn(
      'WORKSPACE_NOT_CONFIRMED',
      'A workspace was not read, and the server does not say that it is gone: all that is in it is kept',
      `${name}: ${why}`,
    );
  }
}
