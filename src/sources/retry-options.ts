/**
 * How often and after which waits something is tried again, as options of a store.
 */

import { z } from 'zod';

export const HOUR_MS = 3_600_000;

export const ms = (least: number, largest: number): z.ZodInt => z.int().min(least).max(largest);

/**
 * To be spread into a store's own options.
 *
 * @param what - for the reference: after what there are further tries
 */
export function retryOptions(what: string) {
  return {
    retries: z.int().min(0).max(20).default(5).describe(what),
    minRetryDelayMs: ms(0, HOUR_MS)
      .default(500)
      .describe(
        'Wait before the second try; doubles with each, times a random 1 to 2; milliseconds',
      ),
    maxRetryDelayMs: ms(0, HOUR_MS)
      .default(30_000)
      .describe('The longest of these waits; milliseconds'),
  };
}
