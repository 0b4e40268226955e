/**
 * Patterns in options: regular expressions, which a whole text has to match.
 */

import { z } from 'zod';

/** An option that holds a pattern. */
export function pattern(): z.ZodString {
  return z
    .string()
    .min(1)
    .refine(isPattern, { error: 'must be a regular expression, such as `team-a/.*`' });
}

/**
 * @param text - a valid pattern
 *
 * @example
 * patternTest('churn_\\d+')('churn_12'); // true
 * patternTest('churn')('churn_12'); // false
 */
export function patternTest(text: string): (value: string) => boolean {
  const expression = compiled(text);
  return (value) => expression.test(value);
}

function isPattern(text: string): boolean {
  try {
    compiled(text);
    return true;
  } catch {
    return false;
  }
}

/** By code points, and a dot is any character, line breaks too: names may hold them. */
function compiled(text: string): RegExp {
  return new RegExp(`^(?:${text})$`, 'su');
}

/**
 * A text that does not match stays as it is.
 *
 * @param text - a valid pattern
 * @param by - `$1` is what its first group matched, `$<name>` what a named one did
 *
 * @example
 * patternReplace('(.+)@example.com', '$1')('ada@example.com'); // 'ada'
 */
export function patternReplace(text: string, by: string): (value: string) => string {
  const expression = compiled(text);
  return (value) => value.replace(expression, by);
}
