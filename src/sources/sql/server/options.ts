/**
 * What can be set for every database that is a server.
 */

import { z } from 'zod';
import { HOUR_MS, ms, retryOptions } from '../../retry-options.js';
import { pageSizes, workspaceOptions } from '../options.js';

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
  ...retryOptions(
    'Further tries to read a page whose connection was lost or whose query took too long; at most 2 where the server has not answered yet',
  ),
};

export interface ServerSettings {
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly minRetryDelayMs: number;
  readonly maxRetryDelayMs: number;
}
