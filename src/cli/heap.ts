/**
 * How much room V8 takes for garbage before it clears it away: docs/decisions/0004-memory.md.
 */

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Both halves of the space that new objects are in. Most of a page's are garbage when it is full. */
const YOUNG_BYTES = 16 * 1024 * 1024;

/** Often enough that the space does not double twice meanwhile. */
const LOOK_EVERY_MS = 10;

let watch: NodeJS.Timeout | undefined;

/**
 * For a run that waits for a server: memory before speed. Left alone, V8 lets old garbage pile up to
 * twice what a page needs.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=50');
  // Its limit is a flag that only counts before the start, but by how much it grows can be changed.
  watch = setInterval(() => {
    const bytes = youngBytes();
    if (bytes < YOUNG_BYTES) return;
    clearInterval(watch);
    // Node 24 grows to twice as much in one step. Only this makes it smaller again, which is slower.
    const tooLate = bytes > YOUNG_BYTES;
    setFlagsFromString(tooLate ? '--optimize-for-size' : '--semi-space-growth-factor=1');
  }, LOOK_EVERY_MS).unref();
}

/** For a run whose time is all our own: the old objects may become three times as many. */
export function letHeapGrow(): void {
  clearInterval(watch);
  setFlagsFromString('--no-optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--heap-growing-percent=200');
}

function youngBytes(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
  );
}
