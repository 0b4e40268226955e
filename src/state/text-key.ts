/**
 * Texts as keys of a database.
 */

// eslint-disable-next-line no-control-regex
const UNSAFE = /^"|[\u0000\p{Surrogate}]/u;

/**
 * A text that the database gives back as it is. libsql ends a text at its first NUL, and half of a
 * surrogate pair has no form in UTF-8: with either, two keys could become one. Such a text is kept
 * as JSON, which begins with a quote; and so is one that begins with a quote itself.
 */
export function toKey(text: string): string {
  return UNSAFE.test(text) ? JSON.stringify(text) : text;
}

/** What a key was made of. */
export function fromKey(key: string): string {
  return key.startsWith('"') ? (JSON.parse(key) as string) : key;
}
