/**
 * MLflow's page tokens: base64 of the JSON `{"offset": n}`.
 */

/**
 * The token of the page that begins one item later; absent where the token is not of this form, as
 * on servers that are not MLflow's own.
 *
 * @param token - absent for the first page
 */
export function nextOffsetToken(token: string | undefined): string | undefined {
  const offset = token === undefined ? 0 : offsetOf(token);
  if (offset === undefined) return undefined;
  return offsetToken(offset + 1);
}

/** The token of the page that has so many items before it. */
export function offsetToken(offset: number): string {
  // With the blank that Python's json.dumps puts there: the same bytes as MLflow's own.
  return Buffer.from(`{"offset": ${offset}}`).toString('base64');
}

/** How many items come before the page; undefined where the token is of another form. */
export function offsetOf(token: string): number | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
    if (typeof value !== 'object' || value === null || !('offset' in value)) return undefined;
    const { offset } = value;
    return Object.keys(value).length === 1 && Number.isSafeInteger(offset)
      ? (offset as number)
      : undefined;
  } catch {
    return undefined;
  }
}
