/**
 * PostgreSQL databases as MLflow names them.
 */

import { type DatabaseAddress, parseDatabaseUri, shownUri } from '../sql/server/uri.js';

const EXAMPLE = 'postgresql://user:password@host:5432/mlflow';

export interface PostgresqlAddress extends DatabaseAddress {
  /** Without any secret. */
  readonly shown: string;
}

/** @throws PipelineError `INVALID_URI` (usage) */
export function postgresqlAddress(uri: string, name: string): PostgresqlAddress {
  const address = parseDatabaseUri(uri, name, EXAMPLE);
  return { ...address, shown: shownUri('postgresql', address) };
}
