/**
 * Keeps secrets out of what is shown.
 */

/** What stands in a shown text where a secret was. */
const HIDDEN = '***';

/** Parts of headers shorter than this are ordinary words rather than secrets. */
const SHORTEST_HEADER_SECRET = 4;

export interface SecretsOptions {
  /** Hidden wherever they occur, however short. */
  readonly secrets?: readonly (string | undefined)[];
  /** Headers' values: hidden whole and part by part, since they are quoted in parts. */
  readonly headerValues?: readonly string[];
}

/**
 * Makes a function that hides the secrets in a text: as they are and as they stand in a URL.
 *
 * @example
 * const redact = hideSecrets({ secrets: ['s3cret'] });
 * redact('no access with s3cret'); // 'no access with ***'
 */
export function hideSecrets(options: SecretsOptions): (text: string) => string {
  const needles = new Set<string>();
  for (const secret of options.secrets ?? []) {
    if (secret === undefined || secret === '') continue;
    needles.add(secret).add(encodeURIComponent(secret));
  }
  for (const value of options.headerValues ?? []) {
    const parts = value.split(/[\s;,]+/);
    // A cookie's value, without its name.
    const values = parts.map((part) => part.replace(/^[^=]*=/, ''));
    for (const part of [value, ...parts, ...values]) {
      if (part.length >= SHORTEST_HEADER_SECRET) needles.add(part);
    }
  }
  // Longest first: one secret may begin with another.
  const ordered = [...needles].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((shown, needle) => shown.replaceAll(needle, HIDDEN), text);
}
