/**
 * What goes wrong with Kafka, as errors that say what to do.
 */

import { messageOf, PipelineError } from '../../core/errors.js';

/** What to do about an error of a send. */
export type Remedy =
  /** The same messages again by the same producer: what did arrive is not stored twice. */
  | 'again'
  /** The same messages again by a new producer: the broker no longer knows where the old one was. */
  | 'new-producer'
  /** Fewer messages at a time, by a new producer; refused where it is only one. */
  | 'smaller'
  /** Nothing helps. */
  | 'give-up';

const OUT_OF_STEP = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
]);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const CONNECTION = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSLockTimeout',
  'KafkaJSTimeout',
]);

/** What an error of kafkajs was at first, before it was wrapped for having been retried. */
export function rootOf(error: unknown): unknown {
  let root = error;
  const wrappers = ['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError'];
  while (
    root instanceof Error &&
    wrappers.includes(root.name) &&
    root.cause instanceof Error &&
    root.cause !== root
  ) {
    root = root.cause;
  }
  return root;
}

export function remedyFor(error: unknown): Remedy {
  const { name, type, retriable, tlsCode } = traits(error);
  if (TOO_LARGE.has(type)) return 'smaller';
  if (OUT_OF_STEP.has(type)) return 'new-producer';
  if (tlsCode !== undefined) return 'give-up';
  if (CONNECTION.has(name)) return 'again';
  // A topic that is gone in mid-run does not come back by itself; kafkajs has looked twice.
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'give-up';
  return retriable && type !== '' ? 'again' : 'give-up';
}

/** What is spoken of, and how to keep secrets out of it. */
export interface Place {
  /** `Kafka host:9092,host2:9092`. */
  readonly cluster: string;
  readonly topic: string;
  readonly tls: boolean;
  readonly hide: (text: string) => string;
}

/** An error of kafkajs as one of ours. */
export function kafkaFailure(error: unknown, place: Place): PipelineError {
  if (error instanceof PipelineError) return error;
  const root = rootOf(error);
  if (root instanceof PipelineError) return root;
  const { code, text, retryable = false } = explain(root, place);
  return new PipelineError(`${place.cluster} ${text}`, {
    code,
    category: 'unavailable',
    retryable,
    cause: plainCause(root, place),
  });
}

/** Says that the time for a delivery is over, and what was last in its way. */
export function deliveryTimeout(ms: number, last: unknown, place: Place): PipelineError {
  const cause = last === undefined ? undefined : kafkaFailure(last, place);
  const why = cause === undefined ? 'it does not answer' : cause.message;
  return new PipelineError(
    `nothing could be delivered to ${place.cluster}/${place.topic} for ${ms} ms ` +
      `(deliveryTimeoutMs); the last reason: ${why}`,
    { code: 'KAFKA_DELIVERY_TIMEOUT', category: 'unavailable', retryable: true, cause },
  );
}

interface Explanation {
  readonly code: string;
  readonly text: string;
  readonly retryable?: boolean;
}

function explain(error: unknown, { topic, tls, hide }: Place): Explanation {
  const { name, type, retriable, tlsCode, systemCode } = traits(error);
  const said = hide(messageOf(error));
  if (tlsCode !== undefined) return explainTls(tlsCode, tls);
  if (name === 'KafkaJSSASLAuthenticationError' || type.startsWith('SASL_')) {
    return {
      code: 'KAFKA_AUTHENTICATION',
      text: `does not let us in (${said}): check "sasl", its mechanism, user name and password`,
    };
  }
  switch (type) {
    case 'ILLEGAL_SASL_STATE':
    case 'UNSUPPORTED_SASL_MECHANISM':
      return {
        code: 'KAFKA_AUTHENTICATION',
        text: `wants to be signed in to otherwise (${said}): check "sasl"`,
      };
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'INVALID_TOPIC_EXCEPTION':
      return {
        code: 'KAFKA_TOPIC_MISSING',
        text:
          `has no topic ${topic}, or hides it from this user. DataHub's own setup makes its topics; ` +
          'check "topic" and "brokers". It is not created here',
      };
    case 'TOPIC_AUTHORIZATION_FAILED':
      return {
        code: 'KAFKA_FORBIDDEN',
        text: `does not allow this user to write to the topic ${topic}: it needs DESCRIBE and WRITE`,
      };
    case 'CLUSTER_AUTHORIZATION_FAILED':
      return {
        code: 'KAFKA_FORBIDDEN',
        text:
          'does not allow this user to write: it needs WRITE on the topic, and on brokers before ' +
          '2.8 IDEMPOTENT_WRITE on the cluster',
      };
    case 'NOT_ENOUGH_REPLICAS':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
      return {
        code: 'KAFKA_UNAVAILABLE',
        text: `has too few replicas of ${topic} in step (min.insync.replicas): are brokers down?`,
        retryable: true,
      };
    default:
  }
  if (CONNECTION.has(name)) return explainConnection(name, systemCode, said, tls);
  return retriable && type !== ''
    ? { code: 'KAFKA_UNAVAILABLE', text: `can't take messages now: ${said}`, retryable: true }
    : { code: 'KAFKA_FAILED', text: `refuses: ${said}` };
}

function explainTls(code: string, tls: boolean): Explanation {
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return {
      code: 'KAFKA_TLS',
      text:
        `does not agree on TLS (${code}): is it a listener without TLS, or does it want a ` +
        'certificate ("tls.certFile", "tls.keyFile")?',
    };
  }
  return {
    code: 'KAFKA_TLS',
    text:
      `has a certificate that is not trusted (${code})` +
      (tls ? ': name its authority with "tls.caFile", or its name with "tls.serverName"' : ''),
  };
}

function explainConnection(
  name: string,
  systemCode: string,
  said: string,
  tls: boolean,
): Explanation {
  const unreachable = (text: string): Explanation => ({
    code: 'KAFKA_UNREACHABLE',
    text,
    retryable: true,
  });
  switch (systemCode) {
    case 'ECONNREFUSED':
      return unreachable('refuses the connection: is it up, and are host and port right?');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unreachable(`can't be found by name (${said}): check the spelling, or the network`);
    default:
  }
  if (name === 'KafkaJSConnectionClosedError' || systemCode === 'ECONNRESET') {
    return unreachable(
      'closes the connection' +
        (tls ? '' : ': is it a listener with TLS ("tls") or with passwords ("sasl")?'),
    );
  }
  return unreachable(`can't be reached (${said}): check host, port and firewall`);
}

interface Traits {
  readonly name: string;
  /** Of Kafka's protocol: `MESSAGE_TOO_LARGE`. */
  readonly type: string;
  readonly retriable: boolean;
  readonly tlsCode: string | undefined;
  /** Of the operating system: `ECONNREFUSED`. */
  readonly systemCode: string;
}

const TLS_CODE =
  /^(ERR_SSL|ERR_TLS|EPROTO$|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH)/;

function traits(error: unknown): Traits {
  const root = rootOf(error);
  if (!(root instanceof Error)) {
    return { name: '', type: '', retriable: false, tlsCode: undefined, systemCode: '' };
  }
  const { type, code, retriable } = root as { type?: unknown; code?: unknown; retriable?: unknown };
  const systemCode = typeof code === 'string' ? code : '';
  return {
    name: root.name,
    type: typeof type === 'string' ? type : '',
    retriable: retriable === true,
    tlsCode: TLS_CODE.test(systemCode) ? systemCode : undefined,
    systemCode,
  };
}

/** Not the original: it would be logged with all that the library keeps on it. */
function plainCause(error: unknown, { hide }: Place): Error {
  const cause = new Error(hide(messageOf(error)));
  if (error instanceof Error) cause.name = error.name;
  return cause;
}
