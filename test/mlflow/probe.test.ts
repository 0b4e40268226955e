import { describe, expect, it } from 'vitest';
import { probeRegistry, probeServer } from '../../src/mlflow/probe.js';
import type { Fault, Flavour, LoggedRequest } from '../support/mlflow-server.js';
import { failureOf, openClient, startServer } from './open-client.js';

describe('probeServer', () => {
  it.each<[Flavour, object, boolean]>([
    ['1.27.0', { versionText: 'older than 1.28.0', searchesExperiments: false }, false],
    ['1.28.0', { versionText: '1.28.0 or later 1.x', searchesExperiments: true }, false],
    ['2.22.5', { version: '2.22.5', versionText: '2.22.5', searchesExperiments: true }, true],
    ['3.17.2', { version: '3.17.2', versionText: '3.17.2', searchesExperiments: true }, true],
  ])('finds out about %s, with and without a prefix', async (flavour, facts, modern) => {
    for (const options of [
      {},
      { prefix: '/team/ml' },
      { prefix: '/team/ml', prefixedBy: 'server' } as const,
    ]) {
      const server = await startServer({ flavour, ...options });
      const client = await openClient(server.uri.replace('//', '//u:p@') + '/');
      const probe = await probeServer(client);
      expect(probe).toEqual({ facts: { uri: server.uri, webUrl: server.uri, ...facts }, modern });
      expect(server.requests.length).toBeLessThanOrEqual(6);
    }
  });

  it.each<[Flavour, string, boolean]>([
    ['2.22.5', '2.0.0 or later', true],
    ['1.28.0', '1.28.0 or later 1.x', false],
  ])('tells %s where a proxy hides the version', async (flavour, versionText, modern) => {
    const page = '<html>sign on</html>';
    for (const fault of [
      { kind: 'status', status: 404 },
      { kind: 'status', status: 403 },
      { kind: 'status', status: 200, body: page },
      { kind: 'status', status: 200, body: '1.4.2' },
    ] satisfies Fault[]) {
      const faults = ({ endpoint }: LoggedRequest) => (endpoint === 'version' ? fault : undefined);
      const server = await startServer({ flavour, faults });
      const { facts, modern: isModern } = await probeServer(await openClient(server.uri));
      expect(facts.version).toBeUndefined();
      expect([facts.versionText, isModern]).toEqual([versionText, modern]);
    }
  });

  it('says that the address is wrong where there is neither search nor list', async () => {
    const server = await startServer({ prefix: '/ml' });
    const client = await openClient(server.uri.replace('/ml', '/other'));
    const error = await failureOf(probeServer(client));
    expect(error).toMatchObject({ code: 'WRONG_ADDRESS', category: 'unavailable' });
    expect(error.message).toMatch(/\/other is no MLflow server.*path prefix/);
  });

  it.each<[string, Fault, string]>([
    ['a sign-on page', { kind: 'html' }, 'SOURCE_NOT_JSON'],
    ['401', { kind: 'status', status: 401 }, 'SOURCE_UNAUTHORIZED'],
    ['403', { kind: 'status', status: 403 }, 'SOURCE_FORBIDDEN'],
    ['other JSON', { kind: 'json', body: { status: 'ok' } }, 'SOURCE_WRONG_ANSWER'],
    ['no list', { kind: 'json', body: { experiments: {} } }, 'SOURCE_WRONG_ANSWER'],
  ])('passes on what %s means', async (_, fault, code) => {
    const server = await startServer({ faults: () => fault });
    expect(await failureOf(probeServer(await openClient(server.uri)))).toMatchObject({ code });
  });

  it('gives up soon where nothing listens', async () => {
    const server = await startServer();
    await server.close();
    const counter = { requests: 0, retries: 0 };
    const client = await openClient(server.uri, { counter, retries: 20 });
    expect(await failureOf(probeServer(client))).toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect(counter.requests).toBe(3);
  });
});

describe('probeRegistry', () => {
  it.each<[Flavour, boolean]>([
    ['1.28.0', false],
    ['2.22.5', true],
    ['3.17.2', true],
  ])('finds the registry of %s, wherever its API is', async (flavour, modern) => {
    for (const prefixedBy of ['proxy', 'server'] as const) {
      const server = await startServer({ flavour, prefix: '/ml', prefixedBy });
      expect(await probeRegistry(await openClient(server.uri))).toEqual({ modern });
    }
  });

  it('says that the address is wrong where there is none', async () => {
    const server = await startServer({ prefix: '/ml' });
    const client = await openClient(server.uri.replace('/ml', '/other'));
    expect(await failureOf(probeRegistry(client))).toMatchObject({ code: 'WRONG_ADDRESS' });
  });
});
