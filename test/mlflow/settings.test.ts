import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/core/errors.js';
import { parseAddress } from '../../src/mlflow/address.js';
import {
  clientSettings,
  type ConnectionOptions,
  type Env,
} from '../../src/mlflow/client/settings.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

const settings = (
  uri: string,
  options: ConnectionOptions = {},
  env: Env = {},
): ReturnType<typeof clientSettings> => clientSettings(uri, 'uri', options, env);

describe('parseAddress', () => {
  it.each([
    ['http://host:5000', 'http://host:5000', ''],
    ['http://host:5000/', 'http://host:5000', ''],
    ['https://host/team/mlflow//', 'https://host/team/mlflow', '/team/mlflow'],
    [' http://[::1]:5000 ', 'http://[::1]:5000', ''],
  ])('takes %s apart', (uri, shown, prefix) => {
    expect(parseAddress(uri, 'uri')).toMatchObject({ shown, prefix });
  });

  it('takes credentials out of what is shown', () => {
    const address = parseAddress('http://us%40er:p%3Aw@host/x', 'uri');
    expect(address.credentials).toEqual({ username: 'us@er', password: 'p:w' });
    expect(address.shown).toBe('http://host/x');
  });

  it.each(['host:5000', 'sqlite:///x.db', '', 'http://', 'http://u:s3cret@host/?a=s3cret'])(
    'refuses %s without repeating secrets',
    (uri) => {
      const parse = (): unknown => parseAddress(uri, 'MLFLOW_TRACKING_URI');
      expect(parse).toThrow(PipelineError);
      expect(parse).toThrow(/^MLFLOW_TRACKING_URI .*http:\/\/host:5000/);
      expect(parse).not.toThrow(/s3cret/);
    },
  );
});

describe('clientSettings', () => {
  const env: Env = {
    MLFLOW_TRACKING_USERNAME: 'env',
    MLFLOW_TRACKING_PASSWORD: 'word',
    MLFLOW_TRACKING_TOKEN: 'token-of-env',
  };

  it.each<[string, string, ConnectionOptions, Env, string | undefined]>([
    ['nothing', 'http://h', {}, {}, undefined],
    ['a token', 'http://a:b@h', { token: 't' }, env, 'Bearer t'],
    ['a user', 'http://a:b@h', { username: 'u', password: 'p' }, env, basic('u:p')],
    ['the URI', 'http://a:b@h', {}, env, basic('a:b')],
    ['the user of the environment', 'http://h', {}, env, basic('env:word')],
    [
      'the token of the environment',
      'http://h',
      {},
      { MLFLOW_TRACKING_TOKEN: 't', MLFLOW_TRACKING_USERNAME: '' },
      'Bearer t',
    ],
  ])('authenticates by %s', (_, uri, options, variables, expected) => {
    expect(settings(uri, options, variables).authorization).toBe(expected);
  });

  it.each<ConnectionOptions>([
    { token: 't', username: 'u', password: 'p' },
    { username: 'u' },
    { insecureTls: true, serverCertPath: 'x.pem' },
  ])('refuses the contradiction %j', (options) => {
    expect(() => settings('http://h', options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', category: 'usage' }),
    );
  });

  it.each<[string, Env, boolean]>([
    ['true', { MLFLOW_TRACKING_INSECURE_TLS: 'TRUE' }, true],
    ['1', { MLFLOW_TRACKING_INSECURE_TLS: '1' }, true],
    ['false', { MLFLOW_TRACKING_INSECURE_TLS: 'false' }, false],
    ['nothing', {}, false],
  ])('takes %s for trust in any certificate', (_, variables, expected) => {
    expect(settings('https://h', {}, variables).insecureTls).toBe(expected);
  });

  it('takes the proxy of the scheme, lower case first', () => {
    const variables: Env = {
      HTTP_PROXY: 'http://upper:1',
      http_proxy: 'lower:1',
      HTTPS_PROXY: 'http://secure:1',
      NO_PROXY: 'internal',
    };
    expect(settings('http://h', {}, variables)).toMatchObject({
      proxy: 'http://lower:1',
      noProxy: 'internal',
    });
    expect(settings('https://h', {}, variables).proxy).toBe('http://secure:1');
    expect(settings('https://h', {}, { HTTP_PROXY: 'http://upper:1' }).proxy).toBeUndefined();
  });

  it('knows every secret', () => {
    const { secrets } = settings(
      'http://h',
      { token: 't0ken' },
      { http_proxy: 'http://u:pr%40xy@p' },
    );
    expect(secrets).toEqual(expect.arrayContaining(['t0ken', 'pr%40xy', 'pr@xy']));
  });
});
