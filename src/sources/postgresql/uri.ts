/**
 * PostgreSQL databases as MLflow names them.
 */

import { type DatabaseAddress, parseDatabaseUri, type UriForm } from '../sql/server/uri.js';

const FORM: UriForm = {
  scheme: 'postgresql',
  example: 'postgresql://user:password@host:5432/mlflow',
  parameters: [
    ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
    ...['host', 'port', 'user', 'password', 'application_name', 'options'],
  ],
  // What libpq knows and makes no difference to who is spoken to; for times there are options here.
  passedOver: [
    ...['connect_timeout', 'keepalives', 'keepalives_idle', 'keepalives_interval'],
    ...['keepalives_count', 'tcp_user_timeout', 'client_encoding', 'fallback_application_name'],
    ...['gssencmode', 'sslcompression', 'sslsni'],
  ],
};

/** @throws PipelineError `INVALID_URI` (usage) */
export function postgresqlAddress(uri: string, name: string): DatabaseAddress {
  return parseDatabaseUri(uri, name, FORM);
}
