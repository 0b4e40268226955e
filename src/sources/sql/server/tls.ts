/**
 * How far a connection is encrypted and the server trusted, in libpq's words for it.
 */

import { readFileSync } from 'node:fs';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { messageOf, PipelineError } from '../../../core/errors.js';

export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export type Trust = 'any' | 'authority' | 'authority and host';

/** @throws PipelineError `TLS_FILE_UNREADABLE` (usage) */
export function tlsOptions(trust: Trust, { ca, cert, key }: TlsFiles): ConnectionOptions {
  const files = {
    ...(ca === undefined ? {} : { ca: contentOf(ca) }),
    ...(cert === undefined ? {} : { cert: contentOf(cert) }),
    ...(key === undefined ? {} : { key: contentOf(key) }),
  };
  try {
    createSecureContext(files);
  } catch (error) {
    const names = [ca, cert, key].filter((name) => name !== undefined).join(', ');
    throw unusable(
      `Of the TLS files ${names} one is no PEM, or the key is not that of the certificate`,
      error,
    );
  }
  return {
    rejectUnauthorized: trust !== 'any',
    ...(trust === 'authority' ? { checkServerIdentity: () => undefined } : {}),
    ...files,
  };
}

function contentOf(path: string): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw unusable(`The TLS file ${path} can't be read`, error);
  }
  if (content.includes('-----BEGIN ')) return content;
  throw unusable(`The TLS file ${path} is no PEM`, new Error('it has no line that begins a part'));
}

function unusable(text: string, cause: unknown): PipelineError {
  return new PipelineError(`${text}: ${messageOf(cause)}`, {
    code: 'TLS_FILE_UNREADABLE',
    category: 'usage',
    cause,
  });
}
