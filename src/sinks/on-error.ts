/**
 * The option that all sinks have: what becomes of the run when one gives up.
 */

import { z } from 'zod';

export const onErrorOption = z
  .enum(['fail', 'dead-letter'])
  .default('fail')
  .describe(
    'When the sink gives up: end the run, or put what it does not take into the dead-letter file',
  );
