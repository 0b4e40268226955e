/**
 * Tells records that operators leave out from those of which they drop everything as sent before.
 */

import { tap } from 'rxjs';
import type { AnyOperator } from './contracts.js';
import { operatorLabel } from './operators.js';

/**
 * The operators, of which those that remember what they let through (they are told what was not
 * delivered, as `dedup` is) call `onRepeat` where a stream brings them something and they drop all
 * of it.
 */
export function tellingRepeats(
  operators: readonly AnyOperator[],
  onRepeat: () => void,
): readonly AnyOperator[] {
  return operators.map((operator, index) => {
    if (operator.onUndelivered === undefined) return operator;
    const watched: AnyOperator = (input) => {
      let given = 0;
      let passed = 0;
      return input.pipe(
        tap(() => (given += 1)),
        operator,
        tap({
          next: () => (passed += 1),
          complete: () => {
            if (given > 0 && passed === 0) onRepeat();
          },
        }),
      );
    };
    return Object.assign(watched, { label: operatorLabel(operator, index) });
  });
}
