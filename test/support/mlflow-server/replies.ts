/**
 * What a look-alike server says where it has found something, and where it has not.
 */

import { JSON_TYPE, type Reply } from './faults.js';

export const NOT_FOUND: Reply = {
  status: 404,
  type: 'text/html; charset=utf-8',
  body: '<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n',
};

/** What MLflow answers where a request is wrong. */
export function refusal(status: number, errorCode: string, message: string): Reply {
  const body = JSON.stringify({ error_code: errorCode, message });
  return { status, type: JSON_TYPE, body };
}

export function json(value: object): Reply {
  return { status: 200, type: JSON_TYPE, body: JSON.stringify(value) };
}

export function invalid(message: string): Reply {
  return refusal(400, 'INVALID_PARAMETER_VALUE', message);
}

export function missing(name: string): Reply {
  return invalid(`Missing value for required parameter '${name}'.`);
}

export function unknown(message: string): Reply {
  return refusal(404, 'RESOURCE_DOES_NOT_EXIST', message);
}

/** One by name is refused where a search leaves it out. */
export function ifSeen(
  { hides }: { readonly hides: (item: object) => boolean },
  item: object,
  answer: () => object,
): Reply {
  if (!hides(item)) return json(answer());
  return { status: 403, type: 'text/plain', body: 'Permission denied' };
}
