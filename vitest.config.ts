import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: { 'mlflow-datahub': fileURLToPath(new URL('./src/index.ts', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/live/**', 'node_modules/**'],
    globalSetup: ['test/support/transcript-setup.ts'],
    // For what hangs; a busy machine is not to be taken for that.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // They wait for processes and for time to pass more than they compute.
    maxWorkers: Math.max(3, availableParallelism() - 1),
  },
});
