/**
 * The connections to one server: bounded, kept alive, through a proxy where one is set.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dispatcher } from 'undici';
import { messageOf, PipelineError } from '../../core/errors.js';
import type { ClientSettings } from './settings.js';

/** The longest wait for a connection, milliseconds, where a request may take longer than that. */
const LONGEST_CONNECT_MS = 10_000;

/**
 * @param connections - how many at a time at most
 * @throws PipelineError `SERVER_CERT_UNREADABLE` (usage)
 */
export async function openDispatcher(
  settings: ClientSettings,
  connections: number,
  timeoutMs: number,
): Promise<Dispatcher> {
  const { insecureTls, serverCertPath, proxy } = settings;
  const tls = {
    rejectUnauthorized: !insecureTls,
    ...(serverCertPath === undefined ? {} : { ca: await readCertificates(serverCertPath) }),
  };
  const timeout = Math.min(timeoutMs, LONGEST_CONNECT_MS);
  // Loaded only where it is needed: it takes a tenth of a second.
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    connections,
    pipelining: 1,
    connect: { ...tls, timeout },
    // Each request has a deadline of its own over all its parts.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Said explicitly even where there is none: it would read the process's environment otherwise.
    // The one that goes with the server's scheme is meant for both.
    httpProxy: proxy ?? '',
    httpsProxy: proxy ?? '',
    noProxy: settings.noProxy,
    requestTls: { ...tls, timeout },
    proxyTls: { timeout },
    // Plain HTTP is forwarded rather than tunnelled: many proxies allow CONNECT to port 443 only.
    proxyTunnel: false,
  });
}

/** A file of certificates (PEM), or a folder of such files, as MLflow's own client takes it. */
async function readCertificates(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [await readFile(path, 'utf8')];
    const names = (await readdir(path)).filter((name) => /\.(pem|crt|cer|\d+)$/.test(name)).sort();
    return await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')));
  } catch (error) {
    throw new PipelineError(
      `the certificates in ${path} can't be read (${messageOf(error)}): serverCertPath or ` +
        'MLFLOW_TRACKING_SERVER_CERT_PATH must name a PEM file or a folder of them',
      { code: 'SERVER_CERT_UNREADABLE', category: 'usage', cause: error },
    );
  }
}
