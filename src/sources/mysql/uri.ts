/**
 * MySQL and MariaDB databases as MLflow names them.
 */

import {
  type DatabaseAddress,
  parseDatabaseUri,
  shownUri,
  type UriForm,
} from '../sql/server/uri.js';

const FORM: UriForm = {
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

export interface MysqlAddress extends DatabaseAddress {
  /** Without any secret. */
  readonly shown: string;
}

/** @throws PipelineError `INVALID_URI` (usage) */
export function mysqlAddress(uri: string, name: string): MysqlAddress {
  const address = parseDatabaseUri(uri, name, FORM);
  return { ...address, shown: shownUri('mysql', address) };
}
