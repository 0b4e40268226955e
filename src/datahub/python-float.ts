/**
 * Numbers as Python's `str(float)` writes them: DataHub holds metrics as text, and the text must
 * not change with the language that wrote it.
 */

/**
 * The shortest digits that give the number back, with a point always, and an exponent (of two
 * digits at least) from 1e16 on and below 1e-4.
 *
 * @example
 * pythonFloat(1); // '1.0'
 * pythonFloat(0.00001); // '1e-05'
 * pythonFloat(1e16); // '1e+16'
 * pythonFloat(NaN); // 'nan'
 */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const size = Math.abs(value);
  if (size === Infinity) return value > 0 ? 'inf' : '-inf';
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (size >= 1e-4 && size < 1e16) {
    return Number.isInteger(value) ? `${value}.0` : String(value);
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const sign = exponent.slice(0, 1);
  return `${digits}e${sign}${exponent.slice(1).padStart(2, '0')}`;
}
