/**
 * Addresses of databases as MLflow takes them, which are SQLAlchemy's:
 * `postgresql+psycopg2://user:password@host:5432/database?sslmode=require`.
 */

import { blankIn } from '../../../core/blanks.js';
import { PipelineError } from '../../../core/errors.js';

export interface DatabaseAddress {
  /** Absent where the URI leaves it to a default. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database: string;
  /** What stands behind the question mark; of repeated ones the last. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** SQLAlchemy's own expression: a password may hold anything but an `@`, unencoded. */
const URI =
  /^[\w+]+:\/\/(?:([^:/]*)(?::([^@]*))?@)?(?:(?:\[([^/?]+)\]|([^/:?]+))?(?::([^/?]*))?)?(?:\/([^?]*))?(?:\?(.*))?$/s;

/**
 * Takes the URI of a database apart. Blanks at its ends are taken off. Messages never repeat it.
 *
 * @param name - what the URI is and where it comes from, for messages
 * @param example - how it is to be written
 * @throws PipelineError `INVALID_URI` (usage)
 */
export function parseDatabaseUri(uri: string, name: string, example: string): DatabaseAddress {
  const text = uri.trim();
  const invalid = (problem: string): PipelineError =>
    new PipelineError(`${name} ${problem}: give it as ${example}`, {
      code: 'INVALID_URI',
      category: 'usage',
    });
  const blank = blankIn(text);
  if (blank !== undefined) throw invalid(blank);
  const parts = URI.exec(text);
  if (parts === null) throw invalid('is not the URI of a database');
  const [, user, password, ipv6, host, port = '', path = '', query = ''] = parts;
  const database = decode(path);
  if (database === '') throw invalid('names no database behind the host');
  if (port !== '' && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw invalid('has a port that is no number from 1 to 65535');
  }
  const parameters = new Map(new URLSearchParams(query));
  const server = ipv6 ?? host ?? parameters.get('host');
  const portNumber = port === '' ? parameters.get('port') : port;
  return {
    database,
    parameters,
    ...(server === undefined || server === '' ? {} : { host: decode(server) }),
    ...(portNumber === undefined ? {} : { port: Number(portNumber) }),
    ...(user === undefined || user === '' ? {} : { user: decode(user) }),
    ...(password === undefined ? {} : { password: decode(password) }),
  };
}

/** As SQLAlchemy: what is not well encoded stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Without user and password, and without parameters: all that is ever shown. */
export function shownUri(
  scheme: string,
  { host = 'localhost', port, database }: DatabaseAddress,
): string {
  const place = host.startsWith('/') ? '' : host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${place}${port === undefined ? '' : `:${port}`}/${encodeURIComponent(database)}`;
}
