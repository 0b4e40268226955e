/**
 * A stand-in of DataHub's metadata service in this process: takes what the real one takes, keeps
 * it, and can be made to fail.
 */

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Aspect, Proposal } from '../../src/datahub/proposal.js';

/** What a request is answered with instead of being taken. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** The connection is cut: before the request is taken, or after it, when nobody hears of it. */
  | 'drop'
  | 'take-and-drop';

export interface GmsServerOptions {
  /** Asked for each request with proposals; nothing means that it is taken. */
  readonly fault?: (proposals: readonly Proposal[], request: number) => Fault | undefined;
  /** Asked each time the service is asked what it is; nothing means that it says so. */
  readonly configFault?: () => Exclude<Fault, string> | undefined;
  /** Why a proposal is refused, and with it the batch it is in. */
  readonly refuse?: (proposal: Proposal) => string | undefined;
  /** Default 422. */
  readonly refusalStatus?: number;
  /** The only token that is let in; everybody is without it. */
  readonly token?: string;
  /** Time that a request takes, milliseconds. */
  readonly delayMs?: () => number;
  /** Answers every path but those in front of which `/api/gms` stands with its page. */
  readonly frontend?: boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A request with proposals, taken or not. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: number;
  readonly proposals: readonly Proposal[];
  readonly async: unknown;
}

export class GmsServer {
  /** Proposals taken, in their order. */
  readonly received: Proposal[] = [];
  /** `systemMetadata` of each of them. */
  readonly metadata: unknown[] = [];
  readonly requests: SeenRequest[] = [];
  /** The most requests that were being answered at a time. */
  mostAtATime = 0;
  readonly #options: GmsServerOptions;
  readonly #server: Server;
  #atATime = 0;
  #stalled: Promise<void> | undefined;

  private constructor(options: GmsServerOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response).catch(() => {
        response.destroy();
      });
    };
    this.#server =
      options.tls === undefined ? createHttpServer(answer) : createHttpsServer(options.tls, answer);
  }

  static async start(options: GmsServerOptions = {}): Promise<GmsServer> {
    const gms = new GmsServer(options);
    await new Promise<void>((resolve) => gms.#server.listen(0, '127.0.0.1', resolve));
    return gms;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  /** Answers nothing more until what it gives is called. */
  stall(): () => void {
    let resume = (): void => {};
    this.#stalled = new Promise((resolve) => {
      resume = () => {
        this.#stalled = undefined;
        resolve();
      };
    });
    return resume;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    this.#atATime += 1;
    this.mostAtATime = Math.max(this.mostAtATime, this.#atATime);
    try {
      await this.#stalled;
      const delay = this.#options.delayMs?.() ?? 0;
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      this.#route(request, response, body);
    } finally {
      this.#atATime -= 1;
    }
  }

  #route(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { frontend = false, token } = this.#options;
    let path = request.url ?? '';
    if (frontend) {
      if (!path.startsWith('/api/gms/')) {
        send(response, 200, '<!doctype html><title>DataHub</title>', {
          'content-type': 'text/html',
        });
        return;
      }
      path = path.slice('/api/gms'.length);
    }
    const fault = path === '/config' ? this.#options.configFault?.() : undefined;
    if (fault !== undefined) {
      send(response, fault.status, { message: 'injected' }, fault.headers);
    } else if (request.method === 'GET' && path === '/config') {
      const versions = { 'acryldata/datahub': { version: 'v1.2.0', commit: 'abc' } };
      send(response, 200, { noCode: 'true', versions, datahub: { serverType: 'quickstart' } });
    } else if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      // Some versions repeat what they were sent.
      const given = request.headers.authorization ?? '';
      send(response, 401, { message: `Unauthorized to perform this action: ${given}` });
    } else if (request.method === 'POST' && path.startsWith('/aspects?action=ingestProposal')) {
      this.#ingest(request, response, body, path);
    } else {
      send(response, 404, { message: 'No root resource defined for path', status: 404 });
    }
  }

  #ingest(request: IncomingMessage, response: ServerResponse, body: Buffer, path: string): void {
    const { fault, refuse, refusalStatus = 422 } = this.#options;
    const json = JSON.parse(body.toString('utf8')) as IngestBody;
    const entries = path.endsWith('Batch') ? json.proposals : [json.proposal];
    const proposals = entries.map(toProposal);
    const { headers } = request;
    this.requests.push({ path, headers, bytes: body.length, proposals, async: json.async });
    const trouble = fault?.(proposals, this.requests.length);
    if (trouble === 'drop') {
      response.destroy();
      return;
    }
    if (typeof trouble === 'object') {
      send(response, trouble.status, trouble.body ?? { message: 'injected' }, trouble.headers);
      return;
    }
    const problem = proposals.flatMap((proposal) => refuse?.(proposal) ?? [])[0];
    if (problem !== undefined) {
      const exceptionClass = 'com.linkedin.restli.server.RestLiServiceException';
      const stackTrace = `${exceptionClass}: ${'at com.linkedin.Some.method\n'.repeat(100)}`;
      send(response, refusalStatus, {
        message: problem,
        exceptionClass,
        stackTrace,
        status: refusalStatus,
      });
      return;
    }
    this.received.push(...proposals);
    this.metadata.push(...entries.map(({ systemMetadata }) => systemMetadata));
    if (trouble === 'take-and-drop') response.destroy();
    else send(response, 200, { value: 'success' });
  }
}

interface IngestEntry extends Omit<Proposal, 'aspect'> {
  readonly aspect: { readonly contentType: string; readonly value: string };
  readonly systemMetadata: unknown;
}

interface IngestBody {
  readonly proposals: readonly IngestEntry[];
  readonly proposal: IngestEntry;
  readonly async: unknown;
}

function toProposal({
  entityType,
  entityUrn,
  changeType,
  aspectName,
  aspect,
  headers,
}: IngestEntry): Proposal {
  const expected = changeType === 'PATCH' ? 'application/json-patch+json' : 'application/json';
  if (aspect.contentType !== expected) throw new Error(`not ${expected}`);
  return {
    entityType,
    entityUrn,
    changeType,
    aspectName,
    aspect: JSON.parse(aspect.value) as Aspect,
    ...(headers === undefined ? {} : { headers }),
  };
}

function send(
  response: ServerResponse,
  status: number,
  body: object | string,
  headers: Record<string, string> = {},
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(text);
}
