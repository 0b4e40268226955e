import fc from 'fast-check';
import registryLibrary from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Aspect, Proposal } from '../../../src/datahub/proposal.js';
import { metadataChangeProposal } from '../../../src/sinks/kafka/mcp-schema.js';
import { unfitness, wireFormat, type AvroCodec } from '../../../src/sinks/kafka/wire-format.js';
import { registryStandIn, type RegistryStandIn } from '../../support/registry-stand-in.js';

const run = { lastObserved: 1_700_000_000_000, runId: 'mlflow-1' };
const ids = [0, 1, 2_147_483_647];

let standIn: RegistryStandIn;
let registry: InstanceType<typeof registryLibrary.SchemaRegistry>;

beforeAll(async () => {
  const schemas = Object.fromEntries(ids.map((id) => [id, metadataChangeProposal]));
  standIn = await registryStandIn({ schemas });
  registry = new registryLibrary.SchemaRegistry({ host: standIn.url });
});
afterAll(() => standIn.close());

const codecOf = async (id: number, client = registry): Promise<AvroCodec> =>
  (await client.getSchema(id)) as unknown as AvroCodec;

const proposal = (aspect: Aspect, entityUrn = 'urn:li:tag:a'): Proposal => ({
  entityType: 'tag',
  entityUrn,
  changeType: 'UPSERT',
  aspectName: 'tagProperties',
  aspect,
});

interface Decoded {
  readonly aspect: { readonly value: Buffer; readonly contentType: string };
  readonly systemMetadata: object;
}

async function there(given: Proposal, id = 1): Promise<Decoded & Record<string, unknown>> {
  const schema = { id, codec: await codecOf(id) };
  return (await registry.decode(wireFormat(schema, run)(given))) as Decoded &
    Record<string, unknown>;
}

describe('the wire format', () => {
  it.each(ids)(
    'begins with a zero and the id %i, and is decoded by the registry client',
    async (id) => {
      const schema = { id, codec: await codecOf(id) };
      const bytes = wireFormat(schema, run)(proposal({ name: 'a' }));
      expect(bytes.readUInt8(0)).toBe(0);
      expect(bytes.readInt32BE(1)).toBe(id);
      expect(await there(proposal({ name: 'a' }), id)).toMatchObject({
        auditHeader: null,
        entityType: 'tag',
        entityUrn: 'urn:li:tag:a',
        entityKeyAspect: null,
        changeType: 'UPSERT',
        aspectName: 'tagProperties',
        aspect: { value: Buffer.from('{"name":"a"}'), contentType: 'application/json' },
        headers: null,
      });
    },
  );

  it('says the run and nothing that was not said', async () => {
    const { systemMetadata } = await there(proposal({}));
    expect({ ...systemMetadata }).toEqual({
      lastObserved: run.lastObserved,
      runId: run.runId,
      lastRunId: 'no-run-id-provided',
      pipelineName: null,
      registryName: null,
      registryVersion: null,
      properties: null,
      version: null,
      schemaVersion: null,
      aspectCreated: null,
      aspectModified: null,
    });
  });

  it('marks a patch as one', async () => {
    const { aspect, changeType } = await there({ ...proposal({}), changeType: 'PATCH' });
    expect(changeType).toBe('PATCH');
    expect(aspect.contentType).toBe('application/json-patch+json');
  });

  it('keeps any aspect and any URN', async () => {
    const text = fc.string({ unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(text, fc.jsonValue()), text, async (aspect, urn) => {
        const decoded = await there(proposal(aspect as Aspect, urn));
        expect(decoded['entityUrn']).toBe(urn);
        expect(decoded.aspect.value.toString()).toBe(JSON.stringify(aspect));
      }),
    );
  });

  it('keeps messages apart that share a buffer', async () => {
    const encode = wireFormat({ id: 1, codec: await codecOf(1) }, run);
    const sizes = fc.array(fc.oneof(fc.nat(50), fc.nat(100_000), fc.nat(600_000)), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const texts = lengths.map((length, index) => String(index % 10).repeat(length));
        const all = texts.map((text) => encode(proposal({ text })));
        for (const [index, bytes] of all.entries()) {
          const { aspect } = (await registry.decode(bytes)) as Decoded;
          expect(aspect.value.toString()).toBe(JSON.stringify({ text: texts[index] }));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('keeps an aspect of megabytes', async () => {
    const given = { name: 'ü'.repeat(3_000_000) };
    expect((await there(proposal(given))).aspect.value.toString()).toBe(JSON.stringify(given));
  });

  it.each([
    ['a cycle', cycle()],
    ['a BigInt', { a: 1n }],
    ['no object', undefined],
  ])('refuses %s', async (_, aspect) => {
    const schema = { id: 1, codec: await codecOf(1) };
    expect(() => wireFormat(schema, run)(proposal(aspect as Aspect))).toThrow(TypeError);
  });
});

describe('the fitness of a schema', () => {
  const codec = async (schema: object): Promise<AvroCodec> => {
    const other = await registryStandIn({ schemas: { 9: schema } });
    try {
      return await codecOf(9, new registryLibrary.SchemaRegistry({ host: other.url }));
    } finally {
      await other.close();
    }
  };
  const changed = (name: string, type: unknown): object => ({
    ...metadataChangeProposal,
    fields: metadataChangeProposal.fields.map((field) =>
      field.name === name ? { name, type } : field,
    ),
  });

  it('is given by ours', async () => {
    expect(unfitness(await codec(metadataChangeProposal))).toBeUndefined();
  });

  it.each([
    [changed('aspectName', 'int'), 'aspectName takes other values'],
    [changed('headers', { type: 'map', values: 'string' }), 'it needs headers'],
    [changed('systemMetadata', ['null', 'string']), 'systemMetadata takes other values'],
    [
      { ...metadataChangeProposal, fields: metadataChangeProposal.fields.slice(0, -2) },
      'it lacks a field that DataHub reads',
    ],
  ])('is missing, in words', async (schema, words) => {
    expect(unfitness(await codec(schema))).toBe(words);
  });
});

function cycle(): object {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return self;
}
