import { defineConfig } from 'vitest/config';

/** Tests against real servers: slow, and one file at a time, since each has a server of its own. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    globalSetup: ['test/live/setup.ts', 'test/support/transcript-setup.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
