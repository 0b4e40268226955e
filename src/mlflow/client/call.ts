/**
 * A question to a server, and its answer.
 */

/** A question to the server. */
export interface Call {
  readonly method: 'GET' | 'POST';
  /**
   * With a leading slash, a path behind the address's prefix: `/version`. Without, an endpoint of
   * MLflow's API: `runs/search`.
   */
  readonly path: string;
  /** An array is repeated: `order_by=a&order_by=b`. Undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Tries after the first one, where fewer than usual do. */
  readonly retries?: number;
  /** From the host's root instead of behind the prefix. */
  readonly fromRoot?: boolean;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** With its question mark; empty where there is none. */
export function queryText(query: Call['query']): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) params.append(name, String(each));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
