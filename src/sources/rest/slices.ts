/** Parts of a list, each but the last with `length` entries. */
export function slices<T>(list: readonly T[], length: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < list.length; start += length) {
    parts.push(list.slice(start, start + length));
  }
  return parts;
}
