/**
 * Where DataHub's service is and who asks: a URL taken apart.
 */

import { blankIn } from '../../core/blanks.js';
import { PipelineError } from '../../core/errors.js';

export interface ServiceAddress {
  /** Without path: `http://host:8080`. */
  readonly origin: string;
  /** Path in front of `/aspects`, with a leading and without a trailing slash, or empty. */
  readonly prefix: string;
  /** Origin and prefix: all that is ever shown. */
  readonly shown: string;
  /** Value of the Authorization header that the URL's userinfo asks for. */
  readonly authorization?: string;
  /** Every text of the URL that must never be shown. */
  readonly secrets: readonly string[];
}

/**
 * Takes the address of DataHub's service apart: `http://host:8080`, `https://host/gms`,
 * `https://TOKEN@host/api/gms` (bearer), `https://user:password@host` (basic, as DataHub's system
 * clients have it). Blanks at its ends are taken off.
 *
 * @param name - the option that the address comes from, for messages: `dataHubRestSink: "url"`
 * @throws PipelineError `INVALID_URI` (usage), which never repeats the address: it may hold a token
 */
export function parseServiceAddress(address: string, name: string): ServiceAddress {
  const text = address.trim();
  const blank = blankIn(text);
  if (blank !== undefined) throw invalid(name, blank);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(name, 'is not a URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(name, `begins with ${url.protocol}`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(
      name,
      'has a query or a fragment (? or #), and the address of a service has none',
    );
  }
  if (url.pathname.includes('@')) {
    throw invalid(
      name,
      'has an @ in its path: a / in a token or password has to be written as %2F',
    );
  }
  const prefix = url.pathname.replace(/\/+$/, '');
  return { origin: url.origin, prefix, shown: url.origin + prefix, ...credentialsOf(url) };
}

/** A token of its own has precedence over one in the address. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}

function credentialsOf(url: URL): Pick<ServiceAddress, 'authorization' | 'secrets'> {
  const user = decode(url.username);
  const password = decode(url.password);
  if (user === '' && password === '') return { secrets: [] };
  if (password === '') return { authorization: bearer(user), secrets: [user] };
  const encoded = Buffer.from(`${user}:${password}`).toString('base64');
  return { authorization: `Basic ${encoded}`, secrets: [password, encoded] };
}

/** A percent sign that begins no escape stands for itself, as people type passwords. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(name: string, problem: string): PipelineError {
  return new PipelineError(
    `${name} ${problem}: give the address of DataHub's service as http://host:8080, or through ` +
      'the web frontend as https://host/api/gms',
    { code: 'INVALID_URI', category: 'usage' },
  );
}
