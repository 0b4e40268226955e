import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/core/errors.js';
import type { Logger } from '../../../src/stream/contracts.js';
import { kafkaSink, type KafkaSinkOptions } from '../../../src/sinks/kafka/index.js';
import { runContext } from '../../../src/testing/index.js';

const options: KafkaSinkOptions = {
  brokers: ['127.0.0.1:1', '127.0.0.1:2'],
  registry: { url: 'http://127.0.0.1:1', username: 'ann', password: 'registry-s3cret' },
  sasl: { mechanism: 'plain', username: 'ann', password: 'kafka-s3cret' },
  connectionTimeoutMs: 300,
  requestTimeoutMs: 300,
};
const SECRETS = ['registry-s3cret', 'kafka-s3cret'];
const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** The address of a server that does nothing but what it is told to do with connections. */
async function serverThat(use: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    use(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function failureOf(work: Promise<unknown>): Promise<PipelineError> {
  return work.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error as PipelineError,
  );
}

describe('the options of the Kafka sink', () => {
  it.each([
    [{ brokers: [] }, '"brokers" must be a list with at least one entry'],
    [{ brokers: ['kafka'] }, '"brokers[0]" must be host:port'],
    [{ brokers: ['u:kafka-s3cret@kafka:9092'] }, '"brokers[0]" must be host:port'],
    [{ registry: {} }, '"registry.url" is required'],
    [{ registry: { url: 'ftp://r' } }, '"registry.url" must be'],
    [{ registry: { url: 'http://u:registry-s3cret@r' } }, '"registry.url" must hold no password'],
    [{ topic: 'a/b' }, '"topic" must be letters'],
    [{ topics: 'a' }, 'did you mean "topic"?'],
    [{ compression: 'zip' }, '"compression" must be one of "none", "gzip"'],
    [{ tls: { certFile: 'a' } }, '"tls" needs certFile and keyFile together'],
    [{ maxBatchCount: 0 }, '"maxBatchCount" must be at least 1'],
    [{ sasl: { mechanism: 'plain', username: 'a' } }, '"sasl.password" is required'],
    [{ sasl: { mechanism: 'oauthbearer', token: 'kafka-s3cret' } }, 'sasl'],
  ])('are refused in words: %j', (part, words) => {
    let error: PipelineError | undefined;
    try {
      kafkaSink({ ...options, ...part } as KafkaSinkOptions);
    } catch (thrown) {
      error = thrown as PipelineError;
    }
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', category: 'usage' });
    expect(error?.message).toContain(words);
    for (const secret of SECRETS) expect(error?.message).not.toContain(secret);
  });

  it('are shown in the label without credentials', () => {
    expect(kafkaSink(options).label).toBe(
      'kafka 127.0.0.1:1,127.0.0.1:2/MetadataChangeProposal_v1',
    );
  });
});

describe('the Kafka sink', () => {
  const lines: string[] = [];
  const line = (fields: object, text: string): void => {
    lines.push(JSON.stringify(fields) + text);
  };
  const log: Logger = { debug: line, info: line, warn: line, error: line };

  it('says that no broker is there, before the registry is asked', async () => {
    for (const work of ['open', 'check'] as const) {
      const error = await failureOf(kafkaSink(options)[work](runContext({ log })));
      expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
      expect(error.message).toContain('Kafka 127.0.0.1:1,127.0.0.1:2 refuses the connection');
      const all = `${error.message}${error.stack ?? ''}${String(error.cause)}${lines.join()}`;
      for (const secret of SECRETS) expect(all).not.toContain(secret);
    }
    expect(lines.length).toBeGreaterThan(0);
  });

  it.each([
    ['hangs up', 'closes the connection'],
    ['is silent', "can't be reached"],
    ['speaks HTTP', "can't be reached"],
  ])('says what is wrong where a server %s', async (what, words) => {
    const broker = await serverThat((socket) => {
      if (what === 'hangs up') socket.once('data', () => socket.destroy());
      if (what === 'speaks HTTP') socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const sink = kafkaSink({ ...options, brokers: [broker] });
    const error = await failureOf(sink.check(runContext()));
    expect(error.code).toBe('KAFKA_UNREACHABLE');
    expect(error.message).toContain(words);
  });

  it('ends at once when the run is over', async () => {
    const broker = await serverThat(() => undefined);
    const sink = kafkaSink({
      ...options,
      brokers: [broker],
      connectionTimeoutMs: 60_000,
      requestTimeoutMs: 60_000,
    });
    const abort = new AbortController();
    const opening = failureOf(sink.open(runContext({ signal: abort.signal })));
    await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort();
    expect((await opening).code).toBe('ABORTED');
    expect((await failureOf(sink.open(runContext({ signal: abort.signal })))).code).toBe('ABORTED');
  });

  it('names a file that it cannot read', async () => {
    const sink = kafkaSink({ ...options, tls: { caFile: '/no/such/ca.pem' } });
    const error = await failureOf(sink.open(runContext()));
    expect(error).toMatchObject({ code: 'TLS_FILE_UNREADABLE', category: 'usage' });
    expect(error.message).toContain('caFile /no/such/ca.pem');
  });
});
