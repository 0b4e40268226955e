/**
 * How far a connection is encrypted and the server trusted, in libpq's words for it.
 */

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { messageOf, PipelineError } from '../../../core/errors.js';

export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export type Trust = 'any' | 'authority' | 'authority and host';

/** @throws PipelineError `TLS_FILE_UNREADABLE` (usage) */
export function tlsOptions(trust: Trust, { ca, cert, key }: TlsFiles): ConnectionOptions {
  return {
    rejectUnauthorized: trust !== 'any',
    ...(trust === 'authority' ? { checkServerIdentity: () => undefined } : {}),
    ...(ca === undefined ? {} : { ca: contentOf(ca) }),
    ...(cert === undefined ? {} : { cert: contentOf(cert) }),
    ...(key === undefined ? {} : { key: contentOf(key) }),
  };
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new PipelineError(`The TLS file ${path} can't be read: ${messageOf(error)}`, {
      code: 'TLS_FILE_UNREADABLE',
      category: 'usage',
      cause: error,
    });
  }
}
