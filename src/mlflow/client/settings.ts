/**
 * What a client needs to know of a server, put together from options and MLflow's own variables.
 */

import { PipelineError } from '../../core/errors.js';
import { decode, parseAddress, type Address } from '../address.js';

export type Env = Readonly<Record<string, string | undefined>>;

export interface ConnectionOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly insecureTls?: boolean | undefined;
  readonly serverCertPath?: string | undefined;
}

export interface ClientSettings {
  readonly address: Address;
  /** Value of the Authorization header. */
  readonly authorization?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Every text that must never be shown. */
  readonly secrets: readonly string[];
  readonly insecureTls: boolean;
  readonly serverCertPath?: string;
  readonly proxy?: string;
  readonly noProxy: string;
}

/**
 * Options come first, then credentials in the URI, then MLFLOW_TRACKING_USERNAME and _PASSWORD,
 * then MLFLOW_TRACKING_TOKEN: the order that MLflow's own client keeps among its variables.
 *
 * @param name - what the URI is, for messages: `uri`
 * @throws PipelineError `INVALID_URI`, `INVALID_OPTIONS` (usage)
 */
export function clientSettings(
  uri: string,
  name: string,
  options: ConnectionOptions,
  env: Env,
): ClientSettings {
  const address = parseAddress(uri, name);
  const auth = authorization(address, options, env);
  const insecureTls =
    options.insecureTls ?? isTrue(set(env['MLFLOW_TRACKING_INSECURE_TLS']) ?? 'false');
  const serverCertPath = options.serverCertPath ?? set(env['MLFLOW_TRACKING_SERVER_CERT_PATH']);
  if (insecureTls && serverCertPath !== undefined) {
    throw contradiction(
      'insecureTls (MLFLOW_TRACKING_INSECURE_TLS) trusts any certificate and serverCertPath ' +
        '(MLFLOW_TRACKING_SERVER_CERT_PATH) only some: set one of them',
    );
  }
  const proxy = proxyFor(address, env);
  const inUri = address.credentials === undefined ? [] : [address.credentials.password];
  return {
    address,
    headers: options.headers ?? {},
    // The URI's password is a secret even where another one is used.
    secrets: [...auth.secrets, ...inUri, ...passwordsOf(proxy)],
    insecureTls,
    noProxy: set(env['no_proxy']) ?? set(env['NO_PROXY']) ?? '',
    ...(auth.value === undefined ? {} : { authorization: auth.value }),
    ...(serverCertPath === undefined ? {} : { serverCertPath }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

interface Authorization {
  readonly value?: string;
  readonly secrets: readonly string[];
}

function authorization(address: Address, options: ConnectionOptions, env: Env): Authorization {
  const { username, password, token } = options;
  if (token !== undefined && (username !== undefined || password !== undefined)) {
    throw contradiction('token and username with password exclude each other: set one of them');
  }
  if ((username === undefined) !== (password === undefined)) {
    throw contradiction('username and password belong together: set both or none');
  }
  if (token !== undefined) return bearer(token);
  if (username !== undefined && password !== undefined) return basic(username, password);
  if (address.credentials !== undefined) {
    return basic(address.credentials.username, address.credentials.password);
  }
  const name = set(env['MLFLOW_TRACKING_USERNAME']);
  const word = set(env['MLFLOW_TRACKING_PASSWORD']);
  if (name !== undefined && word !== undefined) return basic(name, word);
  const fromEnv = set(env['MLFLOW_TRACKING_TOKEN']);
  return fromEnv === undefined ? { secrets: [] } : bearer(fromEnv);
}

function basic(username: string, password: string): Authorization {
  const encoded = Buffer.from(`${username}:${password}`).toString('base64');
  return { value: `Basic ${encoded}`, secrets: [password, encoded] };
}

function bearer(token: string): Authorization {
  return { value: `Bearer ${token}`, secrets: [token] };
}

/** Lower case first, as curl and Python have it. */
function proxyFor(address: Address, env: Env): string | undefined {
  const name = address.origin.startsWith('https:') ? 'https_proxy' : 'http_proxy';
  const value = set(env[name]) ?? set(env[name.toUpperCase()]);
  if (value === undefined) return undefined;
  const uri = value.includes('://') ? value : `http://${value}`;
  if (!URL.canParse(uri)) {
    throw new PipelineError(
      `the variable ${name} (or ${name.toUpperCase()}) is not a URI: give it as http://proxy:3128`,
      { code: 'INVALID_URI', category: 'usage' },
    );
  }
  return uri;
}

function passwordsOf(proxy: string | undefined): string[] {
  if (proxy === undefined) return [];
  const { username, password } = new URL(proxy);
  const encoded = Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64');
  return password === '' ? [] : [password, decode(password), encoded];
}

/** An empty variable counts as one that is not set. */
function set(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** What MLflow takes for true in its boolean variables. */
function isTrue(value: string): boolean {
  return ['true', '1'].includes(value.toLowerCase());
}

function contradiction(message: string): PipelineError {
  return new PipelineError(message, { code: 'INVALID_OPTIONS', category: 'usage' });
}
