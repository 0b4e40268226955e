/**
 * How proposals stand in a file, told by its extension.
 */

import { basename } from 'node:path';
import { PipelineError } from '../../core/errors.js';
import { ARRAY, LINES, type Framing } from '../proposal-writer.js';

export interface FileFormat {
  readonly framing: Framing;
  readonly gzip: boolean;
  /** As in the path, with its dots: `.json.gz`. */
  readonly extension: string;
}

const FORMATS: readonly (readonly [extension: string, framing: Framing])[] = [
  ['.json', ARRAY],
  ['.ndjson', LINES],
  ['.jsonl', LINES],
];

/** For messages and the documentation of options. */
export const ALLOWED_EXTENSIONS = '.json, .ndjson or .jsonl, each also with .gz';

/** @throws PipelineError `UNKNOWN_FORMAT` (usage) */
export function formatOf(path: string): FileFormat {
  const original = basename(path);
  const name = original.toLowerCase();
  const gzip = name.endsWith('.gz');
  const plain = gzip ? name.slice(0, -'.gz'.length) : name;
  const found = FORMATS.find(([extension]) => plain.endsWith(extension));
  if (found === undefined) {
    throw new PipelineError(
      `fileSink: the name of a file says how it is written, and ${path} doesn't: it must end in ` +
        `${ALLOWED_EXTENSIONS}. For standard output use -`,
      { code: 'UNKNOWN_FORMAT', category: 'usage' },
    );
  }
  const [ending, framing] = found;
  return { framing, gzip, extension: original.slice(plain.length - ending.length) };
}
