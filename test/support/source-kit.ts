/**
 * The source kit as vitest's tests.
 */

import { describe, it } from 'vitest';
import { sourceKit, type SourceKitOptions } from '../../src/testing/index.js';

/** Adds a group of tests that a source keeps its contract. */
export function describeSource(name: string, options: SourceKitOptions): void {
  describe(`${name} as a source`, () => {
    for (const check of sourceKit(options)) {
      it(check.name, () => check.run());
    }
  });
}
