import type { PipelineError } from '../../src/core/errors.js';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Call } from '../../src/mlflow/client/mlflow-client.js';
import { TEST_CERTIFICATE } from '../support/mlflow-server/certificate.js';
import type { Fault } from '../support/mlflow-server.js';
import { everythingOf, failureOf, openClient, startServer } from './open-client.js';

const SEARCH: Call = {
  method: 'GET',
  path: 'registered-models/search',
  query: { max_results: 10, order_by: ['name ASC', 'x'], page_token: undefined },
};

/** The faults one after the other, then none. */
function inTurn(...faults: (Fault | undefined)[]) {
  return ({ index }: { readonly index: number }): Fault | undefined => faults[index];
}

const always = (fault: Fault) => (): Fault => fault;

const status = (code: number, body: string | object = '', headers = {}): Fault => ({
  kind: 'status',
  status: code,
  body,
  headers,
});

describe('a request', () => {
  it('goes out with its query, body and headers, and comes back as JSON', async () => {
    const server = await startServer({ prefix: '/team/ml' });
    const client = await openClient(`${server.uri}/`, { headers: { 'X-Sign-On': 'let-me-in' } });
    const { registered_models: models } = await client.json(SEARCH);
    expect(models).toHaveLength(2);
    await client.json({ method: 'POST', path: 'runs/search', body: { a: 1 } });
    const [get, post] = server.requests;
    expect(get?.path).toBe('/team/ml/api/2.0/mlflow/registered-models/search');
    expect(get?.query.toString()).toBe('max_results=10&order_by=name+ASC&order_by=x');
    expect(get?.headers).toMatchObject({
      'x-sign-on': 'let-me-in',
      'user-agent': 'mlflow-datahub',
    });
    expect(post).toMatchObject({ method: 'POST', body: { a: 1 } });
  });

  it('keeps its connections, and no more of them than are allowed', async () => {
    const server = await startServer();
    const client = await openClient(server.uri, { connections: 2 });
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(Array.from({ length: 6 }, () => client.json(SEARCH)));
    }
    expect(server.requests).toHaveLength(18);
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(server.peakConcurrency).toBeLessThanOrEqual(2);
  });

  it.each([
    ['basic authentication', { username: 'ann', password: 'pä:ss' }, 'Basic YW5uOnDDpDpzcw=='],
    ['a bearer token', { token: 'tok' }, 'Bearer tok'],
    ['a header of its own', { headers: { AUTHORIZATION: 'Key 1' }, token: 'tok' }, 'Key 1'],
  ])('authenticates with %s', async (_, options, authorization) => {
    const server = await startServer({ authorization });
    const client = await openClient(server.uri, options);
    await expect(client.json(SEARCH)).resolves.toBeDefined();
  });

  it('uses credentials in the URI', async () => {
    const server = await startServer({ authorization: 'Basic YTpi' });
    const client = await openClient(server.uri.replace('//', '//a:b@'));
    await expect(client.json(SEARCH)).resolves.toBeDefined();
    expect(client.describe(SEARCH)).toBe(`GET ${server.uri}/api/2.0/mlflow/${SEARCH.path}`);
  });
});

describe('a retry', () => {
  it.each<[string, Fault]>([
    ['429', status(429, '', { 'retry-after': '3600' })],
    ['503', status(503)],
    ['500', status(500)],
    ['a dropped connection', { kind: 'drop' }],
    ['a body broken off', { kind: 'cut', bytes: 20, by: 'connection' }],
    ['JSON cut off', { kind: 'cut', bytes: 20, by: 'text' }],
  ])('follows on %s, is counted, and told of once', async (_, fault) => {
    const server = await startServer({ faults: inTurn(fault, fault) });
    const counter = { requests: 0, retries: 0 };
    const told: string[] = [];
    const onFirstRetry = ({ code }: PipelineError) => told.push(code);
    const client = await openClient(server.uri, { counter, onFirstRetry });
    await expect(client.json(SEARCH)).resolves.toHaveProperty('registered_models');
    expect(counter).toEqual({ requests: 3, retries: 2 });
    expect(told).toEqual([expect.stringMatching(/^SOURCE_/)]);
  });

  it.each([400, 401, 403, 404, 405, 422])('does not follow on %d', async (code) => {
    const server = await startServer({ faults: always(status(code)) });
    const client = await openClient(server.uri);
    await expect(client.json(SEARCH)).rejects.toMatchObject({ status: code, retryable: false });
    expect(server.requests).toHaveLength(1);
  });

  it('is given up in the end', async () => {
    const server = await startServer({ faults: always(status(502, 'bad gateway')) });
    const client = await openClient(server.uri, { retries: 3 });
    const error = await failureOf(client.json(SEARCH));
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', status: 502 });
    expect(error.message).toContain('(bad gateway)');
    expect(server.requests).toHaveLength(4);
  });

  it('knows how long the server asked to wait', async () => {
    const server = await startServer({ faults: always(status(429, '', { 'retry-after': '7' })) });
    const client = await openClient(server.uri);
    await expect(client.json(SEARCH)).rejects.toMatchObject({
      code: 'SOURCE_RATE_LIMITED',
      retryAfterMs: 7_000,
    });
  });
});

describe('the pace', () => {
  it('is no faster than configured', async () => {
    const server = await startServer();
    const client = await openClient(server.uri, { maxRequestsPerSecond: 10 });
    const start = performance.now();
    await Promise.all(Array.from({ length: 15 }, () => client.json(SEARCH)));
    // Ten at once, and the others a tenth of a second apart.
    expect(performance.now() - start).toBeGreaterThan(450);
  });

  it('heeds what the server asks of one request in all', async () => {
    const times: number[] = [];
    const server = await startServer({
      faults: () => {
        times.push(performance.now());
        return times.length === 1 ? status(429, '', { 'retry-after': '1' }) : undefined;
      },
    });
    const counter = { requests: 0, retries: 0 };
    const client = await openClient(server.uri, { maxRetryAfterMs: 500, counter });
    const first = client.json(SEARCH);
    while (counter.retries === 0) await sleep(5);
    await Promise.all([first, client.json(SEARCH)]);
    const [refused = 0, ...others] = times;
    expect(others).toHaveLength(2);
    for (const time of others) expect(time - refused).toBeGreaterThan(450);
  });
});

describe('an error', () => {
  const cases: [string, Fault, string, RegExp][] = [
    ['401', status(401, 'no'), 'SOURCE_UNAUTHORIZED', /username and password, or the token \(no\)/],
    [
      '403',
      status(403, { error_code: 'PERMISSION_DENIED', message: 'Permission denied' }),
      'SOURCE_FORBIDDEN',
      /may not read here \(PERMISSION_DENIED: Permission denied\)/,
    ],
    [
      "403 by MLflow 3's check of the host's name",
      status(403, 'Invalid Host header - possible DNS rebinding attack detected'),
      'SOURCE_FORBIDDEN',
      /--allowed-hosts/,
    ],
    [
      '404',
      status(404, '<h1>Not Found</h1>'),
      'SOURCE_NOT_FOUND',
      /no such thing at this address$/,
    ],
    [
      'a redirect to a sign-on page',
      status(302, '', { location: 'https://login.example/start?state=s3cret' }),
      'SOURCE_REDIRECTED',
      /a redirect to https:\/\/login.example\/start: .*headers/,
    ],
    ['407', status(407), 'SOURCE_PROXY_UNAUTHORIZED', /proxy variable/],
    [
      '400',
      status(400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'bad' }),
      'SOURCE_REFUSED',
      /\(INVALID_PARAMETER_VALUE: bad\)/,
    ],
    ['a web page instead of JSON', { kind: 'html' }, 'SOURCE_NOT_JSON', /path prefix is wrong/],
    ['a list instead of an object', { kind: 'json', body: [] }, 'SOURCE_WRONG_ANSWER', /no object/],
    [
      'JSON cut off',
      { kind: 'cut', bytes: 30, by: 'text' },
      'SOURCE_JSON_CUT_OFF',
      /cut off or broken, after 30 characters/,
    ],
    [
      'a connection broken off',
      { kind: 'cut', bytes: 30, by: 'connection' },
      'SOURCE_UNREACHABLE',
      /breaks the connection off/,
    ],
  ];

  it.each(cases)('says what %s means', async (_, fault, code, message) => {
    const server = await startServer({ faults: always(fault) });
    const client = await openClient(server.uri);
    const error = await failureOf(client.json(SEARCH));
    expect(error).toMatchObject({
      code,
      category: 'unavailable',
    });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`GET ${server.uri}/api/2.0/mlflow/${SEARCH.path} `);
  });

  it('tells a server that is down', async () => {
    const server = await startServer();
    await server.close();
    const client = await openClient(server.uri);
    const error = await failureOf(client.json(SEARCH));
    expect(error).toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: true });
    expect(error.message).toContain('refuses the connection: is the server up');
  });

  it('tells a host that is not known', async () => {
    const client = await openClient('http://no-such-host.invalid', { retries: 0 });
    const error = await failureOf(client.json(SEARCH));
    expect(error).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect(error.message).toMatch(/host name that is not known/);
  });

  it('tells a server that does not answer in time', async () => {
    const server = await startServer({ faults: always({ kind: 'silence' }) });
    const client = await openClient(server.uri, { timeoutMs: 500, retries: 1 });
    const error = await failureOf(client.json(SEARCH));
    expect(error).toMatchObject({ code: 'SOURCE_TIMEOUT', retryable: true });
    expect(error.message).toContain('has not answered in 500 ms');
    expect(server.requests).toHaveLength(2);
  });

  it('tells https where there is only http', async () => {
    const server = await startServer();
    const client = await openClient(server.uri.replace('http:', 'https:'));
    expect(await failureOf(client.json(SEARCH))).toMatchObject({ code: 'SOURCE_TLS_FAILED' });
  });

  it('never shows a secret, whatever the server says', async () => {
    const secrets = ['pass-w0rd', 'tok-s3cret', 'header-s3cret', 'cookie-s3cret'];
    const echo = status(500, `you sent ${secrets.join(' ')} ${btoa('ann:pass-w0rd')}`);
    const json = status(400, { error_code: 'X', message: secrets.join(' ') });
    const redirect = status(302, '', { location: 'https://login/tok-s3cret?a=header-s3cret' });
    const headers = { 'x-key': 'header-s3cret', cookie: 'session=1 cookie-s3cret' };
    for (const fault of [echo, json, redirect, { kind: 'drop' } as const]) {
      const server = await startServer({ faults: always(fault) });
      for (const options of [
        { username: 'ann', password: 'pass-w0rd', headers },
        { token: 'tok-s3cret', headers },
      ]) {
        const client = await openClient(server.uri.replace('//', '//eve:pass-w0rd@'), options);
        const shown = everythingOf(await failureOf(client.json(SEARCH)));
        const own = secrets.filter((one) => JSON.stringify(options).includes(one));
        for (const secret of ['pass-w0rd', ...own]) expect(shown).not.toContain(secret);
        if ('password' in options) expect(shown).not.toContain(btoa('ann:pass-w0rd'));
      }
    }
  });
});

describe('TLS', () => {
  it('that is not trusted is an error that names the ways out, and is not tried again', async () => {
    const server = await startServer({ tls: true });
    const counter = { requests: 0, retries: 0 };
    const client = await openClient(server.uri, { counter });
    const error = await failureOf(client.json(SEARCH));
    expect(error).toMatchObject({ code: 'SOURCE_TLS_UNTRUSTED', retryable: false });
    expect(error.message).toMatch(/MLFLOW_TRACKING_SERVER_CERT_PATH.*insecureTls/);
    expect(counter.retries).toBe(0);
  });

  it('is not checked with insecureTls', async () => {
    const server = await startServer({ tls: true });
    const client = await openClient(server.uri, { insecureTls: true });
    await expect(client.json(SEARCH)).resolves.toBeDefined();
  });

  it('is trusted by a certificate in a file, or in a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mlflow-datahub-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'ca.pem');
    await writeFile(path, TEST_CERTIFICATE);
    const server = await startServer({ tls: true });
    for (const serverCertPath of [path, folder]) {
      const client = await openClient(server.uri, { serverCertPath });
      await expect(client.json(SEARCH)).resolves.toBeDefined();
    }
  });

  it('by a certificate that is not there is a usage error', async () => {
    const opening = openClient('https://127.0.0.1:1', { serverCertPath: '/no/such.pem' });
    const error = await failureOf(opening);
    expect(error).toMatchObject({ code: 'SERVER_CERT_UNREADABLE', category: 'usage' });
    expect(error.message).toContain('/no/such.pem');
  });
});

describe('a proxy', () => {
  /** Forwards plain HTTP; says what it was asked. */
  async function startProxy() {
    const seen: { url: string | undefined; authorization: string | undefined }[] = [];
    const proxy = createServer((message, response) => {
      seen.push({ url: message.url, authorization: message.headers['proxy-authorization'] });
      const { method, headers } = message;
      const onward = httpRequest(message.url ?? '', { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      message.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    return { seen, host: `127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  }

  it('is used where a variable names it, with its credentials', async () => {
    const server = await startServer();
    const { seen, host } = await startProxy();
    const client = await openClient(server.uri, { env: { http_proxy: `http://p:q@${host}` } });
    await expect(client.json(SEARCH)).resolves.toHaveProperty('registered_models');
    expect(seen).toHaveLength(1);
    expect(seen[0]?.url).toContain(`${server.uri}/api/2.0/mlflow/${SEARCH.path}?`);
    expect(seen[0]?.authorization).toBe(`Basic ${btoa('p:q')}`);
  });

  it('is passed by for hosts that NO_PROXY names', async () => {
    const server = await startServer();
    const { seen, host } = await startProxy();
    const env = { HTTP_PROXY: `http://${host}`, NO_PROXY: 'example.com,127.0.0.1' };
    const client = await openClient(server.uri, { env });
    await expect(client.json(SEARCH)).resolves.toBeDefined();
    expect(seen).toHaveLength(0);
  });

  it('that is down is named, without its credentials', async () => {
    const env = { http_proxy: 'http://p:s3cret@127.0.0.1:9' };
    const client = await openClient('http://mlflow.invalid', { env, retries: 0 });
    const error = await failureOf(client.json(SEARCH));
    expect(error.message).toContain('(proxy 127.0.0.1:9)');
    expect(everythingOf(error)).not.toContain('s3cret');
  });
});

describe('an abort', () => {
  it('ends a request on its way, with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const server = await startServer({
      faults: () => {
        setImmediate(() => {
          controller.abort(reason);
        });
        return { kind: 'silence' };
      },
    });
    const client = await openClient(server.uri, { signal: controller.signal });
    expect(await failureOf(client.json(SEARCH))).toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  it('ends a body on its way, with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const server = createTcpServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"a":', () => {
          setImmediate(() => {
            controller.abort(reason);
          });
        });
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const client = await openClient(`http://127.0.0.1:${port}`, { signal: controller.signal });
    expect(await failureOf(client.json(SEARCH))).toBe(reason);
  });

  it('that is the closing of the client is no failure of the server, and not tried again', async () => {
    let arrived: () => void = () => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const server = await startServer({
      faults: () => {
        arrived();
        return { kind: 'silence' };
      },
    });
    const counter = { requests: 0, retries: 0 };
    const client = await openClient(server.uri, { counter });
    const failure = failureOf(client.json(SEARCH));
    await arrival;
    await client.close();
    expect(await failure).toMatchObject({ code: 'SOURCE_CLOSED', retryable: false });
    expect(await failureOf(client.json(SEARCH))).toMatchObject({ code: 'SOURCE_CLOSED' });
    expect(counter).toEqual({ requests: 1, retries: 0 });
  });

  it('leaves no listener behind', async () => {
    const { signal } = new AbortController();
    const server = await startServer();
    let listeners = 0;
    const counting = new Proxy(signal, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'addEventListener') listeners += 1;
        if (name === 'removeEventListener') listeners -= 1;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const client = await openClient(server.uri, { signal: counting });
    for (let round = 0; round < 5; round += 1) await client.json(SEARCH);
    expect(listeners).toBe(0);
  });
});

describe('maxResponseBytes', () => {
  it('abandons a longer body, without a second try', async () => {
    const faults = always({ kind: 'json', body: { text: 'x'.repeat(5_000) } });
    const server = await startServer({ faults });
    const client = await openClient(server.uri, { maxResponseBytes: 1_000 });
    const error = await failureOf(client.json(SEARCH));
    expect(error).toMatchObject({ code: 'SOURCE_RESPONSE_TOO_LARGE', retryable: false });
    expect(error.message).toContain('more than 1000 bytes: set a larger maxResponseBytes');
    expect(server.requests).toHaveLength(1);
  });

  it('lets through what is just as long', async () => {
    const server = await startServer({
      faults: always({ kind: 'json', body: { a: 'x'.repeat(92) } }),
    });
    const client = await openClient(server.uri, { maxResponseBytes: 100 });
    await expect(client.json(SEARCH)).resolves.toHaveProperty('a');
  });
});
