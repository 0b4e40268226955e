/**
 * What a look-alike server can be made to do wrong.
 */

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request as it was received. */
export interface LoggedRequest {
  /** 0 for the server's first. */
  readonly index: number;
  readonly method: string;
  /** Without query: `/prefix/api/2.0/mlflow/runs/search`. */
  readonly path: string;
  /** Behind the API's base: `runs/search`; of others the path without its first slash: `version`. */
  readonly endpoint: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The JSON sent, or an empty object. */
  readonly body: Readonly<Record<string, unknown>>;
}

export type Fault =
  /** Another status: 429 with a Retry-After, 500, a redirect with its `location`. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string | object;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Status 200 with other JSON. */
  | { readonly kind: 'json'; readonly body: unknown }
  /** Status 200 with a sign-on page. */
  | { readonly kind: 'html' }
  /** The right answer, changed: null items, a repeating token, a value of a wrong type. */
  | { readonly kind: 'patch'; readonly patch: (answer: Record<string, unknown>) => unknown }
  /** The first bytes of the right answer, properly ended (`text`) or broken off (`connection`). */
  | { readonly kind: 'cut'; readonly bytes: number; readonly by: 'text' | 'connection' }
  /** The right answer, late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** No answer at all; the connection stays. */
  | { readonly kind: 'silence' }
  /** The connection is closed instead of an answer. */
  | { readonly kind: 'drop' };

/** Asked for each request; undefined lets it through. May wait, to hold an answer back. */
export type FaultHook = (request: LoggedRequest) => Fault | undefined | Promise<Fault | undefined>;

export const SIGN_ON_PAGE =
  '<!doctype html>\n<html><title>Sign on</title><p>Who are you?</p></html>';

/** An answer that the server would give. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Does what the fault says; without a fault, answers. */
export async function send(
  response: ServerResponse,
  reply: Reply,
  fault: Fault | undefined,
): Promise<void> {
  switch (fault?.kind) {
    case undefined:
      end(response, reply);
      return;
    case 'status': {
      const { status, body = '', headers = {} } = fault;
      const json = typeof body !== 'string';
      response.writeHead(status, { 'content-type': json ? JSON_TYPE : 'text/plain', ...headers });
      response.end(json ? JSON.stringify(body) : body);
      return;
    }
    case 'json':
      end(response, { status: 200, type: JSON_TYPE, body: JSON.stringify(fault.body) });
      return;
    case 'html':
      end(response, { status: 200, type: 'text/html; charset=utf-8', body: SIGN_ON_PAGE });
      return;
    case 'patch': {
      const answer = fault.patch(JSON.parse(reply.body) as Record<string, unknown>);
      end(response, { ...reply, body: JSON.stringify(answer) });
      return;
    }
    case 'cut': {
      const part = Buffer.from(reply.body).subarray(0, fault.bytes);
      if (fault.by === 'text') {
        end(response, { ...reply, body: part.toString('utf8') });
        return;
      }
      response.writeHead(reply.status, {
        'content-type': reply.type,
        'content-length': Buffer.byteLength(reply.body),
      });
      response.write(part, () => response.destroy());
      return;
    }
    case 'delay':
      await sleep(fault.ms);
      end(response, reply);
      return;
    case 'silence':
      return;
    case 'drop':
      response.destroy();
  }
}

export const JSON_TYPE = 'application/json';

function end(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, { 'content-type': reply.type });
  response.end(reply.body);
}
