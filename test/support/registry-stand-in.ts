/**
 * Schema registries in this process, as far as the Kafka sink asks them.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RegistryStandIn {
  readonly url: string;
  /** `GET /subjects/…`, in the order of their arrival. */
  readonly requests: string[];
  /** Values of the Authorization header. */
  readonly authorizations: (string | undefined)[];
  /** The schemas' texts, by id. */
  readonly schemas: Map<number, string>;
  close(): Promise<void>;
}

export interface RegistryOptions {
  /** `datahub`: the one inside DataHub's service, which knows its topics' schemas and little else. */
  readonly kind?: 'confluent' | 'datahub';
  readonly subject?: string;
  /** What is registered before, by id; the last is the latest. */
  readonly schemas?: Readonly<Record<number, object>>;
  /** The id that the next schema gets. */
  readonly nextId?: number;
  /** Answers instead; undefined leaves a request to the stand-in. */
  readonly answer?: (request: string) => Answer | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: string | object;
  readonly delayMs?: number;
}

export async function registryStandIn(options: RegistryOptions = {}): Promise<RegistryStandIn> {
  const { kind = 'confluent', subject = 'MetadataChangeProposal_v1-value' } = options;
  const schemas = new Map(
    Object.entries(options.schemas ?? {}).map(([id, schema]) => [
      Number(id),
      JSON.stringify(schema),
    ]),
  );
  let latest = [...schemas.keys()].at(-1);
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];

  const answerOf = (request: string, body: string): Answer => {
    const special = options.answer?.(request);
    if (special !== undefined) return special;
    const byId = /^GET \/schemas\/ids\/(\d+)$/.exec(request)?.[1];
    if (byId !== undefined) {
      const schema = schemas.get(Number(byId));
      return schema === undefined ? notFound(40403) : { status: 200, body: { schema } };
    }
    const versions = `/subjects/${encodeURIComponent(subject)}/versions`;
    if (request === `POST ${versions}`) {
      if (kind === 'datahub') return { status: 200, body: { id: latest } };
      const { schema } = JSON.parse(body) as { schema: string };
      const id = [...schemas].find(([, text]) => text === schema)?.[0] ?? options.nextId ?? 1;
      schemas.set(id, schema);
      latest = id;
      return { status: 200, body: { id } };
    }
    if (kind === 'datahub') return { status: request.startsWith('POST') ? 404 : 501, body: '' };
    if (request === `GET ${versions}/latest` && latest !== undefined) {
      return {
        status: 200,
        body: { subject, version: 1, id: latest, schema: schemas.get(latest) },
      };
    }
    return notFound(40401);
  };

  const server = createServer((incoming, response) => {
    void respond(incoming, response, (request, body) => {
      requests.push(request);
      authorizations.push(incoming.headers.authorization);
      return answerOf(request, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    authorizations,
    schemas,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function respond(
  incoming: IncomingMessage,
  response: ServerResponse,
  answer: (request: string, body: string) => Answer,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const request = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
  const { status, body, delayMs = 0 } = answer(request, Buffer.concat(chunks).toString());
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const json = typeof body === 'object';
  response.writeHead(status, {
    'content-type': json ? 'application/vnd.schemaregistry.v1+json' : 'text/html',
  });
  response.end(json ? JSON.stringify(body) : body);
}

function notFound(code: number): Answer {
  return { status: 404, body: { error_code: code, message: 'not found' } };
}
