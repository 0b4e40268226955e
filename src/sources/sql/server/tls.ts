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

const CERTIFICATE = /-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/;
const KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;

export type Trust = 'any' | 'authority' | 'authority and host';

/** @throws PipelineError `TLS_FILE_UNREADABLE` (usage) */
export function tlsOptions(trust: Trust, { ca, cert, key }: TlsFiles): ConnectionOptions {
  const files = {
    ...(ca === undefined ? {} : { ca: contentOf(ca, CERTIFICATE) }),
    ...(cert === undefined ? {} : { cert: contentOf(cert, CERTIFICATE) }),
    ...(key === undefined ? {} : { key: contentOf(key, KEY) }),
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

function contentOf(path: string, part: RegExp): string {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(`The TLS file ${path} can't be read`, error);
  }
  if (part.test(content)) return content;
  throw unusable(
    `The TLS file ${path} is not the right one`,
    new Error(`nothing in it is ${part.source}`),
  );
}

function unusable(text: string, cause: unknown): PipelineError {
  return new PipelineError(`${text}: ${messageOf(cause)}`, {
    code: 'TLS_FILE_UNREADABLE',
    category: 'usage',
    cause,
  });
}
