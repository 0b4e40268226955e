import { expect, it } from 'vitest';
import { discardSink } from '../../src/sinks/discard-sink.js';
import { runContext, tagProposal } from '../../src/testing/index.js';

it('takes everything, refuses what has no JSON, and says how much there was', async () => {
  const logged: object[] = [];
  const log = { ...runContext().log, info: (fields: object) => logged.push(fields) };
  const open = await discardSink().open(runContext({ log }));
  expect(await open.write([tagProposal('a'), tagProposal('b')])).toEqual([]);
  expect(await open.write([])).toEqual([]);
  const odd = tagProposal('odd', { big: 1n as never });
  expect(await open.write([odd])).toMatchObject([{ proposal: odd, code: 'NOT_JSON' }]);
  await open.close('complete');
  expect(logged).toEqual([{ proposals: 2, bytes: expect.any(Number) as number }]);
});
