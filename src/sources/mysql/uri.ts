/**
 * MySQL and MariaDB databases as MLflow names them.
 */

import { type DatabaseAddress, parseDatabaseUri, type UriForm } from '../sql/server/uri.js';

const FORM: UriForm = {
  scheme: 'mysql',
  example: 'mysql://user:password@host:3306/mlflow',
  parameters: [
    ...['ssl_mode', 'ssl_ca', 'ssl_cert', 'ssl_key', 'ssl_disabled'],
    ...['ssl_verify_cert', 'ssl_verify_identity', 'unix_socket', 'user', 'password'],
  ],
  // What PyMySQL and mysqlclient know and makes no difference to reading.
  passedOver: [
    ...['charset', 'collation', 'use_unicode', 'connect_timeout', 'read_timeout'],
    ...['write_timeout', 'autocommit', 'binary_prefix', 'program_name', 'max_allowed_packet'],
  ],
};

/** @throws PipelineError `INVALID_URI` (usage) */
export function mysqlAddress(uri: string, name: string): DatabaseAddress {
  return parseDatabaseUri(uri, name, FORM);
}
