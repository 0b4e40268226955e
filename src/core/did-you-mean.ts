/**
 * Suggestions for mistyped names.
 */

/**
 * The candidate that `name` most likely was meant to be, or nothing where none is near: it takes at
 * most two edits, and fewer than half of the name's letters. Case does not count as an edit.
 *
 * @example
 * didYouMean('maxInflightPages', ['maxInFlightPages', 'sinks']); // 'maxInFlightPages'
 */
export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const limit = Math.min(2, Math.floor((name.length - 1) / 2));
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = edits(wanted, candidate.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Infinity))
      best = { candidate, distance };
  }
  // A name cut short or drawn out is more than two edits away and still plain: `page` of `pageSize`.
  return best?.candidate ?? onlyOne(candidates, wanted);
}

/** The one candidate that begins with the name, or that the name begins with. */
function onlyOne(candidates: readonly string[], wanted: string): string | undefined {
  if (wanted.length < 3) return undefined;
  const found = candidates.filter((candidate) => {
    const other = candidate.toLowerCase();
    return other.length >= 3 && (other.startsWith(wanted) || wanted.startsWith(other));
  });
  return found.length === 1 ? found[0] : undefined;
}

/** How many letters must be put in, taken out, exchanged, or swapped with their neighbour. */
function edits(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
