/**
 * Finds out what answers at an address, and changes nothing there.
 */

import { PipelineError } from '../../core/errors.js';
import { isWebPage, statusFailure } from './failures.js';
import type { Answer, ServiceClient } from './service-client.js';

export interface ServiceFacts {
  /** Such as `v1.2.0`; absent where the service does not say. */
  readonly version?: string;
  /** Such as `prod`, `quickstart`. */
  readonly serverType?: string;
}

/** Statuses that say nothing of what it is: who asks, or when, is not right. */
const NO_ANSWER: ReadonlySet<number> = new Set([401, 403, 408, 425, 429]);

/** Read with the token: `/config` is open to everybody, and says nothing about that. */
const GUARDED = '/aspects/urn%3Ali%3Acorpuser%3Adatahub?aspect=corpUserKey&version=0';

/**
 * @throws PipelineError `SINK_NOT_DATAHUB` for another thing than DataHub's service, its web
 *   frontend among them; `SINK_UNAUTHORIZED`; `SINK_UNREACHABLE` and the like
 */
export async function inspectService(client: ServiceClient): Promise<ServiceFacts> {
  const facts = await readConfig(client);
  const guarded = await client.get(GUARDED);
  // Whether that user exists, or may be read, is of no importance.
  if (guarded.status === 401) throw statusFailure(guarded, client.describe('GET', GUARDED));
  return facts;
}

async function readConfig(client: ServiceClient): Promise<ServiceFacts> {
  const answer = await client.get('/config');
  const place = client.describe('GET', '/config');
  if (NO_ANSWER.has(answer.status) || answer.status >= 500) throw statusFailure(answer, place);
  const facts = factsIn(answer);
  if (facts !== undefined) return facts;
  // The frontend hands requests on, under a path of its own.
  const behind = factsIn(await client.get('/api/gms/config'));
  const hint =
    behind === undefined
      ? "give the address of DataHub's service (usually http://host:8080), or through the web " +
        'frontend the one with /api/gms behind it'
      : "it is DataHub's web frontend: add /api/gms to the address, or give that of the service " +
        '(usually port 8080)';
  const found = isWebPage(answer.body, answer.contentType)
    ? 'answers with a web page'
    : answer.status >= 200 && answer.status < 300
      ? "is not DataHub's service"
      : `answers ${answer.status}`;
  throw new PipelineError(`${place.request} ${found}: ${hint}`, {
    code: 'SINK_NOT_DATAHUB',
    category: 'unavailable',
  });
}

/** What DataHub's service says of itself; nothing where it is another that answers. */
function factsIn({ status, body }: Answer): ServiceFacts | undefined {
  if (status < 200 || status >= 300) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  // A text, in all versions: it was the mark of a service that keeps aspects in its new way.
  if (property(json, 'noCode') !== 'true') return undefined;
  const version = property(property(property(json, 'versions'), 'acryldata/datahub'), 'version');
  const serverType = property(property(json, 'datahub'), 'serverType');
  return {
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof serverType === 'string' ? { serverType } : {}),
  };
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string, unknown>)[name];
}
