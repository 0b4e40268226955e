/**
 * DataHub's `datahub_guid`: entities without a name of their own are told by a digest of what they
 * are made of.
 */

import { hash } from 'node:crypto';

const PLAIN = /^[ !#-[\]-~]*$/;
const ASTRAL = /[\uD800-\uDFFF]/;

/**
 * The md5, in hex, of a flat object as Python's `json.dumps(sort_keys=True)` writes it: compact,
 * keys in the order of their code points, everything outside printable ASCII as `\uXXXX`.
 *
 * @example
 * datahubGuid({ platform: 'mlflow', name: 'churn' }); // '3cf7179b6360b7a67236aecb7e48116f'
 */
export function datahubGuid(key: Readonly<Record<string, string>>): string {
  const names = Object.keys(key);
  names.sort(names.some((name) => ASTRAL.test(name)) ? byCodePoint : byCodeUnit);
  const fields = names.map((name) => `${pythonJsonText(name)}:${pythonJsonText(key[name] ?? '')}`);
  return hash('md5', `{${fields.join(',')}}`);
}

/** A text as Python's `json.dumps` writes it: the escapes are lower-case, and DEL is escaped, too. */
export function pythonJsonText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let json = '"';
  for (let index = 0; index < text.length; index += 1) json += escaped(text.charCodeAt(index));
  return `${json}"`;
}

function escaped(unit: number): string {
  switch (unit) {
    case 0x08:
      return '\\b';
    case 0x09:
      return '\\t';
    case 0x0a:
      return '\\n';
    case 0x0c:
      return '\\f';
    case 0x0d:
      return '\\r';
    case 0x22:
      return '\\"';
    case 0x5c:
      return '\\\\';
    default:
      if (unit >= 0x20 && unit < 0x7f) return String.fromCharCode(unit);
      return `\\u${unit.toString(16).padStart(4, '0')}`;
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Differs from the order of code units where a surrogate meets a character from U+E000 on. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = weight(a.charCodeAt(index)) - weight(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Puts surrogates, which are parts of the greatest code points, after all other code units. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
