import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/core/errors.js';
import { isKafkaUri, kafkaOptionsFromUri, kafkaSinkFromUri } from '../../../src/sinks/kafka/uri.js';

const REGISTRY = 'registry=http://registry:8081';

describe('a Kafka URI', () => {
  it.each([
    ['kafka://a', ['a:9092']],
    ['kafka://a:1', ['a:1']],
    ['kafka://a:1,b,c:3', ['a:1', 'b:9092', 'c:3']],
    ['kafka://10.0.0.1:9092,[::1]:9093', ['10.0.0.1:9092', '[::1]:9093']],
    ['KAFKA://a/', ['a:9092']],
  ])('names brokers: %s', (uri, brokers) => {
    expect(isKafkaUri(uri)).toBe(true);
    expect(kafkaOptionsFromUri(`${uri}?${REGISTRY}`)).toEqual({
      brokers,
      topic: 'MetadataChangeProposal_v1',
      registry: { url: 'http://registry:8081' },
    });
  });

  it('names the topic', () => {
    expect(kafkaOptionsFromUri(`kafka://a/Other_v1?${REGISTRY}`).topic).toBe('Other_v1');
  });

  it('takes TLS and its files', () => {
    expect(kafkaOptionsFromUri(`kafka+ssl://a?${REGISTRY}`).tls).toBe(true);
    const files = 'ca=/ca.pem&cert=/c.pem&key=/k.pem&serverName=broker';
    expect(kafkaOptionsFromUri(`kafka+ssl://a?${REGISTRY}&${files}`).tls).toEqual({
      caFile: '/ca.pem',
      certFile: '/c.pem',
      keyFile: '/k.pem',
      serverName: 'broker',
    });
  });

  it('takes any user and password, encoded', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(text, text, (username, password) => {
        const user = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
        const { sasl } = kafkaOptionsFromUri(`kafka://${user}@a?${REGISTRY}&sasl=SCRAM-SHA-512`);
        expect(sasl).toEqual({ mechanism: 'scram-sha-512', username, password });
      }),
    );
  });

  it('signs in by PLAIN unless told otherwise, and takes a password with signs in it', () => {
    const { sasl } = kafkaOptionsFromUri(`kafka://u:p@ss+w/rd:1@a?${REGISTRY}`);
    expect(sasl).toEqual({ mechanism: 'plain', username: 'u', password: 'p@ss+w/rd:1' });
  });

  it("takes the registry's user and authority", () => {
    const uri =
      'kafka://a?registry=https://u:p%2540w@r:8081/api/&registryCa=/ca.pem&autoRegister=false';
    expect(kafkaOptionsFromUri(uri).registry).toEqual({
      url: 'https://r:8081/api',
      username: 'u',
      password: 'p@w',
      tls: { caFile: '/ca.pem' },
      autoRegister: false,
    });
  });

  it('takes numbers and the compression', () => {
    const uri = `kafka://a?${REGISTRY}&compression=GZIP&maxMessageBytes=5000&deliveryTimeoutMs=1`;
    expect(kafkaOptionsFromUri(uri)).toMatchObject({
      compression: 'gzip',
      maxMessageBytes: 5000,
      deliveryTimeoutMs: 1,
    });
  });

  it('makes a sink whose label has no credentials', () => {
    const sink = kafkaSinkFromUri(`kafka://ann:s3cret@a,b:1/Topic?${REGISTRY}`);
    expect(sink.label).toBe('kafka a:9092,b:1/Topic');
  });

  it.each([
    ['kafka://a', 'it needs the schema registry'],
    [`kafka://?${REGISTRY}`, 'it names no broker'],
    [`kafka:a?${REGISTRY}`, 'it must look like'],
    [`kafka://a/b/c?${REGISTRY}`, 'it must look like'],
    ['kafka://a?registry=registry:8081x', 'registry'],
    ['kafka://a?registry=%zz', 'write it as %25'],
    [`kafka://ann@a?${REGISTRY}`, 'the user has no password'],
    [`kafka://a?${REGISTRY}&sasl=plain`, 'sasl needs a user'],
    [`kafka://a?${REGISTRY}&ca=/x`, 'kafka+ssl://'],
    [`kafka://a?${REGISTRY}&compresion=gzip`, 'did you mean "compression"?'],
    [`kafka://a?${REGISTRY}&constructor=1`, 'unknown parameter "constructor"'],
    [`kafka://a?${REGISTRY}&maxBatchCount=many`, 'must be a whole number'],
    [`kafka://a?${REGISTRY}&autoRegister=no`, 'must be true or false'],
    [`kafka://a?${REGISTRY}&compression=brotli`, '"compression" must be'],
    [`kafka://a/top%20ic?${REGISTRY}`, 'topic'],
    [`kafka://u:s3cret@a?${REGISTRY}&sasl=magic`, 'sasl'],
  ])('is refused in words: %s', (uri, words) => {
    let error: PipelineError | undefined;
    try {
      kafkaSinkFromUri(uri);
    } catch (thrown) {
      error = thrown as PipelineError;
    }
    expect(error).toMatchObject({ name: 'PipelineError', category: 'usage' });
    expect(error?.message).toContain(words);
    expect(error?.message).not.toContain('s3cret');
  });
});
