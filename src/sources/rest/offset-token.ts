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
  const offset = token === undefined ? 0 : offsetIn(token);
  if (offset === undefined) return undefined;
  // With the blank that Python's json.dumps puts there: the same bytes as MLflow's own.
  return Buffer.from(`{"offset": ${offset + 1}}`).toString('base64');
}

function offsetIn(token: string): number | undefined {
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
