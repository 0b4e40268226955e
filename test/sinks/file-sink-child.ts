/**
 * A process that writes pages to a file until it is killed or can't: for file-sink-faults.test.ts
 * and, with `state` as a further argument, file-changes-faults.test.ts. After each confirmed page it
 * prints a line; at the end, what happened.
 */

import { fileSink } from '../../src/sinks/file/file-sink.js';
import { runContext, tagProposal } from '../../src/testing/index.js';

const [, , path = '', state] = process.argv;
const open = await fileSink({ path }).open(runContext(), state === 'state' ? {} : undefined);
let confirmed = 0;
try {
  for (;;) {
    const page = Array.from({ length: 500 }, (_, index) => {
      // Nothing that gzip could make small.
      const name = Array.from({ length: 20 }, () => Math.random().toString(36)).join('');
      return tagProposal(`${confirmed + index}`, { name });
    });
    await open.write(page);
    confirmed += page.length;
    process.stdout.write(`${confirmed}\n`);
  }
} catch (error) {
  await open.close('failed');
  const message = error instanceof Error ? error.message : '';
  const position = open.position?.();
  process.stdout.write(`${JSON.stringify({ confirmed, error, message, position })}\n`);
}
