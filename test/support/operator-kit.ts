/**
 * The operator kit as vitest's tests.
 */

import { describe, it } from 'vitest';
import { operatorKit, type OperatorKitOptions } from '../../src/testing/index.js';

/** Adds a group of tests that an operator keeps its contract. */
export function describeOperator(name: string, options: OperatorKitOptions): void {
  describe(`${name} as an operator`, () => {
    for (const check of operatorKit(options)) {
      it(check.name, () => check.run());
    }
  });
}
