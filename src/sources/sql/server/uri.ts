/**
 * Addresses of databases as MLflow takes them, which are SQLAlchemy's:
 * `postgresql+psycopg2://user:password@host:5432/database?sslmode=require`.
 */

import { blankIn } from '../../../core/blanks.js';
import { didYouMean } from '../../../core/did-you-mean.js';
import { PipelineError } from '../../../core/errors.js';

/** A database, and who asks it. */
export interface DatabaseAddress extends Place {
  readonly user?: string;
  readonly password?: string;
  /** What stands behind the question mark; of repeated ones the last. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Without user and password, and without parameters: all that is ever shown. */
  readonly shown: string;
}

interface Place {
  /** Absent where the URI leaves it to a default. */
  readonly host?: string;
  readonly port?: number;
  readonly database: string;
}

/** What URIs of one kind of database look like. */
export interface UriForm {
  /** In what is shown. */
  readonly scheme: string;
  readonly example: string;
  /** Parameters that count. */
  readonly parameters: readonly string[];
  /** Parameters that are taken and have no effect here. */
  readonly passedOver: readonly string[];
}

/** SQLAlchemy's own expression: a password may hold anything but an `@`, unencoded. */
const URI =
  /^[\w+]+:\/\/(?:([^:/]*)(?::([^@]*))?@)?(?:(?:\[([^/?]+)\]|([^/:?]+))?(?::([^/?]*))?)?(?:\/([^?]*))?(?:\?(.*))?$/s;

/**
 * Takes the URI of a database apart. Blanks at its ends are taken off. Messages never repeat it.
 *
 * @param name - what the URI is and where it comes from, for messages
 * @throws PipelineError `INVALID_URI` (usage)
 */
export function parseDatabaseUri(uri: string, name: string, form: UriForm): DatabaseAddress {
  const text = uri.trim();
  const invalid = (problem: string): PipelineError =>
    new PipelineError(`${name} ${problem}: give it as ${form.example}`, {
      code: 'INVALID_URI',
      category: 'usage',
    });
  const blank = blankIn(text);
  if (blank !== undefined) throw invalid(blank);
  const parts = URI.exec(text);
  if (parts === null) throw invalid('is not the URI of a database');
  const [, user, password, ipv6, host, port = '', path = '', query = ''] = parts;
  if (`${host ?? ''}${port}${path}`.includes('@')) {
    throw invalid('has an @ too many: in a password it is written %40');
  }
  const database = decode(path);
  if (database === '') throw invalid('names no database behind the host');
  const parameters = new Map(new URLSearchParams(query));
  const unknown = [...parameters.keys()].find(
    (key) => !form.parameters.includes(key) && !form.passedOver.includes(key),
  );
  if (unknown !== undefined) {
    // Some of them make the connection safe: none may be lost by a slip of the pen.
    const near = didYouMean(unknown, form.parameters);
    const hint = near === undefined ? '' : `, did you mean "${near}"?`;
    throw invalid(
      `has the unknown parameter "${unknown}"${hint} (known are ${form.parameters.join(', ')})`,
    );
  }
  const server = ipv6 ?? host ?? parameters.get('host');
  const portNumber = port === '' ? parameters.get('port') : port;
  if (portNumber !== undefined && !isPort(portNumber)) {
    throw invalid('has a port that is no number from 1 to 65535');
  }
  const userName = user === undefined || user === '' ? parameters.get('user') : decode(user);
  const secret = password === undefined ? parameters.get('password') : decode(password);
  const place: Place = {
    database,
    ...(server === undefined || server === '' ? {} : { host: decode(server) }),
    ...(portNumber === undefined ? {} : { port: Number(portNumber) }),
  };
  return {
    ...place,
    parameters,
    ...(userName === undefined || userName === '' ? {} : { user: userName }),
    ...(secret === undefined ? {} : { password: secret }),
    shown: shownUri(form.scheme, place),
  };
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** As SQLAlchemy: what is not well encoded stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function shownUri(scheme: string, { host = 'localhost', port, database }: Place): string {
  const place = host.startsWith('/') ? '' : host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${place}${port === undefined ? '' : `:${port}`}/${encodeURIComponent(database)}`;
}
