/**
 * MySQL and MariaDB databases as MLflow names them.
 */

import { type DatabaseAddress, parseDatabaseUri, shownUri } from '../sql/server/uri.js';

const EXAMPLE = 'mysql://user:password@host:3306/mlflow';

export interface MysqlAddress extends DatabaseAddress {
  /** Without any secret. */
  readonly shown: string;
}

/** @throws PipelineError `INVALID_URI` (usage) */
export function mysqlAddress(uri: string, name: string): MysqlAddress {
  const address = parseDatabaseUri(uri, name, EXAMPLE);
  return { ...address, shown: shownUri('mysql', address) };
}
