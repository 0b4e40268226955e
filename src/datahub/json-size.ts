/**
 * How large something is as JSON, without making the JSON.
 */

/** A control character or half a surrogate pair becomes `\u001f`: no UTF-16 unit takes more. */
const BYTES_A_UNIT = 6;

/** `-1.7976931348623157e+308`, with a comma. */
const BYTES_A_NUMBER = 25;

/** Deeper than this is a cycle, or might as well be. */
const DEPTH = 100;

/**
 * Bytes of UTF-8 that `JSON.stringify` gives at most, for a third of its time; `Infinity` for what
 * only it can tell: a cycle, a BigInt, an object that is not plain.
 *
 * @example
 * jsonSizeBound({ name: 'churn' }); // 63, and JSON has 16
 * jsonSizeBound({ name: 1n }); // Infinity
 */
export function jsonSizeBound(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length * BYTES_A_UNIT + 3; // quotes, comma
  if (typeof value === 'number') return BYTES_A_NUMBER;
  if (typeof value === 'object' && value !== null) return objectBound(value, depth);
  if (typeof value === 'bigint') return Infinity;
  return 6; // `false,`; null, or what is left out or becomes null
}

function objectBound(value: object, depth: number): number {
  if (depth > DEPTH || 'toJSON' in value) return Infinity;
  let size = 3; // brackets, comma
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      size += jsonSizeBound(item, depth + 1);
      // At once, or what refers to itself twice would be walked through for ages.
      if (size === Infinity) break;
    }
    return size;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return Infinity;
  for (const key in value) {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    size += key.length * BYTES_A_UNIT + 3 + jsonSizeBound(item, depth + 1); // quotes, colon
    if (size === Infinity) break;
  }
  return size;
}
