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
 * comes after a `?` are settings. Blanks at the ends of the URI are taken off; others belong to the path.
 *
 * @throws PipelineError `INVALID_URI` (usage)
 */
export function sqlitePath(uri: string): string {
  const text = uri.trim();
  const rest = text.replace(SCHEME, '');
  const path = rest.slice(1).replace(/\?.*$/s, '');
  if (!SCHEME.test(text) || !rest.startsWith('/') || path === '' || path === ':memory:') {
    throw new PipelineError(
      `${text} names no database file: write sqlite:///relative.db or sqlite:////absolute/path.db`,
      { code: 'INVALID_URI', category: 'usage' },
    );
  }
  return path;
}
