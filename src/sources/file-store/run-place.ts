/**
 * Where the reading of runs goes on in a folder.
 */

/** A run, in the order that runs are read in. */
export interface RunPlace {
  readonly experimentId: string;
  readonly runId: string;
}

export function parseRunPlace({
  experimentId,
  runId,
}: Readonly<Record<string, unknown>>): RunPlace | undefined {
  if (typeof experimentId !== 'string' || typeof runId !== 'string') return undefined;
  return { experimentId, runId };
}
