/**
 * Blanks in addresses: pasted along with them, or meant to be encoded.
 */

/**
 * What is wrong with an address that has a blank, a tab or a line break in it; undefined where it has
 * none. Says the place and never the address, in which blanks would hide a password from `redact`.
 *
 * @param address - without those at its ends
 *
 * @example
 * blankIn('http://my host:5000'); // 'has a blank (character 10), …'
 */
export function blankIn(address: string): string | undefined {
  const at = address.search(/\s/);
  if (at < 0) return undefined;
  return (
    `has a blank (character ${at + 1}), which no address may have: take it out, or write %20 ` +
    'where it belongs to a path or a password'
  );
}
