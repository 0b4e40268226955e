/**
 * Answers as DataHub's service does when it is asked what it has of an entity: the peer asks before
 * it patches.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from './proposals.js';

/** By the aspect's name: the same for all entities. */
export type Known = Readonly<
  Record<string, { readonly record: string; readonly aspect: JsonObject }>
>;

export interface KnownAspects {
  readonly url: string;
  readonly stop: () => void;
}

export async function startKnownAspects(known: Known): Promise<KnownAspects> {
  const server = createServer(({ url = '' }, response) => {
    const aspectName = new URL(url, 'http://host').searchParams.get('aspect') ?? '';
    const found = known[aspectName];
    const answer =
      url === '/config'
        ? { noCode: 'true', statefulIngestionCapable: true, patchCapable: true }
        : found && { version: 0, aspect: { [found.record]: found.aspect } };
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'not found', status: 404 }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
