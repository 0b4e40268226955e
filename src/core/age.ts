/**
 * Ages in options: `90d`, `12h`.
 */

import { z } from 'zod';

const AGE = /^([1-9]\d{0,5})([hdw])$/;

const HOUR_MS = 60 * 60 * 1000;
const UNITS_MS: Readonly<Record<string, number>> = {
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
};

/** An option that holds an age. */
export function age(): z.ZodString {
  return z.string().refine((text) => AGE.test(text), {
    error: 'must be a number of hours, days or weeks, such as `12h`, `90d` or `4w`',
  });
}

/**
 * @param text - a valid age
 * @returns milliseconds
 *
 * @example
 * ageMs('90d'); // 7776000000
 */
export function ageMs(text: string): number {
  const [, count, unit = ''] = AGE.exec(text) ?? [];
  return Number(count) * (UNITS_MS[unit] ?? NaN);
}
