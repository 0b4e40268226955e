/**
 * Workspaces of a look-alike server, as 3.17.2 has them where it was started with
 * `--enable-workspaces`, and what it says where it was not.
 */

import { sampleContent, type ServerContent } from './content.js';
import type { LoggedRequest, Reply } from './faults.js';
import { json, NOT_FOUND, refusal, unknown } from './replies.js';

/** What each holds, by name; a test may add and delete some. */
export type Workspaces = Map<string, ServerContent>;

/** `default` is there by itself. */
export const workspacesOf = (contents: Readonly<Record<string, ServerContent>>): Workspaces =>
  new Map(Object.entries({ default: sampleContent(), ...contents }));

const OFF = 'Workspace APIs are not available: workspaces are not enabled on this server';

/** The server's word on workspaces themselves, behind `/api/3.0/mlflow/`. */
export function aboutWorkspaces(
  path: string,
  request: LoggedRequest,
  workspaces: Workspaces | undefined,
  hidden: ReadonlySet<string> = new Set(),
): Reply {
  if (path === 'server-info') return json({ workspaces_enabled: workspaces !== undefined });
  const name = /^workspaces(?:\/(.+))?$/.exec(path);
  if (name === null) return NOT_FOUND;
  if (workspaces === undefined) {
    return { status: 503, type: 'text/html; charset=utf-8', body: `Endpoint: ${path} disabled` };
  }
  // Answered whether or not there is one for requests that name none.
  const within = workspaceOf(request);
  const isNamed = 'x-mlflow-workspace' in request.headers;
  if (isNamed && !workspaces.has(within)) return notFound(within);
  const [, one] = name;
  if (one === undefined) {
    const seen = [...workspaces.keys()].filter((each) => !hidden.has(each)).sort();
    return json({ workspaces: seen.map((each) => ({ name: each, description: '' })) });
  }
  if (hidden.has(one)) return { status: 403, type: 'text/plain', body: 'Permission denied' };
  return workspaces.has(one) ? json({ workspace: { name: one } }) : notFound(one);
}

/** The content that a request is about, or why there is none. */
export function contentFor(
  request: LoggedRequest,
  content: ServerContent,
  workspaces: Workspaces | undefined,
): ServerContent | Reply {
  const name = workspaceOf(request);
  if (workspaces !== undefined) return workspaces.get(name) ?? notFound(name);
  const isNamed = 'x-mlflow-workspace' in request.headers;
  return isNamed ? refusal(500, 'FEATURE_DISABLED', OFF) : content;
}

function workspaceOf({ headers }: LoggedRequest): string {
  return String(headers['x-mlflow-workspace'] ?? 'default').trim();
}

function notFound(name: string): Reply {
  return unknown(`Workspace '${name}' not found`);
}
