/**
 * An authority, a server's and a client's certificate for one run of the tests.
 */

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** The server's key and certificate in one file, as Kafka takes them. */
  readonly serverStore: string;
}

/** Makes them with openssl, in `folder`; the server's is for `localhost` and 127.0.0.1. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> =>
    run('openssl', args).catch((error: unknown) => {
      throw new Error(`the live tests need openssl: ${String(error)}`);
    });
  const ca = at('ca.pem');
  await openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=live-ca'],
    ...['-keyout', at('ca.key'), '-out', ca],
  );
  for (const name of ['server', 'client']) {
    const extensions = at(`${name}.ext`);
    await writeFile(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    await openssl(
      ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)],
    );
    await openssl(
      ...['x509', '-req', '-in', at(`${name}.csr`), '-CA', ca, '-CAkey', at('ca.key')],
      ...['-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', at(`${name}.pem`)],
    );
  }
  const serverStore = at('server-store.pem');
  await writeFile(serverStore, [
    await readFile(at('server.key')),
    await readFile(at('server.pem')),
    await readFile(ca),
  ]);
  return {
    ca,
    serverCert: at('server.pem'),
    serverKey: at('server.key'),
    clientCert: at('client.pem'),
    clientKey: at('client.key'),
    serverStore,
  };
}
