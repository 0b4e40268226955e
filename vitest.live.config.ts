import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These first, so that none of them is still going when all others are done. */
const LONGEST = [
  'state-crash',
  'kafka-faults',
  'parity',
  'datahub-rest',
  'state-churn',
  'requests',
];

class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve([...files].sort((a, b) => place(a) - place(b)));
  }
}

function place({ moduleId }: TestSpecification): number {
  const at = LONGEST.indexOf(basename(moduleId, '.test.ts'));
  return at < 0 ? LONGEST.length : at;
}

/** Tests against real servers: slow. Each file has servers of its own. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    globalSetup: ['test/live/setup.ts', 'test/support/transcript-setup.ts'],
    // They wait as much as they compute, on two cores as well.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // A failure where something hangs, and never where a machine is slow.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Kafka and the registry start in half the time when Java doesn't optimize what it runs once.
    env: { JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' },
  },
});
