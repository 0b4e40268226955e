/**
 * A process that writes to its standard output until nobody reads it: for stdout-sink.test.ts.
 */

import { PipelineError } from '../../src/core/errors.js';
import { stdoutSink } from '../../src/sinks/stdout-sink.js';
import { runContext, tagProposal } from '../../src/testing/index.js';

const open = await stdoutSink().open(runContext());
try {
  for (;;) await open.write(Array.from({ length: 500 }, (_, index) => tagProposal(`${index}`)));
} catch (error) {
  await open.close('failed');
  process.stderr.write(`${error instanceof PipelineError ? error.code : String(error)}\n`);
}
