import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../src/core/options.js';
import { restOptionsSchema } from '../../../src/sources/rest/options.js';
import { openRestStore } from '../../../src/sources/rest/rest-store.js';
import { failureOf, startServer } from '../../mlflow/open-client.js';
import { testContext } from './open-store.js';

const parse = (options: unknown): unknown =>
  parseOptions('mlflowSource', restOptionsSchema, options);

describe('restOptionsSchema', () => {
  it('describes each of its options', () => {
    for (const [name, schema] of Object.entries(restOptionsSchema.shape)) {
      expect([name, schema.description]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    }
  });

  it.each([
    ['an unknown option', { runPageSize: 5 }, /runsPageSize/],
    ['too large a page', { runsPageSize: 50_001 }, /at most 50000/],
    ['too large a page of models', { modelsPageSize: 1_001 }, /at most 1000/],
    ['no connection at all', { concurrency: 0 }, /at least 1/],
    ['a header that breaks the line', { headers: { 'X-Key': 'a\r\nb' } }, /headers/],
    ['a header of blanks', { headers: { 'X Key': 'a' } }, /headers/],
    ['a token with a line break', { token: 's3cret\n' }, /token/],
  ])('refuses %s', (_, options, message) => {
    expect(() => parse(options)).toThrow(message);
    expect(() => parse(options)).not.toThrow(/s3cret/);
  });
});

describe('openRestStore', () => {
  it('takes the addresses from the variables', async () => {
    const tracking = await startServer();
    const registry = await startServer();
    const env = { MLFLOW_TRACKING_URI: tracking.uri, MLFLOW_REGISTRY_URI: registry.uri };
    const store = await openRestStore({}, testContext({ env }));
    for await (const page of store.registeredModels()) expect(page.items).toHaveLength(2);
    for await (const page of store.modelVersions()) expect(page.items).toHaveLength(6);
    for await (const page of store.experiments()) expect(page.items).toHaveLength(3);
    await store.close();
    expect(registry.requests.map(({ endpoint }) => endpoint)).toEqual([
      'version',
      'registered-models/search', // is it there?
      'registered-models/search',
      'model-versions/search',
    ]);
    expect(tracking.countOf('registered-models/search')).toBe(0);
  });

  it('uses the credentials of the tracking URI for a registry on the same host only', async () => {
    const server = await startServer({ authorization: 'Basic YTpi' });
    const other = await startServer();
    const uri = server.uri.replace('//', '//a:b@');
    const same = openRestStore({ uri, registryUri: `${server.uri}/x` }, testContext());
    expect(await failureOf(same)).toMatchObject({ code: 'WRONG_ADDRESS' });
    const last = server.requests.at(-1);
    expect(last?.path).toBe('/x/ajax-api/2.0/mlflow/registered-models/search');
    expect(last?.headers).toHaveProperty('authorization', 'Basic YTpi');
    const store = await openRestStore({ uri, registryUri: other.uri }, testContext());
    await store.close();
    expect(other.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each([
    ['no address', {}, {}, 'NO_TRACKING_URI'],
    ['an address that is none', { uri: 'sqlite:///x.db' }, {}, 'INVALID_URI'],
    [
      'a registry that is none',
      { uri: 'http://h' },
      { MLFLOW_REGISTRY_URI: 'databricks-uc' },
      'INVALID_URI',
    ],
  ])('refuses %s as wrong usage', async (_, options, env, code) => {
    const error = await failureOf(openRestStore(options, testContext({ env })));
    expect(error).toMatchObject({ code, category: 'usage' });
  });
});
