/**
 * Puts 200,000 versions into a join index and takes them out again, in a process of its own whose
 * memory is nobody else's. Prints what it found and how far its memory grew.
 */

import type { ModelVersion } from '../../src/mlflow/types.js';
import { JoinIndex } from '../../src/sources/join-index.js';

const COUNT = 200_000;
const PAGE = 1_000;
const description = 'x'.repeat(400);

function version(number: number): ModelVersion {
  return {
    name: `model ${number % 1999}`,
    version: String(number),
    currentStage: 'None',
    creationTimestamp: 1,
    lastUpdatedTimestamp: 2,
    description,
    status: 'READY',
    tags: [{ key: 'key', value: 'value' }],
    aliases: [],
    runId: `run ${number}`,
  };
}

const peakKilobytes = (): number => process.resourceUsage().maxRSS;
const before = peakKilobytes();
const index = JoinIndex.open();
for (let start = 0; start < COUNT; start += PAGE) {
  index.addVersions(Array.from({ length: PAGE }, (_, offset) => version(start + offset)));
}
let taken = 0;
for (let start = 0; start < COUNT / 2; start += PAGE) {
  const ids = Array.from({ length: PAGE }, (_, offset) => `run ${(start + offset) * 2}`);
  taken += index.takeVersionsOfRuns(ids).size;
}
let rest = 0;
for (let page; (page = index.remainingVersions(PAGE)).length > 0;) rest += page.length;
index.close();
const grownMegabytes = (peakKilobytes() - before) / 1e3;
process.stdout.write(JSON.stringify({ taken, rest, grownMegabytes }));
