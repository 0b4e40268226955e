/**
 * Which files this process is writing: two sinks with one target would spoil each other's.
 */

import { PipelineError } from '../../core/errors.js';

const claimed = new Set<string>();

/**
 * Gives what frees the file again.
 *
 * @throws PipelineError `SAME_TARGET` (usage)
 */
export function claim(path: string): () => void {
  if (claimed.has(path)) {
    throw new PipelineError(`two sinks write ${path}: give each its own file`, {
      code: 'SAME_TARGET',
      category: 'usage',
    });
  }
  claimed.add(path);
  let held = true;
  return () => {
    if (held) claimed.delete(path); // by now it may be another's
    held = false;
  };
}
