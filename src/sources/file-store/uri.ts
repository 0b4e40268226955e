/**
 * Folders as MLflow names them: `file:///data/mlruns`, `file:mlruns`, or a path as it is.
 */

import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PipelineError } from '../../core/errors.js';

/** The URI that MLflow knows the folder at this path by. */
export function fileStoreUri(path: string): string {
  return pathToFileURL(resolve(path)).href.replace(/\/+$/, '');
}

/**
 * The path in a URI with the scheme `file:`, percent-decoded as by MLflow; what has no scheme is a
 * path already. Blanks at the ends are taken off.
 *
 * @throws PipelineError `INVALID_URI` (usage)
 */
export function fileStorePath(uri: string): string {
  const text = uri.trim();
  const rest = text.replace(/^file:/i, '');
  try {
    if (rest === text && text !== '') return text;
    if (rest.startsWith('/')) return fileURLToPath(text);
    const path = decodeURIComponent(rest);
    if (path !== '' && !path.includes('\0')) return path;
  } catch {
    // Another host, or a percent sign that encodes nothing.
  }
  throw new PipelineError(
    `${text} names no folder on this machine: write file:///absolute/mlruns, file:relative/mlruns ` +
      'or the path itself',
    { code: 'INVALID_URI', category: 'usage' },
  );
}
