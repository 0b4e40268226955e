/**
 * What can be set for every database that is a server.
 */

import { z } from 'zod';
import { pageSizes, workspaceOptions } from '../options.js';

const ms = (least: number, largest: number): z.ZodInt => z.int().min(least).max(largest);

const HOUR_MS = 3_600_000;

/** To be spread into a database's own options, behind its `uri`. */
export const serverOptions = {
  password: z
    .string()
    .optional()
    .describe("Password, instead of the URI's: so that no secret need stand in a URI"),
  ...workspaceOptions,
  ...pageSizes,
  connectTimeoutMs: ms(1, HOUR_MS)
    .default(15_000)
    .describe('For connecting, until queries can be sent; milliseconds'),
  timeoutMs: ms(1, HOUR_MS)
    .default(120_000)
    .describe('For one query, also while it waits for a lock; milliseconds'),
  retries: z
    .int()
    .min(0)
    .max(20)
    .default(5)
    .describe(
      'Further tries to read a page whose connection was lost or whose query took too long; at most 2 where the server has not answered yet',
    ),
  minRetryDelayMs: ms(0, HOUR_MS)
    .default(500)
    .describe('Wait before the second try; doubles with each, times a random 1 to 2; milliseconds'),
  maxRetryDelayMs: ms(0, HOUR_MS)
    .default(30_000)
    .describe('The longest of these waits; milliseconds'),
};

export interface ServerSettings {
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly minRetryDelayMs: number;
  readonly maxRetryDelayMs: number;
}
