/**
 * `fileStoreSource`: the folder that MLflow writes without a database as a source.
 */

import { PipelineError } from '../core/errors.js';
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
 * @throws PipelineError `INVALID_OPTIONS`, `NO_WORKSPACES` (usage) here; when it is opened, what `openFileStore` does
 *
 * @example
 * fileStoreSource({ path: 'mlruns' });
 */
export function fileStoreSource(options: FileStoreOptions, component = 'fileStoreSource'): Source {
  if ('workspace' in options && options.workspace !== undefined) {
    throw new PipelineError(
      `${component}: a folder of files has no workspaces, which MLflow keeps in databases alone: leave out "workspace"`,
      { code: 'NO_WORKSPACES', category: 'usage' },
    );
  }
  const { path } = parseOptions(component, fileStoreOptions, options);
  return {
    label: `mlflow ${fileStoreUri(path)}`,
    open: async (context) =>
      readWorkspaces(await openFileStore(options, context), undefined, context),
  };
}
