import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { oauthToken } from '../../../src/sinks/kafka/oauth.js';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Asked {
  readonly authorization: string | undefined;
  readonly body: string;
}

async function issuer(status: number, answer: string): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body });
      response.writeHead(status).end(answer);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, asked };
}

const credentials = (tokenUrl: string, scope?: string) => ({
  mechanism: 'oauthbearer' as const,
  tokenUrl,
  clientId: 'mlflow',
  clientSecret: 's3cret:+',
  ...(scope === undefined ? {} : { scope }),
});
const { signal } = new AbortController();

describe('a token for Kafka', () => {
  it("is asked for with the client's credentials", async () => {
    const { url, asked } = await issuer(200, '{"access_token":"abc","expires_in":60}');
    expect(await oauthToken(credentials(url), signal)).toBe('abc');
    expect(await oauthToken(credentials(url, 'kafka write'), signal)).toBe('abc');
    const authorization = `Basic ${Buffer.from('mlflow:s3cret%3A%2B').toString('base64')}`;
    expect(asked).toEqual([
      { authorization, body: 'grant_type=client_credentials' },
      { authorization, body: 'grant_type=client_credentials&scope=kafka+write' },
    ]);
  });

  it.each([
    [401, '{"error":"s3cret:+ is wrong"}', 'it answers 401'],
    [200, '{"token":"abc"}', 'no access_token'],
    [200, '<html>', 'no token from'],
  ])('is not to be had: %i %s', async (status, answer, words) => {
    const { url } = await issuer(status, answer);
    const error: unknown = await oauthToken(credentials(`${url}?key=s3cret`), signal).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'KAFKA_AUTHENTICATION', category: 'unavailable' });
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain('s3cret');
  });
});
