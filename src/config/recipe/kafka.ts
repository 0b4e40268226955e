/**
 * The sink `datahub-kafka` of a recipe, with the options of librdkafka that are about security.
 */

import type { Block } from './block.js';
import { Call, Derived, given, Reference, type Option, type Text } from './option.js';

const MCP = 'MetadataChangeProposal';
const MCE = 'MetadataChangeEvent';

/** Where DataHub's quick start has its brokers and its registry, as the connector presumes. */
const BOOTSTRAP = 'localhost:9092';
const REGISTRY = 'http://localhost:8080/schema-registry/api/';

/** How the producer collects what it sends: here pages of proposals do. */
const COLLECTING = [
  'linger.ms',
  'queue.buffering.max.ms',
  'queue.buffering.max.messages',
  'queue.buffering.max.kbytes',
  'batch.num.messages',
  'batch.size',
  'socket.keepalive.enable',
];

export function translateKafka(config: Block): Call {
  const connection = config.block('connection');
  const bootstrap = connection.filled('bootstrap') ?? BOOTSTRAP;
  const producer = connection.block('producer_config');
  const registry = connection.block('schema_registry_config');
  const routes = config.block('topic_routes');
  const topic = routes.filled(MCP);
  if (config.has('topic_routes') && topic === undefined) {
    throw config.refuse('topic_routes', `must have a topic for ${MCP}`);
  }
  const call = new Call(
    'kafkaSink',
    given({
      brokers: brokersIn(bootstrap),
      topic,
      registry: {
        url: connection.filled('schema_registry_url') ?? REGISTRY,
        ...registryOptions(registry),
      },
      ...producerOptions(producer),
    }),
    config.placeOf(),
  );
  routes.pass(MCE);
  routes.end();
  producer.end();
  registry.end();
  connection.pass('client_timeout_seconds');
  connection.end();
  // Of the connector, `topic` is that of its older messages, which it never sends for MLflow.
  config.pass('topic', 'rest_fallback', 'max_queue_full_block_seconds');
  return call;
}

function brokersIn(bootstrap: Text): Option {
  if (bootstrap instanceof Reference) return new Derived(bootstrap, ".split(',')");
  return bootstrap.split(',').map((broker) => broker.trim());
}

function registryOptions(registry: Block): Record<string, Option | undefined> {
  const user = registry.filled('basic.auth.user.info');
  registry.pass('basic.auth.credentials.source', 'bearer.auth.credentials.source');
  return {
    ...userInfo(user),
    token: registry.filled('bearer.auth.token'),
    tls: tlsOptions(registry),
  };
}

/** `user:password` */
function userInfo(text: Text | undefined): Record<string, Option | undefined> {
  if (text === undefined) return {};
  if (text instanceof Reference) {
    return {
      username: new Derived(text, ".replace(/:.*$/s, '')", 'userInfo'),
      password: new Derived(text, ".replace(/^[^:]*:/, '')", 'userInfo'),
    };
  }
  const colon = text.indexOf(':');
  return colon < 0
    ? { username: text }
    : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function tlsOptions(block: Block): Option | undefined {
  return given({
    caFile: block.filled('ssl.ca.location'),
    certFile: block.filled('ssl.certificate.location'),
    keyFile: block.filled('ssl.key.location'),
    keyPassphrase: block.filled('ssl.key.password'),
  });
}

function producerOptions(producer: Block): Record<string, Option | undefined> {
  const protocol = (producer.word('security.protocol') ?? 'PLAINTEXT').toUpperCase();
  if (!['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'].includes(protocol)) {
    throw producer.refuse(
      'security.protocol',
      'must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL',
    );
  }
  const files = tlsOptions(producer);
  const verify = producer.flag('enable.ssl.certificate.verification');
  const tls = verify === false ? { ...(files as object), rejectUnauthorized: false } : files;
  producer.lacks({
    'ssl.endpoint.identification.algorithm':
      '`migrate` the recipe; who the broker is, is always looked at unless rejectUnauthorized is false',
    'sasl.oauthbearer.config': 'give "sasl.oauthbearer.method: oidc" and its options',
    oauth_cb: '`migrate` the recipe, and give sasl a function that gets a token',
    acks: 'all replicas are always waited for',
    'enable.idempotence': 'proposals may arrive twice, and do no harm',
  });
  producer.pass(...COLLECTING);
  const sasl = saslOptions(producer);
  return {
    tls: protocol.endsWith('SSL') ? (tls ?? true) : undefined,
    sasl: protocol.startsWith('SASL') ? sasl : undefined,
    compression: producer.word('compression.type') ?? producer.word('compression.codec'),
    maxMessageBytes: producer.number('message.max.bytes'),
    deliveryTimeoutMs:
      producer.number('delivery.timeout.ms') ?? producer.number('message.timeout.ms'),
    requestTimeoutMs: producer.number('request.timeout.ms'),
    clientId: producer.filled('client.id'),
  };
}

function saslOptions(producer: Block): Option | undefined {
  const singular = producer.word('sasl.mechanism');
  const mechanism = (producer.word('sasl.mechanisms') ?? singular ?? '').toLowerCase();
  const password = given({
    username: producer.filled('sasl.username'),
    password: producer.text('sasl.password'),
  });
  const method = producer.word('sasl.oauthbearer.method');
  const credentials = given({
    tokenUrl: producer.filled('sasl.oauthbearer.token.endpoint.url'),
    clientId: producer.filled('sasl.oauthbearer.client.id'),
    clientSecret: producer.filled('sasl.oauthbearer.client.secret'),
    scope: producer.filled('sasl.oauthbearer.scope'),
  });
  if (mechanism === '') return undefined;
  if (mechanism !== 'oauthbearer') return { mechanism, ...(password as object) };
  if (method?.toLowerCase() !== 'oidc') {
    throw producer.refuse(
      undefined,
      'must have "sasl.oauthbearer.method: oidc": other ways to get a token are no options here',
    );
  }
  return { mechanism, ...(credentials as object) };
}
