/**
 * How much a store is asked for at a time, as an option of it.
 */

import { z } from 'zod';

/** @param what - the things, in the plural */
export function pageSizeOption(fallback: number, what: string): z.ZodDefault<z.ZodInt> {
  return z
    .int()
    .min(1)
    .max(10_000)
    .default(fallback)
    .describe(
      `How many ${what} are read and delivered at a time, at most: fewer where they are large`,
    );
}
