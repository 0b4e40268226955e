/**
 * The sink kit as vitest's tests.
 */

import { describe, it } from 'vitest';
import { sinkKit, type SinkKitOptions } from '../../src/testing/index.js';

/** Adds a group of tests that a sink keeps its contract. */
export function describeSink(name: string, options: SinkKitOptions): void {
  describe(`${name} as a sink`, () => {
    for (const check of sinkKit(options)) {
      it(check.name, () => check.run());
    }
  });
}
