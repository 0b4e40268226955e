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

/**
 * A number of 53 bits to look a key up by; the key itself is compared as well, for two may have the
 * same. An index of numbers is a fraction of one of texts, whose entries a page would touch all over
 * the file. It stands in files: another way to make it needs a migration.
 */
export function bucketOf(key: string): number {
  // Two multiplicative hashes in one pass, by odd constants far from any regularity of keys.
  let [high, low] = [0x9e3779b9, 0x85ebca6b];
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (low >>> 15), 0xc2b2ae3d);
  low = Math.imul(low ^ (high >>> 13), 0x27d4eb2f);
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

/** Their buckets as JSON: a parameter to look up many keys with. */
export function bucketsOf(keys: readonly string[]): string {
  return JSON.stringify(keys.map(bucketOf));
}
