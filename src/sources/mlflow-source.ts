/**
 * `mlflowSource`: whatever kind of MLflow store a URI names.
 */

import { PipelineError } from '../core/errors.js';
import { parseOptions } from '../core/options.js';
import type { Source } from '../stream/contracts.js';
import { restOptionsSchema, type RestOptions } from './rest/options.js';
import { restSource } from './rest-source.js';
import { sqliteStoreOptions, type SqliteStoreOptions } from './sqlite/options.js';
import { sqlitePath } from './sqlite/uri.js';
import { sqliteSource } from './sqlite-source.js';

const NAME = 'mlflowSource';

interface Uri {
  /**
   * `http://host:5000`, `https://host/prefix`, `sqlite:///relative.db`, `sqlite:////absolute.db`.
   *
   * @defaultValue the variable MLFLOW_TRACKING_URI
   */
  readonly uri?: string;
}

/** `uri` and the options of the source that it names. */
export type MlflowSourceOptions = Uri &
  (Omit<RestOptions, 'uri'> | Omit<SqliteStoreOptions, 'path'>);

/**
 * Reads the MLflow store that `uri` names: a server as `restSource` does, a database as
 * `sqliteSource` does, with the same options.
 *
 * @throws PipelineError `INVALID_URI`, `INVALID_OPTIONS` (usage), when it is made; without `uri`
 *   when it is opened, as `NO_TRACKING_URI` where the variable is not set either
 *
 * @example
 * mlflowSource({ uri: 'https://mlflow.example.com', token: process.env.MLFLOW_TOKEN });
 * mlflowSource({ uri: 'sqlite:///mlflow.db' });
 */
export function mlflowSource({ uri, ...options }: MlflowSourceOptions = {}): Source {
  if (uri !== undefined) return sourceFor(uri, options);
  // Which it will be is not known yet; what is wrong for both is wrong whichever it is.
  if (!sqliteStoreOptions.omit({ path: true }).safeParse(options).success) {
    parseOptions(NAME, restOptionsSchema, options);
  }
  return {
    label: 'mlflow MLFLOW_TRACKING_URI',
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
  const problem =
    scheme === undefined ? 'a tracking URI without a scheme' : `the scheme ${scheme}:`;
  throw new PipelineError(
    `${name}: ${problem} can't be read: allowed are http://host:5000, https://host/prefix, ` +
      'sqlite:///relative.db and sqlite:////absolute.db. For any other store start ' +
      '`mlflow server --backend-store-uri …` on it and give the address of that server',
    { code: 'INVALID_URI', category: 'usage' },
  );
}
