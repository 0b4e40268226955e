/**
 * A look-alike of MLflow's REST server on loopback, for tests: real HTTP, content from plain arrays,
 * the manners of the versions named, and faults on demand.
 *
 * @example
 * const server = await startMlflowServer({ flavour: '2.22.5', content: sampleContent() });
 * const store = await openRestStore({ uri: server.uri }, context);
 * ...
 * expect(server.requests.filter(({ endpoint }) => endpoint === 'runs/search')).toHaveLength(2);
 * await server.close();
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TEST_CERTIFICATE, TEST_KEY } from './mlflow-server/certificate.js';
import { sampleContent, type ServerContent } from './mlflow-server/content.js';
import { endpointsOf, isModern, type Flavour, type Look } from './mlflow-server/endpoints.js';
import { send, type FaultHook, type LoggedRequest, type Reply } from './mlflow-server/faults.js';
import { NOT_FOUND, refusal } from './mlflow-server/replies.js';
import { aboutWorkspaces, contentFor, type Workspaces } from './mlflow-server/workspaces.js';

export * from './mlflow-server/content.js';
export { offsetToken, type Flavour } from './mlflow-server/endpoints.js';
export type { Fault, FaultHook, LoggedRequest } from './mlflow-server/faults.js';
export { workspacesOf, type Workspaces } from './mlflow-server/workspaces.js';

export interface MlflowServerOptions {
  /** @defaultValue `2.22.5` */
  readonly flavour?: Flavour;
  /** @defaultValue `sampleContent()` */
  readonly content?: ServerContent;
  /** Of flavour 3 only; makes it a server with workspaces, instead of `content`. */
  readonly workspaces?: Workspaces;
  /** Workspaces that the user may not see. */
  readonly hiddenWorkspaces?: ReadonlySet<string>;
  /** Asked before each answer. */
  readonly faults?: FaultHook;
  /** In front of every path: `/team/mlflow`. */
  readonly prefix?: string;
  /**
   * Who put the prefix there: a reverse proxy that takes it off again, or the server's own
   * `--static-prefix`, which before 3 leaves `/api` and `/version` at the root and has only
   * `/ajax-api` behind the prefix. @defaultValue `proxy`
   */
  readonly prefixedBy?: 'proxy' | 'server';
  /** Value that the Authorization header must have; anything else is answered with 401. */
  readonly authorization?: string;
  /** What the user may not see; taken out after a page is cut, so that pages become short. */
  readonly hides?: (item: object) => boolean;
  /** HTTPS with the self-signed `TEST_CERTIFICATE`. */
  readonly tls?: boolean;
}

export interface MlflowServer {
  /** With the prefix: `http://127.0.0.1:40123/team/mlflow`. */
  readonly uri: string;
  readonly port: number;
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly LoggedRequest[];
  /** The most requests that were being answered at the same time. */
  readonly peakConcurrency: number;
  /** Connections opened so far. */
  readonly connections: number;
  /** How often an endpoint was asked: `runs/search`. */
  countOf(endpoint: string): number;
  /** Breaks open connections off. */
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. */
export async function startMlflowServer(options: MlflowServerOptions = {}): Promise<MlflowServer> {
  const flavour = options.flavour ?? '2.22.5';
  const look: Look = {
    flavour,
    content: options.content ?? sampleContent(),
    hides: options.hides ?? (() => false),
  };
  const prefix = options.prefix ?? '';
  const endpoints = endpointsOf(flavour);
  const staysAtRoot = options.prefixedBy === 'server' && !flavour.startsWith('3.');
  const root = staysAtRoot ? '' : prefix;
  const requests: LoggedRequest[] = [];
  let active = 0;
  let peak = 0;
  let connections = 0;

  const replyTo = (request: LoggedRequest): Reply => {
    if (options.authorization !== undefined) {
      if (request.headers['authorization'] !== options.authorization) {
        return { status: 401, type: 'text/plain', body: 'You are not authenticated.' };
      }
    }
    const api3 = [root + API_3, prefix + AJAX_API_3].find((base) => request.path.startsWith(base));
    if (api3 !== undefined && flavour.startsWith('3.')) {
      const path = request.path.slice(api3.length);
      return aboutWorkspaces(path, request, options.workspaces, options.hiddenWorkspaces);
    }
    if (request.path === `${root}/version` && isModern(flavour)) {
      return { status: 200, type: 'text/html; charset=utf-8', body: flavour };
    }
    const bases = [root + API, prefix + AJAX_API];
    if (!bases.some((base) => request.path.startsWith(base))) return NOT_FOUND;
    const answer = endpoints.get(`${request.method} ${request.endpoint}`);
    if (answer === undefined) return NOT_FOUND;
    const content = flavour.startsWith('3.')
      ? contentFor(request, look.content, options.workspaces)
      : look.content;
    if ('status' in content) return content;
    try {
      return answer({ ...look, content }, request);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return refusal(400, 'INVALID_PARAMETER_VALUE', error.message);
    }
  };

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await received(message, prefix, requests);
    active += 1;
    peak = Math.max(peak, active);
    response.on('close', () => {
      active -= 1;
    });
    const fault = await options.faults?.(request);
    await send(response, replyTo(request), fault);
  };
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    handle(message, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  };
  const server =
    options.tls === true
      ? createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, listener)
      : createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    uri: `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}${prefix}`,
    port,
    requests,
    get peakConcurrency() {
      return peak;
    },
    get connections() {
      return connections;
    },
    countOf: (endpoint) => requests.filter((request) => request.endpoint === endpoint).length,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const API = '/api/2.0/mlflow/';
const API_3 = '/api/3.0/mlflow/';
/** The same, for MLflow's own pages. */
const AJAX_API = '/ajax-api/2.0/mlflow/';
const AJAX_API_3 = '/ajax-api/3.0/mlflow/';

/** Reads a request to its end and writes it down. */
async function received(
  message: IncomingMessage,
  prefix: string,
  log: LoggedRequest[],
): Promise<LoggedRequest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const url = new URL(message.url ?? '/', 'http://server');
  const behind = url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : url.pathname;
  const base = [API, AJAX_API].find((start) => behind.startsWith(start)) ?? '/';
  const request: LoggedRequest = {
    index: log.length,
    method: message.method ?? 'GET',
    path: url.pathname,
    endpoint: behind.slice(base.length),
    query: url.searchParams,
    headers: message.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
  log.push(request);
  return request;
}
