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

/** Whether a text holds nothing that a query could take for something else. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

const PLAIN = /^[A-Za-z0-9_.-](?:[A-Za-z0-9_ .-]*[A-Za-z0-9_.-])?$/;

/**
 * The texts that patterns match, where they are but a few, plain and without a dot; undefined otherwise.
 *
 * @param texts - valid patterns
 *
 * @example
 * literalsOf(['core|ml', 'web']); // ['core', 'ml', 'web']
 * literalsOf(['team-.*']); // undefined
 */
export function literalsOf(texts: readonly string[]): readonly string[] | undefined {
  const literals = texts.flatMap((text) => text.split('|'));
  return literals.length <= MAX_LITERALS &&
    literals.every((text) => isPlain(text) && !text.includes('.'))
    ? [...new Set(literals)]
    : undefined;
}

const MAX_LITERALS = 50;

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
