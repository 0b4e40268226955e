/**
 * SQLite databases as MLflow names them: `sqlite:///relative.db`, `sqlite:////absolute.db`.
 */

import { PipelineError } from '../../core/errors.js';

const SCHEME = /^sqlite(\+\w+)?:\/\//i;

/** The URI that MLflow knows the database at this path by. */
export function sqliteUri(path: string): string {
  return `sqlite:///${path}`;
}

/**
 * The path in a URI of a SQLite database. As in MLflow nothing in it is percent-decoded, and what
 * comes after a `?` are settings.
 *
 * @throws PipelineError `INVALID_URI` (usage)
 */
export function sqlitePath(uri: string): string {
  const rest = uri.replace(SCHEME, '');
  const path = rest.slice(1).replace(/\?.*$/s, '');
  if (!SCHEME.test(uri) || !rest.startsWith('/') || path === '' || path === ':memory:') {
    throw new PipelineError(
      `${uri} names no database file: write sqlite:///relative.db or sqlite:////absolute/path.db`,
      { code: 'INVALID_URI', category: 'usage' },
    );
  }
  return path;
}
