import { afterEach, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/core/errors.js';
import { hideSecrets } from '../../../src/core/secrets.js';
import { metadataChangeProposal, type AvroField } from '../../../src/sinks/kafka/mcp-schema.js';
import { kafkaSinkSchema } from '../../../src/sinks/kafka/options.js';
import {
  checkSchema,
  schemaToWriteWith,
  type RegistryPlace,
} from '../../../src/sinks/kafka/schema-registry.js';
import {
  registryStandIn,
  type RegistryOptions,
  type RegistryStandIn,
} from '../../support/registry-stand-in.js';

const topic = 'MetadataChangeProposal_v1';
const versions = `/subjects/${topic}-value/versions`;
const open: RegistryStandIn[] = [];

afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
});

async function standIn(options: RegistryOptions = {}): Promise<RegistryStandIn> {
  const registry = await registryStandIn(options);
  open.push(registry);
  return registry;
}

function placeAt(url: string, options: object = {}, secrets: string[] = []): RegistryPlace {
  const { registry } = kafkaSinkSchema.parse({
    brokers: ['localhost:9092'],
    registry: { url, ...options },
  });
  return {
    options: registry,
    topic,
    signal: new AbortController().signal,
    hide: hideSecrets({ secrets }),
  };
}

async function failureOf(work: Promise<unknown>): Promise<PipelineError> {
  return work.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error as PipelineError,
  );
}

/** The schema as another release of DataHub may have it. */
function variant(change: (fields: AvroField[]) => AvroField[]): object {
  return { ...metadataChangeProposal, fields: change([...metadataChangeProposal.fields]) };
}

const withoutHeaders = variant((fields) => fields.filter(({ name }) => name !== 'headers'));
const withMore = variant((fields) => [
  ...fields,
  { name: 'added', type: ['null', 'string'], default: null },
]);
const withoutSystemMetadata = variant((fields) =>
  fields.filter(({ name }) => name !== 'systemMetadata'),
);
const withDemand = variant((fields) => [...fields, { name: 'tenant', type: 'string' }]);

describe('the schema to write with', () => {
  it('is registered where the subject has none, and nothing else is changed', async () => {
    const registry = await standIn({ nextId: 7 });
    const schema = await schemaToWriteWith(placeAt(registry.url));
    expect(schema.id).toBe(7);
    expect(schema.codec.name).toBe('com.linkedin.pegasus2avro.mxe.MetadataChangeProposal');
    expect(registry.requests).toEqual([
      `GET ${versions}/latest`,
      `POST ${versions}`,
      'GET /schemas/ids/7',
    ]);
    expect(JSON.parse(registry.schemas.get(7) ?? '')).toEqual(metadataChangeProposal);
  });

  it.each([
    ['the same', metadataChangeProposal],
    ['an older one', withoutHeaders],
    ['a newer one', withMore],
  ])('is the registered one where that takes our messages: %s', async (_, latest) => {
    const registry = await standIn({ schemas: { 3: latest } });
    expect((await schemaToWriteWith(placeAt(registry.url))).id).toBe(3);
    expect(registry.requests).toEqual([`GET ${versions}/latest`, 'GET /schemas/ids/3']);
  });

  it.each([
    ['lacks a field that we write', withoutSystemMetadata],
    ['wants a field that we do not have', withDemand],
    ['is of something else', { type: 'record', name: 'Other', fields: [] }],
  ])('is ours where the registered one %s', async (_, latest) => {
    const registry = await standIn({ schemas: { 3: latest }, nextId: 4 });
    expect((await schemaToWriteWith(placeAt(registry.url))).id).toBe(4);
  });

  it('may have the id 0', async () => {
    const registry = await standIn({ schemas: { 0: metadataChangeProposal } });
    expect((await schemaToWriteWith(placeAt(registry.url))).id).toBe(0);
    const fresh = await standIn({ nextId: 0 });
    expect((await schemaToWriteWith(placeAt(fresh.url))).id).toBe(0);
  });

  it.each([0, 5])("is what DataHub's own registry has, whatever it is sent: id %i", async (id) => {
    const registry = await standIn({ kind: 'datahub', schemas: { [id]: withoutHeaders } });
    const schema = await schemaToWriteWith(placeAt(registry.url));
    expect(schema.id).toBe(id);
    expect(registry.requests.at(-1)).toBe(`GET /schemas/ids/${id}`);
    expect(JSON.parse(registry.schemas.get(id) ?? '')).toEqual(withoutHeaders);
  });

  it('is looked for under the subject that the options name', async () => {
    const registry = await standIn({ subject: 'an other/one', schemas: { 3: withMore } });
    const place = placeAt(registry.url, { subject: 'an other/one' });
    expect((await schemaToWriteWith(place)).id).toBe(3);
  });

  it('is asked for with the credentials that the options have', async () => {
    const registry = await standIn({ schemas: { 3: withMore } });
    await schemaToWriteWith(placeAt(registry.url, { username: 'ann', password: 'p:w' }));
    await schemaToWriteWith(placeAt(registry.url, { token: 'a-token' }));
    const basic = `Basic ${Buffer.from('ann:p:w').toString('base64')}`;
    expect(registry.authorizations).toEqual([basic, basic, 'Bearer a-token', 'Bearer a-token']);
  });
});

describe('a check of the registry', () => {
  it('registers nothing', async () => {
    const registry = await standIn();
    const found = await checkSchema(placeAt(registry.url));
    expect(found).toBe(
      'MetadataChangeProposal_v1-value has no schema yet, so that the schema will be registered',
    );
    expect(registry.requests).toEqual([`GET ${versions}/latest`]);
  });

  it('says which schema there is', async () => {
    const registry = await standIn({ schemas: { 3: withMore } });
    expect(await checkSchema(placeAt(registry.url))).toBe(
      'schema 3 of MetadataChangeProposal_v1-value',
    );
  });

  it("passes at DataHub's own registry", async () => {
    const registry = await standIn({ kind: 'datahub', schemas: { 0: withoutHeaders } });
    expect(await checkSchema(placeAt(registry.url))).toContain('only to those who register');
    expect(registry.requests).toEqual([`GET ${versions}/latest`]);
  });
});

describe('where there is no schema to write with', () => {
  const forbidden = { autoRegister: false };

  it.each([
    ['it has none', {}],
    ['it has another', { schemas: { 3: withDemand } }],
    ['it does not tell', { kind: 'datahub', schemas: { 0: withoutHeaders } }],
  ] as const)('and none may be registered: %s', async (_, options) => {
    const registry = await standIn(options);
    for (const work of [schemaToWriteWith, checkSchema]) {
      const error = await failureOf(work(placeAt(registry.url, forbidden)));
      expect(error.code).toBe('REGISTRY_SCHEMA_MISSING');
      expect(error.message).toContain('registry.autoRegister');
    }
    expect(registry.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  it('because the registry refuses ours', async () => {
    const registry = await standIn({
      schemas: { 3: { type: 'record', name: 'Other', fields: [] } },
      answer: (request) =>
        request.startsWith('POST')
          ? { status: 409, body: { error_code: 409, message: 'Incompatible schema' } }
          : undefined,
    });
    const error = await failureOf(schemaToWriteWith(placeAt(registry.url)));
    expect(error.code).toBe('REGISTRY_SCHEMA_REFUSED');
    expect(error.retryable).toBe(false);
    expect(error.message).toContain('Incompatible schema');
    expect(error.message).toContain('schema 3 of MetadataChangeProposal_v1-value does not fit');
  });

  it.each([
    [{ status: 200, body: { is_compatible: false } }, 'REGISTRY_SCHEMA_REFUSED'],
    [{ status: 200, body: { is_compatible: true } }, 'will be registered'],
    [{ status: 404, body: { error_code: 40401 } }, 'will be registered'],
  ])('which a check finds beforehand, where the registry says it: %j', async (answer, found) => {
    const registry = await standIn({
      schemas: { 3: withoutSystemMetadata },
      answer: (request) => (request.startsWith('POST /compatibility/') ? answer : undefined),
    });
    const text = await checkSchema(placeAt(registry.url)).catch(
      (error: unknown) => (error as PipelineError).code,
    );
    expect(text).toContain(found);
    expect(registry.requests).toContain(
      'POST /compatibility/subjects/MetadataChangeProposal_v1-value/versions/latest',
    );
    expect(registry.schemas.size).toBe(1);
  });

  it("because DataHub's own registry has one that does not fit", async () => {
    const registry = await standIn({ kind: 'datahub', schemas: { 0: withoutSystemMetadata } });
    const error = await failureOf(schemaToWriteWith(placeAt(registry.url)));
    expect(error.code).toBe('REGISTRY_SCHEMA_MISSING');
  });

  it('because the topic is none that the registry knows', async () => {
    const registry = await standIn({ kind: 'datahub', subject: 'other' });
    const error = await failureOf(schemaToWriteWith(placeAt(registry.url)));
    expect(error.code).toBe('REGISTRY_FAILED');
    expect(error.message).toContain('check the path');
  });
});

describe('a registry that fails', () => {
  const failing = (status: number, body: string | object = {}): RegistryOptions => ({
    answer: () => ({ status, body }),
  });

  it.each([
    [401, 'REGISTRY_FORBIDDEN', false],
    [403, 'REGISTRY_FORBIDDEN', false],
    [400, 'REGISTRY_FAILED', false],
    [429, 'REGISTRY_FAILED', true],
  ])('answers %i', async (status, code, retryable) => {
    const registry = await standIn(failing(status, { error_code: status, message: 'so it is' }));
    for (const work of [schemaToWriteWith, checkSchema]) {
      const error = await failureOf(work(placeAt(registry.url)));
      expect(error).toMatchObject({ code, retryable, category: 'unavailable' });
      expect(error.message).toContain('so it is');
      expect(error.message).toContain(registry.url);
    }
  });

  it('is asked again when it answers 500', async () => {
    let failures = 2;
    const registry = await standIn({
      schemas: { 3: withMore },
      answer: () => ((failures -= 1) >= 0 ? { status: 500, body: {} } : undefined),
    });
    expect((await schemaToWriteWith(placeAt(registry.url))).id).toBe(3);
    expect(registry.requests).toHaveLength(4);
  });

  it('answers 500 all the time', async () => {
    const registry = await standIn(failing(500));
    const error = await failureOf(checkSchema(placeAt(registry.url)));
    expect(error).toMatchObject({ code: 'REGISTRY_FAILED', retryable: true });
  });

  it('is not there', async () => {
    const registry = await registryStandIn();
    await registry.close();
    const error = await failureOf(schemaToWriteWith(placeAt(registry.url)));
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('does not answer', async () => {
    const registry = await standIn({ answer: () => ({ status: 200, body: {}, delayMs: 60_000 }) });
    const error = await failureOf(checkSchema(placeAt(registry.url, { timeoutMs: 50 })));
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE', retryable: true });
    expect(error.message).toContain('no answer in 50 ms');
  });

  it('is something else', async () => {
    const registry = await standIn(failing(200, '<html>welcome</html>'));
    const error = await failureOf(checkSchema(placeAt(registry.url)));
    expect(error.code).toBe('REGISTRY_FAILED');
    expect(error.message).toContain('not as a schema registry does');
  });

  it('gives a schema that is none', async () => {
    const registry = await standIn({ schemas: { 3: { type: 'nonsense' } } });
    const error = await failureOf(checkSchema(placeAt(registry.url)));
    expect(error.code).toBe('REGISTRY_FAILED');
  });

  it('speaks no TLS', async () => {
    const registry = await standIn();
    const url = registry.url.replace('http:', 'https:');
    const error = await failureOf(checkSchema(placeAt(url)));
    expect(error.code).toBe('REGISTRY_TLS');
  });

  it('repeats a password, which is hidden', async () => {
    const registry = await standIn(failing(401, { message: 'ann with s3cret may not' }));
    const place = placeAt(registry.url, { username: 'ann', password: 's3cret' }, ['s3cret']);
    const error = await failureOf(checkSchema(place));
    expect(error.message).toContain('ann with *** may not');
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('s3cret');
  });
});
