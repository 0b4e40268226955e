/**
 * Headers of requests and answers.
 */

/** Which workspace of MLflow 3 a request is about: lower case, as all of a client's headers. */
export const WORKSPACE_HEADER = 'x-mlflow-workspace';

/** Header names don't differ by case, and an option must replace ours, not stand beside it. */
export function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

export function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
