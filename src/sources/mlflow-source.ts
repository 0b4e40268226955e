/**
 * `mlflowSource`: whatever kind of MLflow store a URI names.
 */

import { PipelineError } from '../core/errors.js';
import { parseOptions } from '../core/options.js';
import type { Source } from '../stream/contracts.js';
import { fileStoreOptions, type FileStoreOptions } from './file-store/options.js';
import { fileStorePath } from './file-store/uri.js';
import { fileStoreSource } from './file-store-source.js';
import { mysqlOptions, type MysqlOptions } from './mysql/options.js';
import { mysqlSource } from './mysql-source.js';
import { postgresqlOptions, type PostgresqlOptions } from './postgresql/options.js';
import { postgresqlSource } from './postgresql-source.js';
import { restOptionsSchema, type RestOptions } from './rest/options.js';
import { restSource } from './rest-source.js';
import { sqliteStoreOptions, type SqliteStoreOptions } from './sqlite/options.js';
import { sqlitePath } from './sqlite/uri.js';
import { sqliteSource } from './sqlite-source.js';
import { labelOf } from './workspace-option.js';

const NAME = 'mlflowSource';

interface Uri {
  /**
   * `http://host:5000`, `https://host/prefix`, `sqlite:///relative.db`, `sqlite:////absolute.db`,
   * `postgresql://user:password@host/mlflow`, `mysql://user:password@host/mlflow`,
   * `file:///absolute/mlruns`, or the path of such a folder.
   *
   * @defaultValue the variable MLFLOW_TRACKING_URI
   */
  readonly uri?: string;
}

/** `uri` and the options of the source that it names. */
export type MlflowSourceOptions = Uri &
  (
    | Omit<RestOptions, 'uri'>
    | Omit<SqliteStoreOptions, 'path'>
    | Omit<PostgresqlOptions, 'uri'>
    | Omit<MysqlOptions, 'uri'>
    | Omit<FileStoreOptions, 'path'>
  );

/**
 * Reads the MLflow store that `uri` names: a server as `restSource` does, a database as
 * `sqliteSource`, `postgresqlSource` or `mysqlSource` does, with the same options.
 *
 * @throws PipelineError `INVALID_URI`, `INVALID_OPTIONS` (usage), when it is made; without `uri`
 *   when it is opened, as `NO_TRACKING_URI` where the variable is not set either
 *
 * @example
 * mlflowSource({ uri: 'https://mlflow.example.com', token: process.env.MLFLOW_TOKEN });
 * mlflowSource({ uri: 'sqlite:///mlflow.db' });
 * mlflowSource({ uri: './mlruns' });
 */
export function mlflowSource({ uri, ...options }: MlflowSourceOptions = {}): Source {
  if (uri !== undefined) return sourceFor(uri, options);
  // Which it will be is not known yet; what is wrong for all is wrong whichever it is.
  const directly = [
    sqliteStoreOptions.omit({ path: true }),
    postgresqlOptions.omit({ uri: true }),
    mysqlOptions.omit({ uri: true }),
    fileStoreOptions.omit({ path: true }),
  ];
  if (!directly.some((schema) => schema.safeParse(options).success)) {
    parseOptions(NAME, restOptionsSchema, options);
  }
  return {
    label: labelOf('MLFLOW_TRACKING_URI', 'workspace' in options ? options.workspace : undefined),
    open: async (context) => {
      const fromEnv = context.env['MLFLOW_TRACKING_URI'] ?? '';
      if (fromEnv === '') return await restSource(options, NAME).open(context);
      return await sourceFor(fromEnv, options, 'MLFLOW_TRACKING_URI').open(context);
    },
  };
}

function sourceFor(uri: string, options: object, name = `${NAME}: "uri"`): Source {
  const scheme = /^[a-z][a-z0-9.-]*(?=[+:])/i.exec(uri.trim())?.[0].toLowerCase();
  if (scheme === 'http' || scheme === 'https') return restSource({ ...options, uri }, NAME);
  if (scheme === 'sqlite') return sqliteSource({ ...options, path: sqlitePath(uri) }, NAME);
  if (scheme === 'postgresql' || scheme === 'postgres') {
    return postgresqlSource({ ...options, uri }, NAME);
  }
  if (scheme === 'mysql' || scheme === 'mariadb') return mysqlSource({ ...options, uri }, NAME);
  if (scheme === 'file' || isPath(uri.trim(), scheme)) {
    return fileStoreSource({ ...options, path: fileStorePath(uri) }, NAME);
  }
  const problem =
    scheme === undefined ? 'a tracking URI without a scheme' : `the scheme ${scheme}:`;
  throw new PipelineError(
    `${name}: ${problem} can't be read: allowed are http://host:5000, https://host/prefix, ` +
      'sqlite:///relative.db, sqlite:////absolute.db, postgresql://user@host/mlflow, ' +
      'mysql://user@host/mlflow, file:///absolute/mlruns and ./mlruns. For any other store start ' +
      '`mlflow server --backend-store-uri …` on it and give the address of that server',
    { code: 'INVALID_URI', category: 'usage' },
  );
}

/** A single letter is a drive of Windows. MLflow takes the word alone for what it calls Databricks. */
function isPath(uri: string, scheme: string | undefined): boolean {
  return (scheme === undefined || scheme.length === 1) && !/^(databricks)?$/i.test(uri);
}
