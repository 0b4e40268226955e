/**
 * Where the reading of runs goes on in a database.
 */

/** A run, in the order that runs are read in. */
export interface RunPlace {
  /** In hexadecimal digits. */
  readonly hexId: string;
  /** Of its row, where the order is that of rows. */
  readonly rowId?: number;
}

export function parseRunPlace({
  hexId,
  rowId,
}: Readonly<Record<string, unknown>>): RunPlace | undefined {
  if (typeof hexId !== 'string') return undefined;
  return { hexId, ...(typeof rowId === 'number' ? { rowId } : {}) };
}
