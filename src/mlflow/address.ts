/**
 * Where an MLflow server is: its URI, taken apart.
 */

import { blankIn } from '../core/blanks.js';
import { PipelineError } from '../core/errors.js';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Address {
  /** Without path: `http://host:5000`. */
  readonly origin: string;
  /** Path in front of `/api`, with a leading and without a trailing slash, or empty. */
  readonly prefix: string;
  /** Origin and prefix: all that is ever shown. */
  readonly shown: string;
  readonly credentials?: Credentials;
}

/**
 * Takes a tracking or registry URI apart: `http://user:password@host:5000/prefix`. Blanks at its ends
 * are taken off.
 *
 * @param name - what the URI is and where it comes from, for the message: `uri`
 * @throws PipelineError `INVALID_URI` (usage), without repeating the URI where that may hold a secret
 */
export function parseAddress(uri: string, name: string): Address {
  const text = uri.trim();
  const blank = blankIn(text);
  if (blank !== undefined) throw invalid(name, blank);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(name, 'is not a URI');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(name, `begins with ${url.protocol}, which is no MLflow server over HTTP`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(name, 'has a query or a fragment (? or #), and a server address has none');
  }
  const prefix = url.pathname.replace(/\/+$/, '');
  const credentials =
    url.username === '' && url.password === ''
      ? {}
      : { credentials: { username: decode(url.username), password: decode(url.password) } };
  return { origin: url.origin, prefix, shown: url.origin + prefix, ...credentials };
}

function invalid(name: string, problem: string): PipelineError {
  return new PipelineError(
    `${name} ${problem}: give it as http://host:5000 or https://host/prefix`,
    { code: 'INVALID_URI', category: 'usage' },
  );
}

/** A percent sign that begins no escape stands for itself, as people type passwords. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
