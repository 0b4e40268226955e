/**
 * Keys and certificates, read from their files.
 */

import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { messageOf, PipelineError } from '../../core/errors.js';
import type { TlsOptions } from './options.js';

/** What Node's TLS takes. */
export type TlsSettings = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'
>;

/**
 * Reads the files that the options name; undefined where TLS is off.
 *
 * @throws PipelineError `TLS_FILE_UNREADABLE` (usage)
 */
export async function readTlsFiles(
  options: boolean | TlsOptions | undefined,
): Promise<TlsSettings | undefined> {
  if (options === undefined || options === false) return undefined;
  if (options === true) return {};
  const { caFile, certFile, keyFile, keyPassphrase, serverName, rejectUnauthorized } = options;
  return {
    rejectUnauthorized,
    ...(caFile === undefined ? {} : { ca: await read(caFile, 'caFile') }),
    ...(certFile === undefined ? {} : { cert: await read(certFile, 'certFile') }),
    ...(keyFile === undefined ? {} : { key: await read(keyFile, 'keyFile') }),
    ...(keyPassphrase === undefined ? {} : { passphrase: keyPassphrase }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

async function read(path: string, option: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new PipelineError(`kafkaSink: ${option} ${path} can't be read: ${messageOf(error)}`, {
      code: 'TLS_FILE_UNREADABLE',
      category: 'usage',
      cause: error,
    });
  }
}
