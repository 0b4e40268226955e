/**
 * `fileStoreSource`: the folder that MLflow writes without a database as a source.
 */

import { parseOptions } from '../core/options.js';
import type { Source } from '../stream/contracts.js';
import { openFileStore } from './file-store/file-store.js';
import { fileStoreOptions, type FileStoreOptions } from './file-store/options.js';
import { fileStoreUri } from './file-store/uri.js';
import { readWorkspaces } from './workspaces.js';

/**
 * Reads an MLflow file store (`mlruns`) without the server, while MLflow may go on writing to it.
 *
 * @param component - what messages about the options call it
 * @throws PipelineError `INVALID_OPTIONS` (usage) here; when it is opened, what `openFileStore` does
 *
 * @example
 * fileStoreSource({ path: 'mlruns' });
 */
export function fileStoreSource(options: FileStoreOptions, component = 'fileStoreSource'): Source {
  const { path } = parseOptions(component, fileStoreOptions, options);
  return {
    label: `mlflow ${fileStoreUri(path)}`,
    open: async (context) =>
      readWorkspaces(await openFileStore(options, context), undefined, context),
  };
}
