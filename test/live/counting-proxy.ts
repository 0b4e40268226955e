/**
 * An HTTP proxy in front of a server that counts the requests it passes through.
 */

import { createServer, request as send, type Server } from 'node:http';

export interface CountingProxy {
  readonly uri: string;
  /** Method and path of each request, without its query. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/**
 * @param authorization - what the Authorization header must be; others are told what theirs was
 */
export async function countingProxy(
  target: string,
  authorization?: string,
): Promise<CountingProxy> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${(request.url ?? '').split('?')[0] ?? ''}`);
    const given = request.headers.authorization ?? 'nobody';
    if (authorization !== undefined && given !== authorization) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error_code: 40101, message: `no access as ${given}` }));
      return;
    }
    const { host } = new URL(target);
    const onward = send(
      new URL(request.url ?? '/', target),
      { method: request.method, headers: { ...request.headers, host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', (error) => {
      response.destroy(error);
    });
    request.pipe(onward);
  });
  const port = await listen(server);
  return {
    uri: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
